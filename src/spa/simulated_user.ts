/** Simulated users: rules that pick a candidate with a mask in mind. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Random } from "../random.ts";
import type { Proposal } from "./cluster.ts";
import type { Point } from "./feedback.ts";

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
    throw new RangeError(
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
 * A click at a random pixel of a mask, with which Algorithm 1 begins.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @param random Stream of the draw.
 * @returns A positive click at the pixel's centre.
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
    throw new RangeError(
      `Cannot click inside the mask as it must have pixels: current value is an empty mask of ${height} x ${width}`,
    );
  }
  const pixel = inside[random.integer(inside.length)];
  return { x: pixel % width, y: Math.floor(pixel / width) };
}
