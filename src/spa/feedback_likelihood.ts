/** How well samples explain the user's feedback, beside the network's own use of it. */

import { sampleAt } from "../arrays/sample_at.ts";
import type { Choice, Feedback, Point } from "./feedback.ts";
import { type Box, type Frame, isInRegion, placeInMap } from "./frame.ts";

/**
 * How sharply a user is taken to tell candidates apart: the chance of picking
 * candidate k is proportional to exp(SHARPNESS * Dice).
 */
export const CHOICE_SHARPNESS = 100;

/** Chance that a click is where the user's mask says the opposite. */
export const CLICK_ERROR = 0.02;

/** How sharply a box is taken: its likelihood is exp(SHARPNESS * (IoU - 1)). */
const BOX_SHARPNESS = 20;

/** Dice of a soft map against the pixels of a mask. */
function softDice(
  map: Float32Array,
  total: number,
  pixels: Int32Array,
): number {
  let overlap = 0;
  for (let i = 0; i < pixels.length; i++) overlap += map[pixels[i]];
  return (2 * overlap + 1) / (total + pixels.length + 1);
}

/** Indices of the pixels where a map is at least one half. */
function pixelsOf(map: Float32Array): Int32Array {
  const pixels: number[] = [];
  for (let i = 0; i < map.length; i++) if (map[i] >= 0.5) pixels.push(i);
  return Int32Array.from(pixels);
}

/** The maps of a row-major list [n, pixels]. */
function split(maps: Float32Array, n: number): Float32Array[] {
  const size = maps.length / n;
  return Array.from(
    { length: n },
    (_, i) => maps.subarray(i * size, (i + 1) * size),
  );
}

/**
 * Log-likelihood of the user's choices so far, if a sample were what the user
 * has in mind: each choice is the softmax of the Dice between the sample and
 * the candidates that were shown.
 *
 * @param maps Samples, row-major, [n, pixels].
 * @param choices The choices, oldest first.
 * @returns [n].
 */
export function choiceLogLikelihood(
  maps: Float32Array,
  n: number,
  choices: readonly Choice[],
  sharpness = CHOICE_SHARPNESS,
): Float64Array {
  const shown = choices.map(({ candidates }) =>
    candidates.map(({ data }) => pixelsOf(data as Float32Array))
  );
  return Float64Array.from(split(maps, n), (map) => {
    let total = 0, result = 0;
    for (let p = 0; p < map.length; p++) total += map[p];
    choices.forEach(({ chosen, weight = 1 }, t) => {
      const scores = shown[t].map((pixels) =>
        sharpness * softDice(map, total, pixels)
      );
      const largest = Math.max(...scores);
      const sum = scores.reduce((s, v) => s + Math.exp(v - largest), 0);
      result += weight * (scores[chosen] - largest - Math.log(sum));
    });
    return result;
  });
}

/**
 * Log-likelihood of clicks, if samples were what the user has in mind: the
 * sample's probability where the click is, or the opposite where it is negative.
 *
 * @param maps Samples, row-major, [n, side * side].
 * @returns [n].
 */
export function clickLogLikelihood(
  maps: Float32Array,
  n: number,
  points: readonly Point[],
  frame: Frame,
): Float64Array {
  const side = Math.sqrt(maps.length / n);
  const result = new Float64Array(n);
  for (const point of points) {
    if (!isInRegion(frame, point)) continue; // the map says nothing there
    const [column, row] = placeInMap(frame, side, point);
    split(maps, n).forEach((map, i) => {
      const inside = sampleAt(map, side, side, 1, 0, column, row);
      const agrees = point.label === 0 ? 1 - inside : inside;
      result[i] += Math.log(CLICK_ERROR + (1 - 2 * CLICK_ERROR) * agrees);
    });
  }
  return result;
}

/**
 * Log-likelihood of a box around the object, if samples were what the user has
 * in mind, by its IoU with the box around the sample.
 *
 * @param maps Samples, row-major, [n, side * side].
 * @returns [n].
 */
export function boxLogLikelihood(
  maps: Float32Array,
  n: number,
  box: Box,
  frame: Frame,
): Float64Array {
  const side = Math.sqrt(maps.length / n);
  const corner = (x: number, y: number) =>
    placeInMap(frame, side, { x, y })
      .map((at) => Math.min(side - 1, Math.max(0, at)));
  const [left, top] = corner(box.left, box.top);
  const [right, bottom] = corner(box.right, box.bottom);
  return Float64Array.from(split(maps, n), (map) => {
    let l = side, t = side, r = -1, b = -1;
    for (const pixel of pixelsOf(map)) {
      const x = pixel % side, y = Math.floor(pixel / side);
      l = Math.min(l, x), r = Math.max(r, x);
      t = Math.min(t, y), b = Math.max(b, y);
    }
    const area = (w: number, h: number) => Math.max(0, w) * Math.max(0, h);
    // edges half a pixel beyond the outermost centres, on either side
    const shared = area(
      Math.min(r, right) - Math.max(l, left) + 1,
      Math.min(b, bottom) - Math.max(t, top) + 1,
    );
    const joint = area(r - l + 1, b - t + 1) +
      area(right - left + 1, bottom - top + 1) - shared;
    return BOX_SHARPNESS * (shared / joint - 1);
  });
}

/**
 * Log-likelihood of what the user said, if a sample were what the user has in
 * mind: samples that contradict an earlier choice, a later click or the box
 * count for less. The first click does not count here, as the network was
 * trained to draw samples that go with it; it was with no other click or box.
 *
 * @param maps Samples, row-major, [n, side * side].
 * @returns [n].
 */
export function feedbackLogLikelihood(
  maps: Float32Array,
  n: number,
  { points, box, choices, frame }: Feedback,
): Float64Array {
  const result = choiceLogLikelihood(maps, n, choices);
  const ofClicks = clickLogLikelihood(maps, n, points.slice(1), frame);
  const ofBox = box && boxLogLikelihood(maps, n, box, frame);
  return result.map((value, i) => value + ofClicks[i] + (ofBox?.[i] ?? 0));
}
