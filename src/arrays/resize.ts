// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "./contiguous.ts";

/**
 * Resizes an image or a map bilinearly, with half-pixel centres: output pixel i
 * lies at (i + 0.5) * scale - 0.5 in the input, and edges repeat. Where a side
 * shrinks, the triangle filter widens with the scale, so that every input pixel
 * counts and nothing aliases, as in Pillow's BILINEAR and PyTorch's
 * `interpolate(mode: "bilinear", antialias: true)`.
 *
 * @param array [H, W] or [H, W, C].
 * @param height The output's height, a whole number of at least 1.
 * @param width The output's width, a whole number of at least 1.
 * @returns [height, width] or [height, width, C], a new array.
 * @throws {RangeError} When a size is not a whole number of at least 1, or the array is empty or of another rank.
 *
 * @example Halve an edge
 * ```ts
 * import ndarray from "ndarray";
 * import { resizeBilinear } from "./resize.ts";
 *
 * const edge = ndarray(new Float32Array([0, 0, 1, 1]), [1, 4]);
 * const half = resizeBilinear(edge, 1, 2); // 0.125, 0.875
 * ```
 */
export function resizeBilinear(
  array: NdArray<Float32Array>,
  height: number,
  width: number,
): NdArray<Float32Array> {
  for (const [name, size] of Object.entries({ height, width })) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot resize as ${name} must be a whole number >= 1: current value is ${size}`,
      );
    }
  }
  const { shape } = array;
  if (
    (shape.length !== 2 && shape.length !== 3) || shape[0] * shape[1] === 0
  ) {
    throw new RangeError(
      `Cannot resize as the array's shape must be [H, W] or [H, W, C] with pixels: current value is [${shape}]`,
    );
  }
  const channels = shape[2] ?? 1;
  const rows = filterAxis(
    contiguous(array).data,
    [1, shape[0], shape[1] * channels],
    height,
  );
  const both = filterAxis(rows, [height, shape[1], channels], width);
  return ndarray(both, [height, width, ...shape.slice(2)]);
}

/** Resizes the middle axis of [outer, size, inner] to `target`. */
function filterAxis(
  values: Float32Array,
  [outer, size, inner]: [number, number, number],
  target: number,
): Float32Array {
  const result = new Float32Array(outer * target * inner);
  const scale = size / target;
  const radius = Math.max(scale, 1); // of the triangle, in input pixels
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale - 0.5;
    const first = Math.max(Math.ceil(centre - radius), 0);
    const last = Math.min(Math.floor(centre + radius), size - 1);
    const weights: number[] = [];
    let total = 0;
    for (let j = first; j <= last; j++) {
      const weight = Math.max(1 - Math.abs(j - centre) / radius, 0);
      weights.push(weight);
      total += weight;
    }
    for (let o = 0; o < outer; o++) {
      const target0 = (o * target + i) * inner;
      for (let j = first; j <= last; j++) {
        const weight = weights[j - first] / total;
        if (weight === 0) continue;
        const source0 = (o * size + j) * inner;
        for (let k = 0; k < inner; k++) {
          result[target0 + k] += weight * values[source0 + k];
        }
      }
    }
  }
  return result;
}
