// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { squaredDistances } from "../arrays/squared_distances.ts";
import { checkSameShape } from "./_masks.ts";

/**
 * The 95th percentile of the Hausdorff distance. The border of a mask is its
 * pixels with one of four neighbours outside the mask or the image; for each
 * border pixel of one mask take the distance to the nearest border pixel of the
 * other, and of these the 95th percentile (linear between neighbours). The
 * result is the larger of the two directions, as in MONAI and Metrics Reloaded
 * (Maier-Hein et al. 2024): medpy pools both directions' distances first, where
 * a mask with a long border hides how far the other one strays.
 *
 * Two empty masks are at distance 0; an empty one is at the image's diagonal
 * from any other, so that a mean over cases stays finite.
 *
 * @param one [H, W]; anything but 0 is inside.
 * @param other [H, W], of the same size.
 * @param options.spacing Millimetres per pixel, one figure or [between rows, between columns], which defaults to 1: the result is in pixels then.
 * @returns A distance of at least 0.
 * @throws {RangeError} When the shapes differ or are not [H, W], or the spacing is not positive.
 */
export function hd95(
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
  { spacing = 1 }: { spacing?: number | readonly [number, number] } = {},
): number {
  checkSameShape("HD95", one, other);
  if (one.shape.length !== 2) {
    throw new RangeError(
      `Cannot compute HD95 as the masks' shape must be [H, W]: current value is [${one.shape}]`,
    );
  }
  const steps: readonly number[] = typeof spacing === "number"
    ? [spacing, spacing]
    : spacing;
  if (
    steps.length !== 2 || !steps.every((step) => step > 0 && step < Infinity)
  ) {
    throw new RangeError(
      `Cannot compute HD95 as spacing must be a positive number or two: current value is ${spacing}`,
    );
  }
  const [rows, columns] = one.shape;
  const borders = [one, other].map((mask) =>
    borderOf(contiguous(mask).data, rows, columns)
  );
  const empty = borders.filter(({ length }) => length === 0).length;
  if (empty === 2) return 0;
  if (empty === 1) return Math.hypot(rows * steps[0], columns * steps[1]);
  const { pixels: [a, b], height, width } = crop(borders, columns);
  return Math.max(
    percentile95(a, squaredDistances(b, height, width, steps)),
    percentile95(b, squaredDistances(a, height, width, steps)),
  );
}

/** The same pixels in the smallest window that has them all, which is far less work. */
function crop(borders: readonly (readonly number[])[], columns: number) {
  let [top, left, bottom, right] = [Infinity, Infinity, -1, -1];
  for (const border of borders) {
    for (const i of border) {
      const row = Math.floor(i / columns), column = i % columns;
      if (row < top) top = row;
      if (row > bottom) bottom = row;
      if (column < left) left = column;
      if (column > right) right = column;
    }
  }
  const width = right - left + 1;
  const pixels = borders.map((border) =>
    border.map((i) =>
      (Math.floor(i / columns) - top) * width + i % columns - left
    )
  );
  return { pixels, height: bottom - top + 1, width };
}

/** The indices of a mask's border pixels. */
function borderOf(mask: Uint8Array, height: number, width: number): number[] {
  const border: number[] = [];
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      if (mask[i] === 0) continue;
      const inside = row > 0 && row < height - 1 && column > 0 &&
        column < width - 1 && mask[i - 1] !== 0 && mask[i + 1] !== 0 &&
        mask[i - width] !== 0 && mask[i + width] !== 0;
      if (!inside) border.push(i);
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
