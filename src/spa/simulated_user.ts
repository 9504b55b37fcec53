/**
 * Simulated users: rules that pick a candidate with a mask in mind, and the
 * clicks and boxes that a user with that mask in mind gives.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { squaredDistances } from "../arrays/squared_distances.ts";
import { dice } from "../metrics/overlap.ts";
import type { Random } from "../random.ts";
import type { Proposal } from "./cluster.ts";
import type { Point } from "./feedback.ts";
import type { Box } from "./frame.ts";
import { InputError } from "../input_error.ts";

/**
 * Picks a candidate of a proposal: its index, from 0. Whatever it draws comes
 * from the stream.
 */
export type SimulatedUser = (proposal: Proposal, random: Random) => number;

/**
 * Dice of every candidate with a mask.
 *
 * @param proposal What is shown.
 * @param target [H, W], the image's own size; anything but 0 is inside.
 * @returns 0..1, one for each candidate, in their order.
 * @throws {RangeError} When the mask is of another size.
 */
export function candidateDice(
  proposal: Proposal,
  target: NdArray<Uint8Array>,
): number[] {
  return proposal.candidates.map(({ mask }) => dice(mask, target));
}

/**
 * Picks the candidate with the highest Dice, of equals the first: the simulated
 * user of Algorithm 1.
 *
 * @param target The mask in mind, [H, W]. When it is of another size than the
 * image, the user throws a RangeError.
 */
export function nearestUser(target: NdArray<Uint8Array>): SimulatedUser {
  return (proposal) => {
    const scores = candidateDice(proposal, target);
    return scores.indexOf(Math.max(...scores));
  };
}

/**
 * Picks the nearest candidate, except for a share of the choices, which are
 * made at random.
 *
 * @param target The mask in mind, [H, W].
 * @param errorRate Share of choices made at random, 0..1.
 * @throws {RangeError} When the share is not in 0..1.
 */
export function noisyUser(
  target: NdArray<Uint8Array>,
  errorRate: number,
): SimulatedUser {
  if (!(errorRate >= 0 && errorRate <= 1)) {
    throw new InputError(
      `Cannot simulate a user as errorRate must be in 0..1: current value is ${errorRate}`,
    );
  }
  const nearest = nearestUser(target);
  const random = randomUser();
  return (proposal, stream) =>
    (stream.uniform() < errorRate ? random : nearest)(proposal, stream);
}

/** Picks any candidate: a baseline that no method should lose to. */
export function randomUser(): SimulatedUser {
  return ({ candidates }, random) => random.integer(candidates.length);
}

/**
 * A click at a random pixel of a mask: the first click of Algorithm 1.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @param random Stream of the draw.
 * @returns A positive click at the pixel's center.
 * @throws {RangeError} When the mask is empty.
 */
export function clickInside(mask: NdArray<Uint8Array>, random: Random): Point {
  const [height, width] = mask.shape;
  const inside: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask.get(y, x) > 0) inside.push(y * width + x);
    }
  }
  if (inside.length === 0) {
    throw new InputError(
      `Cannot click inside the mask as it must have pixels: current value is an empty mask of ${height} x ${width}`,
    );
  }
  const pixel = inside[random.integer(inside.length)];
  return { x: pixel % width, y: Math.floor(pixel / width) };
}

/**
 * The click that corrects most. It lies in the largest connected region (eight
 * neighbors) that the prediction misses or has too much: at the pixel farthest
 * from the region's border, where the image's edge counts as border.
 *
 * @param predicted [H, W]; anything but 0 is inside.
 * @param target [H, W]; anything but 0 is inside.
 * @returns A positive click where something is missing, else a negative one;
 * undefined where the two agree.
 * @throws {RangeError} When the two differ in size.
 */
export function errorClick(
  predicted: NdArray<Uint8Array>,
  target: NdArray<Uint8Array>,
): Point | undefined {
  const [height, width] = target.shape;
  if (`${predicted.shape}` !== `${target.shape}`) {
    throw new InputError(
      `Cannot click at the largest error as the prediction must be of the target's size, ${height} x ${width}: current value is ${
        predicted.shape.join(" x ")
      }`,
    );
  }
  const found = contiguous(predicted).data, wanted = contiguous(target).data;
  const largest = largestRegion(
    Int8Array.from(
      wanted,
      (value, i) => (value > 0 ? 1 : 0) - (found[i] > 0 ? 1 : 0),
    ),
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

/** The pixels, in order, of the largest region of one sign, of eight neighbors. */
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
 * The box around a mask, along the outer edges of its pixels.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @returns Edges at half pixels: a mask of the one pixel (3, 2) has 2.5..3.5 and 1.5..2.5.
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
    throw new InputError(
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
 *
 * @param box The box.
 * @param height The image's height in pixels.
 * @param width The image's width in pixels.
 * @param random Stream of the draws.
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
