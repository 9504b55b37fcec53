/** Masks between aligned slices by their shape alone (Raya and Udupa 1990). */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { squaredDistances } from "../arrays/squared_distances.ts";
import { InputError } from "../input_error.ts";

/**
 * Distance of every pixel to the border of a mask, in pixels, positive inside:
 * half a pixel at either side of it. An empty mask has a large negative one.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @returns Row-major, [H * W].
 */
export function signedDistance(mask: NdArray<Uint8Array>): Float64Array {
  const [height, width] = mask.shape;
  const { data } = contiguous(mask);
  const of = (inside: boolean) => {
    const pixels: number[] = [];
    for (let i = 0; i < data.length; i++) {
      if ((data[i] !== 0) === inside) pixels.push(i);
    }
    return squaredDistances(pixels, height, width);
  };
  const toInside = of(true), toOutside = of(false);
  const far = Math.hypot(height, width); // where there is no other side
  return toInside.map((squared, i) => {
    const out = Math.min(far, Math.sqrt(squared));
    const inward = Math.min(far, Math.sqrt(toOutside[i]));
    return data[i] !== 0 ? inward - 0.5 : 0.5 - out;
  });
}

/**
 * Fills the slices between aligned ones by interpolating their signed distances,
 * and leaves those beyond the outermost ones empty.
 *
 * @param masks Masks [H, W] of one size by their slices, at least one.
 * @param depth Slices in all.
 * @returns [D, H, W], 0 or 1.
 * @throws {RangeError} When there is no mask, a slice is not in 0 .. depth - 1, or sizes differ.
 */
export function interpolateMasks(
  masks: ReadonlyMap<number, NdArray<Uint8Array>>,
  depth: number,
): NdArray<Uint8Array> {
  const known = [...masks.keys()].sort((a, b) => a - b);
  if (known.length === 0) {
    throw new InputError(
      "Cannot interpolate masks as there must be at least one: current value is none",
    );
  }
  const { shape } = masks.get(known[0])!;
  for (const slice of known) {
    if (!Number.isInteger(slice) || slice < 0 || slice >= depth) {
      throw new InputError(
        `Cannot interpolate masks as slices must be in 0..${
          depth - 1
        }: current value is ${slice}`,
      );
    }
    if (`${masks.get(slice)!.shape}` === `${shape}`) continue;
    throw new InputError(
      `Cannot interpolate masks as all must be of one size, [${shape}]: current value is [${
        masks.get(slice)!.shape
      }]`,
    );
  }
  const area = shape[0] * shape[1];
  const result = new Uint8Array(depth * area);
  let above: Float64Array | undefined;
  known.forEach((slice, k) => {
    const mask = contiguous(masks.get(slice)!).data;
    for (let i = 0; i < area; i++) result[slice * area + i] = mask[i] ? 1 : 0;
    const below = signedDistance(masks.get(slice)!);
    for (let z = k > 0 ? known[k - 1] + 1 : slice; z < slice; z++) {
      const share = (z - known[k - 1]) / (slice - known[k - 1]);
      for (let i = 0; i < area; i++) {
        const distance = (1 - share) * above![i] + share * below[i];
        result[z * area + i] = distance > 0 ? 1 : 0;
      }
    }
    above = below;
  });
  return ndarray(result, [depth, ...shape]);
}
