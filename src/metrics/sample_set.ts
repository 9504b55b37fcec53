// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { checkSameShape, dice, iou, scorePairs } from "./overlap.ts";
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

/**
 * The one-to-one assignment of rows to columns of least total cost (the
 * Hungarian method by shortest augmenting paths, cubic in `count`).
 *
 * @param count How many rows, and columns.
 * @param cost What it costs to give a row a column.
 * @returns The column of every row.
 */
export function assign(
  count: number,
  cost: (row: number, column: number) => number,
): Int32Array {
  // Index 0 of rows and columns is a sentinel; the others count from 1.
  const rowPotential = new Float64Array(count + 1);
  const columnPotential = new Float64Array(count + 1);
  const rowOf = new Int32Array(count + 1);
  const previous = new Int32Array(count + 1);
  for (let row = 1; row <= count; row++) {
    rowOf[0] = row;
    const slack = new Float64Array(count + 1).fill(Infinity);
    const visited = new Uint8Array(count + 1);
    let column = 0;
    do {
      visited[column] = 1;
      const current = rowOf[column];
      let least = Infinity;
      let next = 0;
      for (let j = 1; j <= count; j++) {
        if (visited[j]) continue;
        const reduced = cost(current - 1, j - 1) - rowPotential[current] -
          columnPotential[j];
        if (reduced < slack[j]) {
          slack[j] = reduced;
          previous[j] = column;
        }
        if (slack[j] < least) {
          least = slack[j];
          next = j;
        }
      }
      for (let j = 0; j <= count; j++) {
        if (visited[j]) {
          rowPotential[rowOf[j]] += least;
          columnPotential[j] -= least;
        } else slack[j] -= least;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      rowOf[column] = rowOf[previous[column]];
      column = previous[column];
    }
  }
  const columnOf = new Int32Array(count);
  for (let j = 1; j <= count; j++) columnOf[rowOf[j] - 1] = j - 1;
  return columnOf;
}

/**
 * Expected calibration error of foreground probabilities: pixels fall into
 * equally wide bins by their probability (the upper one on an edge), and the
 * result is the mean over pixels of their bin's |mean probability - share of
 * pixels inside the mask| (Guo et al., "On Calibration of Modern Neural
 * Networks", 2017, there of the predicted class's confidence).
 *
 * @param probability Predicted probabilities, 0..1, of any shape: one map or, as [N, H, W], many.
 * @param mask Of the same shape; anything but 0 is inside.
 * @param options.bins How many bins. Default: 10.
 * @returns 0 (calibrated) to 1.
 * @throws {RangeError} When the shapes differ or are empty, a probability is not in 0..1, or bins is not a whole number of at least 1.
 */
export function expectedCalibrationError(
  probability: NdArray<Float32Array>,
  mask: NdArray<Uint8Array>,
  { bins = 10 }: { bins?: number } = {},
): number {
  const name = "the expected calibration error";
  checkSameShape(name, probability, mask);
  if (!Number.isInteger(bins) || bins < 1) {
    throw new InputError(
      `Cannot compute ${name} as bins must be a whole number >= 1: current value is ${bins}`,
    );
  }
  if (probability.size === 0) {
    throw new InputError(
      `Cannot compute ${name} as the arrays must not be empty: current value is [${probability.shape}]`,
    );
  }
  const p = contiguous(probability).data;
  const y = contiguous(mask).data;
  const surplus = new Float64Array(bins); // sum of probability - label
  for (let i = 0; i < p.length; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) {
      throw new InputError(
        `Cannot compute ${name} as probabilities must be in 0..1: current value is ${
          p[i]
        }`,
      );
    }
    const bin = Math.min(Math.floor(p[i] * bins), bins - 1);
    surplus[bin] += p[i] - (y[i] !== 0 ? 1 : 0);
  }
  // A bin's share times its gap is its surplus over all pixels.
  return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / p.length;
}
