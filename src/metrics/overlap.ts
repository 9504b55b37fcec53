// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { InputError } from "../input_error.ts";

/** Refuses two arrays of different shapes, naming both. */
export function checkSameShape(
  metric: string,
  one: { shape: readonly number[] },
  other: { shape: readonly number[] },
): void {
  const same = one.shape.length === other.shape.length &&
    one.shape.every((side, axis) => side === other.shape[axis]);
  if (!same) {
    throw new InputError(
      `Cannot compute ${metric} as both arrays must have the same shape: current value is [${one.shape}] and [${other.shape}]`,
    );
  }
}

/** How many pixels are in the first mask, in the second, and in both. */
export function countOverlap(
  metric: string,
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
): { one: number; other: number; both: number } {
  checkSameShape(metric, one, other);
  const a = contiguous(one).data;
  const b = contiguous(other).data;
  const counts = { one: 0, other: 0, both: 0 };
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== 0) {
      counts.one++;
      if (b[i] !== 0) counts.both++;
    }
    if (b[i] !== 0) counts.other++;
  }
  return counts;
}

/** A score for every sample (row) with every annotation (column), row-major. */
export function scorePairs(
  metric: string,
  samples: readonly NdArray<Uint8Array>[],
  annotations: readonly NdArray<Uint8Array>[],
  score: (one: NdArray<Uint8Array>, other: NdArray<Uint8Array>) => number,
): Float64Array {
  for (const [name, list] of Object.entries({ samples, annotations })) {
    if (list.length === 0) {
      throw new InputError(
        `Cannot compute ${metric} as ${name} must hold at least one mask: current value is []`,
      );
    }
  }
  const columns = annotations.map((annotation) => contiguous(annotation));
  const scores = new Float64Array(samples.length * columns.length);
  samples.forEach((sample, row) => {
    const mask = contiguous(sample);
    columns.forEach((column, k) => {
      scores[row * columns.length + k] = score(mask, column);
    });
  });
  return scores;
}

/**
 * The Dice coefficient 2 |A and B| / (|A| + |B|) (Dice 1945); two empty masks
 * score 1, as they agree (medpy divides 0 by 0 there).
 *
 * @param one A mask of any shape; anything but 0 is inside.
 * @param other A mask of the same shape.
 * @returns 0 (disjoint) to 1 (equal).
 * @throws {RangeError} When the shapes differ.
 *
 * @example Two pixels and one of them
 * ```ts
 * import ndarray from "ndarray";
 * import { dice } from "@spa-seg/spa/evaluate";
 *
 * const one = ndarray(Uint8Array.of(1, 1, 0), [1, 3]);
 * const other = ndarray(Uint8Array.of(0, 1, 0), [1, 3]);
 * dice(one, other); // 2 / 3
 * ```
 */
export function dice(
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
): number {
  const counts = countOverlap("Dice", one, other);
  const total = counts.one + counts.other;
  return total === 0 ? 1 : 2 * counts.both / total;
}

/**
 * Intersection over union |A and B| / |A or B| (Jaccard 1912); two empty masks
 * score 1.
 *
 * @param one A mask of any shape; anything but 0 is inside.
 * @param other A mask of the same shape.
 * @returns 0 (disjoint) to 1 (equal).
 * @throws {RangeError} When the shapes differ.
 */
export function iou(
  one: NdArray<Uint8Array>,
  other: NdArray<Uint8Array>,
): number {
  const counts = countOverlap("IoU", one, other);
  const union = counts.one + counts.other - counts.both;
  return union === 0 ? 1 : counts.both / union;
}

/** The thresholds of {@linkcode diceSoft}, as in the QUBIQ challenge. */
const THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * Dice of two soft maps, Dice_soft: the mean, over the thresholds 0.1, 0.2 ..
 * 0.9 of the QUBIQ challenge, of the Dice of what lies at or above the
 * threshold in each; 1 where both are empty.
 *
 * @param probability Predicted probabilities, 0..1.
 * @param target The share of raters who include each pixel, 0..1, of the same
 * shape: see {@linkcode meanMask}.
 * @returns 0..1.
 * @throws {RangeError} When the shapes differ.
 */
export function diceSoft(
  probability: NdArray<Float32Array>,
  target: NdArray<Float32Array>,
): number {
  checkSameShape("soft Dice", probability, target);
  const a = contiguous(probability).data;
  const b = contiguous(target).data;
  let sum = 0;
  for (const threshold of THRESHOLDS) {
    const least = threshold - 1e-6; // 0.7 in a Float32Array reaches the threshold 0.7.
    let [both, total] = [0, 0];
    for (let i = 0; i < a.length; i++) {
      const inOne = a[i] >= least;
      const inOther = b[i] >= least;
      if (inOne && inOther) both++;
      total += Number(inOne) + Number(inOther);
    }
    sum += total === 0 ? 1 : 2 * both / total;
  }
  return sum / THRESHOLDS.length;
}

/**
 * The share of masks that include each pixel.
 *
 * @param masks At least one mask, all of the same shape; anything but 0 is inside.
 * @returns Values 0..1, of the masks' shape.
 * @throws {RangeError} When there is no mask, or the shapes differ.
 */
export function meanMask(
  masks: readonly NdArray<Uint8Array>[],
): NdArray<Float32Array> {
  if (masks.length === 0) {
    throw new InputError(
      "Cannot compute the mean mask as masks must hold at least one: current value is []",
    );
  }
  const counts = new Float32Array(masks[0].size);
  for (const mask of masks) {
    checkSameShape("the mean mask", masks[0], mask);
    const { data } = contiguous(mask);
    for (let i = 0; i < counts.length; i++) if (data[i] !== 0) counts[i]++;
  }
  return ndarray(counts.map((n) => n / masks.length), masks[0].shape.slice());
}
