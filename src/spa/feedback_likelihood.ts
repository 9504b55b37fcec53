/** How well samples explain the user's feedback, beside the network's own use of it. */

import { contiguous } from "../arrays/contiguous.ts";
import { sampleAt } from "../arrays/sample_at.ts";
import { logSumExp } from "./mixture.ts";
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

/** The cells into which masks cut their pixels: in a cell all masks are alike. */
interface Cells {
  /** The pixels, cell by cell. */
  readonly pixels: Int32Array;
  /** Where each cell's pixels begin, and, last, where they all end. */
  readonly starts: Int32Array;
  /** Of every mask, the cells inside. */
  readonly inside: readonly (readonly number[])[];
  /** Pixels of every mask. */
  readonly areas: readonly number[];
}

/** The cells of masks: maps' pixels of at least one half. */
function cellsOf(maps: readonly Float32Array[], size: number): Cells {
  const cell = new Int32Array(size);
  let count = 1;
  let inside: number[][] = [];
  for (const map of maps) {
    const halves = new Int32Array(2 * count).fill(-1); // outside and inside
    let next = 0;
    for (let p = 0; p < size; p++) {
      const half = 2 * cell[p] + (map[p] >= 0.5 ? 1 : 0);
      if (halves[half] < 0) halves[half] = next++;
      cell[p] = halves[half];
    }
    const parts = (old: number) => [halves[2 * old], halves[2 * old + 1]];
    inside = inside.map((cells) =>
      cells.flatMap(parts).filter((part) => part >= 0)
    );
    inside.push([...halves].filter((part, i) => i % 2 === 1 && part >= 0));
    count = next;
  }
  const starts = new Int32Array(count + 1);
  for (let p = 0; p < size; p++) starts[cell[p] + 1]++;
  for (let c = 0; c < count; c++) starts[c + 1] += starts[c];
  const at = starts.slice();
  const pixels = new Int32Array(size);
  for (let p = 0; p < size; p++) pixels[at[cell[p]]++] = p;
  const areas = inside.map((cells) =>
    cells.reduce((sum, c) => sum + starts[c + 1] - starts[c], 0)
  );
  return { pixels, starts, inside, areas };
}

/** Sums of a map, the `i`th of a row-major list, over each cell. */
function sumCells(
  maps: Float32Array,
  i: number,
  { pixels, starts }: Cells,
): Float64Array {
  const sums = new Float64Array(starts.length - 1);
  const from = i * pixels.length;
  for (let c = 0; c < sums.length; c++) {
    const end = starts[c + 1];
    let k = starts[c];
    let a = 0, b = 0; // two sums at once: each addition waits for the one before
    for (; k + 1 < end; k += 2) {
      a += maps[from + pixels[k]];
      b += maps[from + pixels[k + 1]];
    }
    if (k < end) a += maps[from + pixels[k]];
    sums[c] = a + b;
  }
  return sums;
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
  const size = maps.length / n;
  const result = new Float64Array(n);
  if (choices.length === 0) return result;
  const cells = cellsOf(
    choices.flatMap(({ candidates }) =>
      candidates.map((map) => contiguous(map).data)
    ),
    size,
  );
  const scores = new Float64Array(cells.areas.length);
  for (let i = 0; i < n; i++) {
    const sums = sumCells(maps, i, cells);
    const total = sums.reduce((a, b) => a + b, 0);
    cells.inside.forEach((inside, k) => {
      let overlap = 0;
      for (const c of inside) overlap += sums[c];
      const dice = (2 * overlap + 1) / (total + cells.areas[k] + 1);
      scores[k] = sharpness * dice;
    });
    let first = 0;
    for (const { chosen, candidates, weight = 1 } of choices) {
      const shown = scores.subarray(first, first + candidates.length);
      result[i] += weight * (shown[chosen] - logSumExp(shown));
      first += candidates.length;
    }
  }
  return result;
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
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        if (!(map[y * side + x] >= 0.5)) continue;
        if (x < l) l = x;
        if (x > r) r = x;
        if (t > y) t = y;
        b = y;
      }
    }
    const area = (w: number, h: number) => Math.max(0, w) * Math.max(0, h);
    // edges half a pixel beyond the outermost centers, on either side
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
