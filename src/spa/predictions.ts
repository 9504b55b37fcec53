/** The samples' predictions: what is clustered, recommended and kept. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Choice } from "./feedback.ts";
import type { Frame } from "./frame.ts";
import { normalizeLogWeights } from "./mixture.ts";
import type { Random } from "../random.ts";
import type { Latents } from "./sample_gmm.ts";
import { drawVariations } from "./variations.ts";

/**
 * Predicted masks of one iteration, n in all: the N fresh ones first, then
 * those kept from the last choice, then variations of both.
 */
export interface Predictions {
  /** Probability maps y_n at the decoder's resolution, [n, 4h, 4h], in 0..1. */
  readonly probabilities: NdArray<Float32Array>;
  /**
   * Component m_n each sample was drawn from, [n], in 0 .. M - 1; a variation's
   * is that of the sample from which it deviates most.
   */
  readonly components: Int32Array;
  /** Share of each sample in the proposal, [n], summing to 1. */
  readonly shares: Float64Array;
  /** The fresh samples' latents: those of the first predictions. */
  readonly latents: Latents;
  /** Place of the image in the network's square. */
  readonly frame: Frame;
  /** The image, [H, W, C], 0..1, where it is known: for figures. */
  readonly image?: NdArray<Float32Array>;
}

/** Samples of a chosen cluster, n of them, kept for the next proposal. */
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

/** Maps with the components they came from. */
export interface Samples {
  /** Probability maps, row-major, [n, pixels]. */
  readonly maps: Float32Array;
  /** Component of each map, [n]. */
  readonly components: ArrayLike<number>;
}

/** Samples as they are clustered: see `Predictions`. */
export interface WeightedSamples
  extends Samples, Pick<Predictions, "components" | "shares"> {
  readonly components: Int32Array;
  /** The maps' Gram matrix, [n, n], where there are variations. */
  readonly gram?: Float64Array;
}

/** Samples kept from one iteration to the next, at most. */
export const MOST_KEPT = 48;

/** Weight of a kept sample and of a variation; a fresh sample has 1. */
const KEPT_WEIGHT = 8, VARIATION_WEIGHT = 0.2;

/** Joins lists of samples into one. */
function joinSamples(lists: readonly Samples[]): Samples {
  const maps = new Float32Array(
    lists.reduce((sum, list) => sum + list.maps.length, 0),
  );
  let offset = 0;
  for (const list of lists) {
    maps.set(list.maps, offset);
    offset += list.maps.length;
  }
  return { maps, components: lists.flatMap((l) => Array.from(l.components)) };
}

/**
 * What is clustered: fresh samples, those kept from the chosen clusters, and
 * variations of both; each weighed by its prior weight times the likelihood of
 * the choices so far.
 *
 * @param fresh The fresh samples, [N].
 * @param weights Their prior weights, [N], summing to 1.
 * @param kept The samples kept from earlier iterations.
 * @param choices The choices so far, oldest first.
 * @param count Variations to draw.
 * @param random Stream of the variations.
 * @returns The fresh samples, then the kept ones, then the variations.
 */
export async function weighSamples(
  fresh: Samples,
  weights: Float64Array,
  kept: Samples,
  choices: readonly Choice[],
  count: number,
  random: Random,
): Promise<WeightedSamples> {
  const N = weights.length;
  const decoded = joinSamples([fresh, kept]);
  const n = decoded.components.length;
  const prior = new Float64Array(n + count)
    .fill(KEPT_WEIGHT / N, N, n)
    .fill(VARIATION_WEIGHT / N, n);
  prior.set(weights);
  const likelihood = new Float64Array(n + count);
  const sharesOf = (end: number) =>
    normalizeLogWeights(
      prior.subarray(0, end).map((w, i) => Math.log(w) + likelihood[i]),
    ).map(Math.exp);

  likelihood.set(choiceLogLikelihood(decoded.maps, n, choices));
  if (count === 0) {
    const components = Int32Array.from(decoded.components);
    return { maps: decoded.maps, components, shares: sharesOf(n) };
  }
  const { maps, parents, gram } = await drawVariations(
    decoded.maps,
    sharesOf(n),
    count,
    random,
    Math.max(n, N + MOST_KEPT),
  );
  likelihood.set(choiceLogLikelihood(maps, count, choices), n);
  const components = Array.from(parents, (i) => decoded.components[i]);
  const all = joinSamples([decoded, { maps, components }]);
  return {
    maps: all.maps,
    components: Int32Array.from(all.components),
    shares: sharesOf(n + count),
    gram,
  };
}
