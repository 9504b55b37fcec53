/** The samples' predictions: what is clustered, recommended and kept. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Choice } from "./feedback.ts";
import type { Frame } from "./frame.ts";
import { normalizeLogWeights } from "./mixture.ts";
import type { Latents } from "./sample_gmm.ts";

/** Predicted masks of one iteration, fresh ones and those kept from earlier. */
export interface Predictions {
  /** Probability maps y_n at the decoder's resolution, [N, 4h, 4h], in 0..1. */
  readonly probabilities: NdArray<Float32Array>;
  /** Component m_n each sample was drawn from, [N]. */
  readonly components: Int32Array;
  /** Share of each sample in the proposal, [N], summing to 1. */
  readonly shares: Float64Array;
  /** The fresh samples' latents: those of the first predictions. */
  readonly latents: Latents;
  /** Place of the image in the network's square. */
  readonly frame: Frame;
  /** The image, [H, W, C], 0..1, where it is known: for figures. */
  readonly image?: NdArray<Float32Array>;
}

/** Samples of a chosen cluster, kept for the next proposal. */
export type KeptSamples = Pick<Predictions, "probabilities" | "components">;

/**
 * How sharply a user is taken to tell candidates apart: the chance of picking
 * candidate k is proportional to exp(SHARPNESS * Dice).
 */
export const CHOICE_SHARPNESS = 100;

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

/**
 * Log-likelihood of the user's choices so far, if a sample were what the user
 * has in mind: each choice is the softmax of the Dice between the sample and
 * the candidates that were shown. It makes samples that contradict an earlier
 * choice count for less, so that no choice is forgotten.
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
  const result = new Float64Array(n);
  const size = maps.length / n;
  const shown = choices.map(({ candidates }) =>
    candidates.map(({ data }) => pixelsOf(data as Float32Array))
  );
  for (let i = 0; i < n; i++) {
    const map = maps.subarray(i * size, (i + 1) * size);
    let total = 0;
    for (let p = 0; p < size; p++) total += map[p];
    choices.forEach(({ chosen }, t) => {
      const scores = shown[t].map((pixels) =>
        sharpness * softDice(map, total, pixels)
      );
      const largest = Math.max(...scores);
      const sum = scores.reduce((s, v) => s + Math.exp(v - largest), 0);
      result[i] += scores[chosen] - largest - Math.log(sum);
    });
  }
  return result;
}

/**
 * Shares of samples in a proposal: their prior weights times the likelihood of
 * the choices so far, normalised.
 *
 * @param maps Samples, row-major, [n, pixels].
 * @param prior Weight of each sample before the choices, [n].
 */
export function choiceShares(
  maps: Float32Array,
  prior: Float64Array,
  choices: readonly Choice[],
): Float64Array {
  const likelihood = choiceLogLikelihood(maps, prior.length, choices);
  return normalizeLogWeights(
    prior.map((weight, i) => Math.log(weight) + likelihood[i]),
  ).map(Math.exp);
}
