/** The samples' predictions: what is clustered, recommended and kept. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { free } from "../engine/tensors.ts";
import type { Identity } from "./embedding.ts";
import type { Feedback } from "./feedback.ts";
import { feedbackLogLikelihood } from "./feedback_likelihood.ts";
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
   * is that of the sample whose deviation has the largest part in it.
   */
  readonly components: Int32Array;
  /** Share of each sample in the proposal, [n], summing to 1. */
  readonly shares: Float64Array;
  /** The fresh samples' latents: those of the first predictions. */
  readonly latents: Latents;
  /** Places of the image, the region and the network's square. */
  readonly frame: Frame;
  /** The embedding they are of; absent where another method made them. */
  readonly identity?: Identity;
  /** Digest of the preference that the samples were drawn from. */
  readonly state?: string;
  /** The image, [H, W, C], 0..1, where it is known: for figures. */
  readonly image?: NdArray<Float32Array>;
}

/** Samples of a chosen cluster, n of them, kept for the next proposal. */
export type KeptSamples = Pick<Predictions, "probabilities" | "components">;

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

/** The first of some samples, by their indices: what is kept of a chosen cluster. */
export function keepSamples(
  { maps, components }: Samples,
  members: readonly number[],
): Samples {
  const staying = members.slice(0, MOST_KEPT);
  const size = maps.length / components.length;
  const kept = new Float32Array(staying.length * size);
  staying.forEach((i, k) =>
    kept.set(maps.subarray(i * size, (i + 1) * size), k * size)
  );
  return { maps: kept, components: staying.map((i) => components[i]) };
}

/** Shares in proportion to prior weights times likelihoods, [n]. */
function sharesOf(prior: number[], logLikelihood: readonly number[]) {
  const log = prior.map((weight, i) => Math.log(weight) + logLikelihood[i]);
  return normalizeLogWeights(Float64Array.from(log)).map(Math.exp);
}

/**
 * What is clustered: fresh samples, those kept from the chosen clusters, and
 * variations of both; each weighed by its prior weight times the likelihood of
 * all the feedback so far, so that no choice is forgotten.
 *
 * @param fresh The fresh samples, [N].
 * @param weights Their prior weights, [N], summing to 1.
 * @param kept The samples kept from earlier iterations.
 * @param feedback What the user said so far.
 * @param count Variations to draw.
 * @param random Stream of the variations.
 * @returns The fresh samples, then the kept ones, then the variations.
 */
export async function weighSamples(
  fresh: Samples,
  weights: Float64Array,
  kept: Samples,
  feedback: Feedback,
  count: number,
  random: Random,
): Promise<WeightedSamples> {
  const N = weights.length, n = N + kept.components.length;
  const size = fresh.maps.length / N;
  const maps = new Float32Array((n + count) * size);
  maps.set(fresh.maps);
  maps.set(kept.maps, N * size);
  const decoded = maps.subarray(0, n * size);
  const components = Int32Array.from([
    ...Array.from(fresh.components),
    ...Array.from(kept.components),
  ]);
  const prior = [...weights, ...new Array(n - N).fill(KEPT_WEIGHT / N)];
  const likelihood = [...feedbackLogLikelihood(decoded, n, feedback)];
  const shares = sharesOf(prior, likelihood);
  if (count === 0) return { maps, components, shares };
  const { maps: drawn, parents, gram } = await drawVariations(
    decoded,
    shares,
    count,
    random,
    Math.max(n, N + MOST_KEPT),
  );
  maps.set(drawn, n * size);
  free(drawn);
  const varied = maps.subarray(n * size);
  return {
    maps,
    components: Int32Array.from([
      ...components,
      ...Array.from(parents, (i) => components[i]),
    ]),
    shares: sharesOf(
      [...prior, ...new Array(count).fill(VARIATION_WEIGHT / N)],
      [...likelihood, ...feedbackLogLikelihood(varied, count, feedback)],
    ),
    gram,
  };
}
