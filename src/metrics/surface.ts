/** Distances between the surfaces of masks: of images and of volumes. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { squaredDistancesIn } from "../arrays/squared_distances.ts";
import { checkSameShape } from "./overlap.ts";
import { InputError } from "../input_error.ts";

/** How far apart neighboring pixels or voxels are. */
export interface SurfaceOptions {
  /**
   * Millimeters between neighbors: one figure, or one for each dimension
   * ([between rows, between columns], or [between slices, rows, columns]).
   * Default: 1, for distances in pixels.
   */
  readonly spacing?: number | readonly number[];
}

/**
 * The 95th percentile of the Hausdorff distance. The border of a mask is its
 * pixels with one of four neighbors (voxels: of six) outside the mask or the
 * image; for each border pixel of one mask take the distance to the nearest
 * border pixel of the other, and of these the 95th percentile (linear between
 * neighbors). The result is the larger of the two directions, as in MONAI and
 * Metrics Reloaded (Maier-Hein et al. 2024): medpy pools both directions'
 * distances first, where a mask with a long border hides how far the other one
 * strays.
 *
 * Two empty masks are at distance 0; an empty one is at the image's diagonal
 * from any other, so that a mean over cases stays finite.
 *
 * @param one [H, W] or [D, H, W]; anything but 0 is inside.
 * @param other Of the same shape.
 * @param options The spacing.
 * @returns A distance of at least 0.
 * @throws {RangeError} When the shapes differ or are of another rank, or the spacing is not positive.
 */
export function hd95(
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
  { spacing = 1 }: SurfaceOptions = {},
): number {
  const { shape, steps } = check("HD95", one, other, spacing);
  const borders = [one, other].map((mask) => borderOf(mask));
  const empty = borders.filter(({ length }) => length === 0).length;
  if (empty === 2) return 0;
  if (empty === 1) return Math.hypot(...shape.map((n, i) => n * steps[i]));
  const { elements: [a, b], shape: window } = crop(borders, shape);
  return Math.max(
    percentile95(a, squaredDistancesIn(b, window, steps)),
    percentile95(b, squaredDistancesIn(a, window, steps)),
  );
}

/**
 * Surface Dice at a tolerance (Nikolov et al. 2018): the share of both masks'
 * borders that lies at most so far from the other one's. Borders are pixels or
 * voxels, as for {@linkcode hd95}, each counted once: MONAI's normalized surface
 * Dice without subvoxels. Two empty masks score 1, one empty mask scores 0.
 *
 * @param one [H, W] or [D, H, W]; anything but 0 is inside.
 * @param other Of the same shape.
 * @param tolerance The distance that does not count, in millimeters where there is a spacing, else in pixels; 0 or more.
 * @param options The spacing.
 * @returns 0..1.
 * @throws {RangeError} When the shapes differ or are of another rank, the spacing is not positive, or the tolerance negative.
 *
 * @example Two pixels, one apart
 * ```ts
 * import ndarray from "ndarray";
 * import { surfaceDice } from "@spa-seg/spa/evaluate";
 *
 * const one = ndarray(Uint8Array.of(1, 0, 0), [1, 3]);
 * const other = ndarray(Uint8Array.of(0, 1, 0), [1, 3]);
 * surfaceDice(one, other, 0); // 0
 * surfaceDice(one, other, 1); // 1
 * ```
 */
export function surfaceDice(
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
  tolerance: number,
  { spacing = 1 }: SurfaceOptions = {},
): number {
  if (!(tolerance >= 0)) {
    throw new InputError(
      `Cannot compute surface Dice as the tolerance must be at least 0: current value is ${tolerance}`,
    );
  }
  const { shape, steps } = check("surface Dice", one, other, spacing);
  const borders = [one, other].map((mask) => borderOf(mask));
  const count = borders[0].length + borders[1].length;
  if (count === 0) return 1;
  if (borders.some(({ length }) => length === 0)) return 0;
  const { elements: [a, b], shape: window } = crop(borders, shape);
  const most = (tolerance * (1 + 1e-9)) ** 2; // 3 * 0.1 is not above 0.3
  const near = (border: readonly number[], squared: Float64Array) =>
    border.filter((i) => squared[i] <= most).length;
  return (near(a, squaredDistancesIn(b, window, steps)) +
    near(b, squaredDistancesIn(a, window, steps))) / count;
}

/**
 * Refuses arrays that have no surfaces. Gives the shape and the steps along
 * each dimension.
 */
function check(
  metric: string,
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
  spacing: number | readonly number[],
): { shape: readonly number[]; steps: readonly number[] } {
  checkSameShape(metric, one, other);
  const { shape } = one;
  if (shape.length !== 2 && shape.length !== 3) {
    throw new InputError(
      `Cannot compute ${metric} as the masks' shape must be [H, W] or [D, H, W]: current value is [${shape}]`,
    );
  }
  const steps = typeof spacing === "number"
    ? shape.map(() => spacing)
    : spacing;
  if (
    steps.length !== shape.length ||
    !steps.every((step) => step > 0 && step < Infinity)
  ) {
    throw new InputError(
      `Cannot compute ${metric} as spacing must be a positive number or ${shape.length}: current value is ${spacing}`,
    );
  }
  return { shape, steps };
}

/**
 * Crops both masks to the smallest window that holds them, which saves most of
 * the work.
 */
function crop(
  borders: readonly (readonly number[])[],
  shape: readonly number[],
) {
  const first = shape.map(() => Infinity), last = shape.map(() => -1);
  const at = shape.map(() => 0);
  const place = (i: number) => {
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = i % shape[axis];
      i = Math.floor(i / shape[axis]);
    }
    return at;
  };
  for (const border of borders) {
    for (const i of border) {
      place(i).forEach((index, axis) => {
        if (index < first[axis]) first[axis] = index;
        if (index > last[axis]) last[axis] = index;
      });
    }
  }
  const window = last.map((end, axis) => end - first[axis] + 1);
  const elements = borders.map((border) =>
    border.map((i) =>
      place(i).reduce(
        (sum, index, axis) => sum * window[axis] + index - first[axis],
        0,
      )
    )
  );
  return { elements, shape: window };
}

/** The indices of a mask's border: what has a neighbor outside the mask or the array. */
function borderOf(mask: NdArray<Uint8Array>): number[] {
  const { data, shape } = contiguous(mask);
  const [depth, height, width] = [1, 1, ...shape].slice(-3);
  const area = height * width;
  const flat = shape.length === 2; // an image has no slices beside it
  const border: number[] = [];
  for (let slice = 0, i = 0; slice < depth; slice++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, i++) {
        if (data[i] === 0) continue;
        const inside = row > 0 && row < height - 1 && column > 0 &&
          column < width - 1 && data[i - 1] !== 0 && data[i + 1] !== 0 &&
          data[i - width] !== 0 && data[i + width] !== 0 &&
          (flat || (slice > 0 && slice < depth - 1 &&
            data[i - area] !== 0 && data[i + area] !== 0));
        if (!inside) border.push(i);
      }
    }
  }
  return border;
}

function percentile95(
  border: readonly number[],
  squared: Float64Array,
): number {
  const sorted = Float64Array.from(border, (i) => Math.sqrt(squared[i])).sort();
  const position = 0.95 * (sorted.length - 1);
  const below = Math.floor(position);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (position - below) * (next - sorted[below]);
}
