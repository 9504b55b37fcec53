// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { padByReflection } from "../arrays/reflect.ts";
import { once } from "../once.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { InputError } from "../input_error.ts";
import { createRandom } from "../random.ts";

/** The place of a crop's first pixel in its canvas. */
interface Place {
  readonly top: number;
  readonly left: number;
}

/** A mask [h, w] in an empty canvas: the reflections are not the object. */
function padMask(
  mask: NdArray<Uint8Array>,
  size: number,
  { top, left }: Place,
): NdArray<Uint8Array> {
  const [height, width] = mask.shape;
  const data = new Uint8Array(size * size);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[(y + top) * size + x + left] = mask.get(y, x);
    }
  }
  return ndarray(data, [size, size]);
}

/**
 * Places every image of a data set into a larger square canvas, at random, as an
 * object stands somewhere in a whole slice. The canvas goes on with the image's
 * reflections; the masks are of the image itself alone.
 *
 * @param dataset Images no larger than the canvas.
 * @param options.size The canvas's side in pixels.
 * @param options.seed Seed of the places, default 0; a case's place depends on
 * its place in its data set.
 * @returns The same cases in canvases; not crops any more.
 * @throws {RangeError} When the size is no positive integer; when an image is
 * larger, once it is read.
 */
export function padCases(
  dataset: Dataset,
  { size, seed = 0 }: { size: number; seed?: number },
): Dataset {
  if (!(Number.isInteger(size) && size >= 1)) {
    throw new InputError(
      `Cannot pad the images as the size must be a positive integer: current value is ${size}`,
    );
  }
  const cases = dataset.cases.map((item, index) => {
    const place = once(async (): Promise<Place> => {
      const [height, width] = (await item.readImage()).shape;
      if (height > size || width > size) {
        throw new InputError(
          `Cannot pad the images as none may be larger than ${size} x ${size}: current value is ${height} x ${width} of case ${item.id}`,
        );
      }
      const random = createRandom(seed, index);
      return {
        top: random.integer(size - height + 1),
        left: random.integer(size - width + 1),
      };
    });
    return {
      ...item,
      readImage: async () =>
        padByReflection(await item.readImage(), {
          height: size,
          width: size,
          ...await place(),
        }),
      readMask: async (rater: string) =>
        padMask(await item.readMask(rater), size, await place()),
    };
  });
  return { ...dataset, cases, crops: false };
}
