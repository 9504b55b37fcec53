/**
 * Variations of samples: more hypotheses than the network was asked for.
 *
 * Four means of 48 samples hide what the samples disagree about, and after a
 * choice the network's own samples soon look alike. So the samples' logits are
 * taken as a Gaussian of low rank (Monteiro et al., "Stochastic Segmentation
 * Networks", 2020), and new maps are drawn from it: the mean plus a random
 * combination of the samples' deviations. They cost no network.
 */

import type { Random } from "../random.ts";
import { clippedLogit } from "./feedback.ts";
import { pixelRange } from "./pixel_range.ts";

/** Standard deviation of the variations, relative to the samples' own. */
const WIDTH = 2;

/** Share of the Gaussian's weights that all samples have alike. */
const EVEN_SHARE = 0.5;

/** Probabilities are clipped to [CLIP, 1 - CLIP] before the logit. */
const CLIP = 0.005;

/** Variations and, for each, the sample that weighs most in it. */
export interface Variations {
  /** Probability maps, row-major, [count, pixels]. */
  readonly maps: Float32Array;
  /** Index of the sample with the largest coefficient, [count]. */
  readonly parents: Int32Array;
}

/** Pixels where not all samples are certain of the same. */
function openPixels(maps: Float32Array, n: number): number[] {
  const { low, high } = pixelRange(maps, n);
  const pixels: number[] = [];
  for (let p = 0; p < low.length; p++) {
    if (high[p] > CLIP && low[p] < 1 - CLIP) pixels.push(p);
  }
  return pixels;
}

/** Adds coefficients times rows to `sum`, four rows at a time. */
function addRows(
  sum: Float32Array,
  rows: Float32Array,
  coefficients: Float64Array,
) {
  const width = sum.length;
  const n = coefficients.length;
  for (let i = 0; i < n; i += 4) {
    const [r0, r1, r2, r3] = [0, 1, 2, 3].map((k) =>
      rows.subarray(Math.min(i + k, n - 1) * width)
    );
    const [c0, c1, c2, c3] = [0, 1, 2, 3].map((k) => coefficients[i + k] ?? 0);
    for (let k = 0; k < width; k++) {
      sum[k] += c0 * r0[k] + c1 * r1[k] + c2 * r2[k] + c3 * r3[k];
    }
  }
}

/**
 * Draws variations of samples.
 *
 * @param maps The samples, row-major, [n, pixels], probabilities.
 * @param shares Weight of each sample, [n], summing to 1.
 * @param count Variations to draw.
 * @param random Stream of the coefficients.
 */
export function drawVariations(
  maps: Float32Array,
  shares: Float64Array,
  count: number,
  random: Random,
): Variations {
  const n = shares.length;
  const size = maps.length / n;
  const pixels = openPixels(maps, n);
  const width = pixels.length;
  const weights = shares.map((s) => (1 - EVEN_SHARE) * s + EVEN_SHARE / n);

  const deviations = new Float32Array(n * width); // logits, then less their mean
  const mean = new Float32Array(width);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < width; k++) {
      const value = clippedLogit(maps[i * size + pixels[k]], CLIP);
      deviations[i * width + k] = value;
      mean[k] += weights[i] * value;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < width; k++) deviations[i * width + k] -= mean[k];
  }

  const result = new Float32Array(count * size);
  const parents = new Int32Array(count);
  const logits = new Float32Array(width);
  for (let v = 0; v < count; v++) {
    logits.set(mean);
    const coefficients = weights.map((weight) =>
      WIDTH * Math.sqrt(weight) * random.normal()
    );
    addRows(logits, deviations, coefficients);
    const sizes = coefficients.map(Math.abs);
    parents[v] = sizes.indexOf(Math.max(...sizes));
    const map = result.subarray(v * size, (v + 1) * size);
    map.set(maps.subarray(0, size)); // where all samples agree
    pixels.forEach((p, k) => map[p] = 1 / (1 + Math.exp(-logits[k])));
  }
  return { maps: result, parents };
}
