/**
 * What a simulated user of a baseline says: nothing, a box, or a click inside
 * the target and then one at the centre of the largest error after another.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { squaredDistances } from "../arrays/squared_distances.ts";
import type { Random } from "../random.ts";
import type { Box, Feedback, Point } from "../spa/feedback.ts";

/** How the user of a method interacts. */
export type Interaction = "clicks" | "box" | "none";

/**
 * The next click of click refinement: of the largest connected region (of eight
 * neighbours) that is missing from the prediction or too much in it, the pixel
 * that is farthest from the region's border, the image's edge included.
 *
 * @param predicted [H, W], 0 or 1.
 * @param target [H, W], 0 or 1.
 * @returns A positive click where something is missing, else a negative one;
 * undefined where the two agree.
 */
export function errorClick(
  predicted: NdArray<Uint8Array>,
  target: NdArray<Uint8Array>,
): Point | undefined {
  const [height, width] = target.shape;
  const found = contiguous(predicted).data, wanted = contiguous(target).data;
  const largest = largestRegion(
    Int8Array.from(wanted, (value, i) => value - found[i]),
    height,
    width,
  );
  if (largest.length === 0) return undefined;
  // a border of one pixel around the image counts as outside
  const wide = width + 2;
  const outside = new Uint8Array((height + 2) * wide).fill(1);
  const padded = (i: number) =>
    (Math.floor(i / width) + 1) * wide + i % width + 1;
  for (const i of largest) outside[padded(i)] = 0;
  const depths = squaredDistances(
    [...outside.keys()].filter((i) => outside[i] === 1),
    height + 2,
    wide,
  );
  const deepest = largest.reduce((best, i) =>
    depths[padded(i)] > depths[padded(best)] ? i : best
  );
  return {
    x: deepest % width,
    y: Math.floor(deepest / width),
    label: wanted[deepest] > 0 ? 1 : 0,
  };
}

/** The pixels, in order, of the largest region of one sign, of eight neighbours. */
function largestRegion(
  signs: Int8Array,
  height: number,
  width: number,
): number[] {
  const seen = new Uint8Array(signs.length);
  let largest: number[] = [];
  for (let start = 0; start < signs.length; start++) {
    if (signs[start] === 0 || seen[start]) continue;
    const region = [start];
    seen[start] = 1;
    for (const i of region) { // grows while it is walked
      const row = Math.floor(i / width), column = i % width;
      const [top, left] = [Math.max(0, row - 1), Math.max(0, column - 1)];
      for (let y = top; y <= Math.min(height - 1, row + 1); y++) {
        for (let x = left; x <= Math.min(width - 1, column + 1); x++) {
          const next = y * width + x;
          if (seen[next] || signs[next] !== signs[start]) continue;
          seen[next] = 1;
          region.push(next);
        }
      }
    }
    if (region.length > largest.length) largest = region;
  }
  return largest.sort((a, b) => a - b);
}

/**
 * The box around a mask.
 *
 * @throws {RangeError} When the mask is empty.
 */
export function boundingBox(mask: NdArray<Uint8Array>): Box {
  const [height, width] = mask.shape;
  const { data } = contiguous(mask);
  let [left, top, right, bottom] = [width, height, -1, -1];
  data.forEach((value, i) => {
    if (value === 0) return;
    const x = i % width, y = Math.floor(i / width);
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  if (right < 0) {
    throw new RangeError(
      `Cannot draw a box around the mask as it must have pixels: current value is an empty mask of ${height} x ${width}`,
    );
  }
  return {
    left: left - 0.5,
    top: top - 0.5,
    right: right + 0.5,
    bottom: bottom + 0.5,
  };
}

/** Largest share of a box's side by which its edges are moved. */
const JITTER = 0.1;

/**
 * A box whose edges are moved at random, each by up to a tenth of the box's
 * side, and kept in the image. (MedSAM moves them by up to 20 of 1024 pixels,
 * which is nothing to crops of small objects.)
 */
export function jitterBox(
  { left, top, right, bottom }: Box,
  height: number,
  width: number,
  random: Random,
): Box {
  const move = (at: number, side: number, size: number) => {
    const moved = at + JITTER * side * (2 * random.uniform() - 1);
    return Math.min(size - 1, Math.max(0, moved));
  };
  return {
    left: move(left, right - left, width),
    top: move(top, bottom - top, height),
    right: move(right, right - left, width),
    bottom: move(bottom, bottom - top, height),
  };
}

/** The prediction before, as the next one's mask prompt. */
export function withMask(
  feedback: Feedback,
  map: NdArray<Float32Array>,
): Feedback {
  const choice = { recommended: map, candidates: [map], chosen: 0 };
  return { ...feedback, choices: [...feedback.choices.slice(-1), choice] };
}
