// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../../arrays/contiguous.ts";
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
  const [height, width] = one.shape;
  const borders = [one, other].map((mask) =>
    borderOf(contiguous(mask).data, height, width)
  );
  const [a, b] = borders;
  if (a.length === 0 && b.length === 0) return 0;
  if (a.length === 0 || b.length === 0) {
    return Math.hypot(height * steps[0], width * steps[1]);
  }
  return Math.max(
    percentile95(a, distances(b, height, width, steps)),
    percentile95(b, distances(a, height, width, steps)),
  );
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

function percentile95(border: number[], squared: Float64Array): number {
  const sorted = Float64Array.from(border, (i) => Math.sqrt(squared[i])).sort();
  const position = 0.95 * (sorted.length - 1);
  const below = Math.floor(position);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (position - below) * (next - sorted[below]);
}

/**
 * Every pixel's squared distance to the nearest of the given ones, exact and in
 * time linear in the pixels (Felzenszwalb and Huttenlocher 2012).
 */
function distances(
  pixels: number[],
  height: number,
  width: number,
  [rowStep, columnStep]: readonly number[],
): Float64Array {
  const field = new Float64Array(height * width).fill(Infinity);
  for (const i of pixels) field[i] = 0;
  const longest = Math.max(height, width);
  const apex = new Float64Array(longest); // of the parabolas of the envelope
  const floor = new Float64Array(longest); // the value there
  const from = new Float64Array(longest); // where each begins to be lowest
  const transform = (
    start: number,
    stride: number,
    length: number,
    step: number,
  ) => {
    let count = 0;
    for (let i = 0; i < length; i++) {
      const value = field[start + i * stride];
      if (value === Infinity) continue;
      const x = i * step;
      let crossing = -Infinity;
      while (count > 0) {
        const other = apex[count - 1];
        crossing = (value + x * x - floor[count - 1] - other * other) /
          (2 * (x - other));
        if (crossing > from[count - 1]) break;
        count--;
        crossing = -Infinity;
      }
      apex[count] = x;
      floor[count] = value;
      from[count++] = crossing;
    }
    if (count === 0) return;
    for (let i = 0, k = 0; i < length; i++) {
      const x = i * step;
      while (k + 1 < count && from[k + 1] < x) k++;
      field[start + i * stride] = floor[k] + (x - apex[k]) ** 2;
    }
  };
  for (let column = 0; column < width; column++) {
    transform(column, width, height, rowStep);
  }
  for (let row = 0; row < height; row++) {
    transform(row * width, 1, width, columnStep);
  }
  return field;
}
