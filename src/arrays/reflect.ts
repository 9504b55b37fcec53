/** Images that go on beyond their edges. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";

/** An index beyond 0 .. n - 1, reflected at the edges. */
function reflect(i: number, n: number): number {
  const at = ((i % (2 * n)) + 2 * n) % (2 * n);
  return at < n ? at : 2 * n - 1 - at;
}

/** A canvas, and the place of an image's first pixel in it. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly top: number;
  readonly left: number;
}

/**
 * An image in a canvas that goes on with its reflections.
 *
 * @param image [h, w, C].
 * @returns [height, width, C].
 */
export function padByReflection(
  image: NdArray<Float32Array>,
  { height, width, top, left }: Canvas,
): NdArray<Float32Array> {
  const [h, w, channels] = image.shape;
  const data = new Float32Array(height * width * channels);
  const columns = Array.from({ length: width }, (_, x) => reflect(x - left, w));
  for (let y = 0, i = 0; y < height; y++) {
    const row = reflect(y - top, h);
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        data[i++] = image.get(row, columns[x], c);
      }
    }
  }
  return ndarray(data, [height, width, channels]);
}
