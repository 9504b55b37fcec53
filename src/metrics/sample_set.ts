// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { assign } from "./_assign.ts";
import { scorePairs } from "./_masks.ts";
import { dice, iou } from "./overlap.ts";
import { InputError } from "../input_error.ts";

/** A list of masks, all of the same shape; anything but 0 is inside. */
export type Masks = readonly NdArray<Uint8Array>[];

/**
 * The squared generalized energy distance between a set of samples and a set of
 * annotations, 2 E d(S, Y) - E d(S, S') - E d(Y, Y') with d = 1 - IoU, each
 * expectation over all pairs, a mask with itself included (Kohl et al., "A
 * Probabilistic U-Net for Segmentation of Ambiguous Images", 2018).
 *
 * @param samples At least one mask.
 * @param annotations At least one mask, of the same shape.
 * @returns 0 (the sets agree) to 2.
 * @throws {RangeError} When a list is empty or shapes differ.
 */
export function generalizedEnergyDistance(
  samples: Masks,
  annotations: Masks,
): number {
  const distance = (ones: Masks, others: Masks) => {
    const name = "the generalized energy distance";
    const scores = scorePairs(name, ones, others, iou);
    return 1 - scores.reduce((sum, score) => sum + score, 0) / scores.length;
  };
  return 2 * distance(samples, annotations) - distance(samples, samples) -
    distance(annotations, annotations);
}

/**
 * Dice_max both ways: how well the best sample meets each annotation, and how
 * well the best annotation meets each sample (Wu et al., "Diversified and
 * Personalized Multi-rater Medical Image Segmentation", 2024).
 *
 * @param samples At least one mask.
 * @param annotations At least one mask, of the same shape.
 * @returns `ofAnnotations`: the mean over annotations of the best Dice among
 * the samples (is every opinion found?); `ofSamples`: the mean over samples of
 * the best Dice among the annotations (is every sample somebody's opinion?);
 * 0..1 each.
 * @throws {RangeError} When a list is empty or shapes differ.
 */
export function diceMax(
  samples: Masks,
  annotations: Masks,
): { ofAnnotations: number; ofSamples: number } {
  const scores = scorePairs("Dice_max", samples, annotations, dice);
  const rows = samples.length;
  const columns = annotations.length;
  const bestOfRow = new Float64Array(rows);
  const bestOfColumn = new Float64Array(columns);
  scores.forEach((score, i) => {
    const row = Math.floor(i / columns);
    const column = i % columns;
    bestOfRow[row] = Math.max(bestOfRow[row], score);
    bestOfColumn[column] = Math.max(bestOfColumn[column], score);
  });
  const mean = (values: Float64Array) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return { ofAnnotations: mean(bestOfColumn), ofSamples: mean(bestOfRow) };
}

/**
 * Hungarian-matched Dice: the mean Dice over the one-to-one matching of samples
 * and annotations that maximizes it. Where their numbers differ, both sets are
 * repeated up to the least common multiple first (Kohl et al., "A Hierarchical
 * Probabilistic U-Net for Modeling Multi-Scale Ambiguities", 2019, with Dice in
 * the place of IoU), so that every mask weighs the same.
 *
 * @param samples At least one mask.
 * @param annotations At least one mask, of the same shape.
 * @returns 0..1.
 * @throws {RangeError} When a list is empty, shapes differ, or the multiple exceeds 4096.
 */
export function hungarianMatchedDice(
  samples: Masks,
  annotations: Masks,
): number {
  const scores = scorePairs(
    "Hungarian-matched Dice",
    samples,
    annotations,
    dice,
  );
  const rows = samples.length;
  const columns = annotations.length;
  let count = rows;
  while (count % columns !== 0) count += rows;
  if (count > 4096) {
    throw new InputError(
      `Cannot compute Hungarian-matched Dice as the least common multiple of samples and annotations must be at most 4096: current value is ${count}`,
    );
  }
  const score = (row: number, column: number) =>
    scores[(row % rows) * columns + column % columns];
  const columnOf = assign(count, (row, column) => 1 - score(row, column));
  let sum = 0;
  columnOf.forEach((column, row) => sum += score(row, column));
  return sum / count;
}

/**
 * Sample spread: the mean over pixels of the standard deviation over samples
 * (of the population: divided by N). 0 means that all samples look alike, the
 * failure to watch for at every iteration.
 *
 * @param probabilities [N, H, W], values 0..1, N at least 1.
 * @returns 0..0.5.
 * @throws {RangeError} When the shape is not [N, H, W] with N, H, W >= 1.
 */
export function sampleSpread(probabilities: NdArray<Float32Array>): number {
  const { shape } = probabilities;
  if (shape.length !== 3 || shape.some((side) => side === 0)) {
    throw new InputError(
      `Cannot compute sample spread as the shape must be [N, H, W], not empty: current value is [${shape}]`,
    );
  }
  const [count, height, width] = shape;
  const { data } = contiguous(probabilities);
  const pixels = height * width;
  let total = 0;
  for (let i = 0; i < pixels; i++) {
    let mean = 0;
    for (let n = 0; n < count; n++) mean += data[n * pixels + i];
    mean /= count;
    let variance = 0;
    for (let n = 0; n < count; n++) {
      variance += (data[n * pixels + i] - mean) ** 2;
    }
    total += Math.sqrt(variance / count);
  }
  return total / pixels;
}
