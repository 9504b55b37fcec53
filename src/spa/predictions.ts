/**
 * The samples' predictions: what is clustered, recommended and kept.
 *
 * Variations join them: more hypotheses than the network was asked for. Four
 * means of 48 samples hide what the samples disagree about, and after a choice
 * the network's own samples soon look alike. So the samples' logits are taken as
 * a Gaussian of low rank (Monteiro et al., "Stochastic Segmentation Networks",
 * 2020), and new maps are drawn from it: the mean plus a random combination of
 * the samples' deviations. They cost no network.
 */

import * as tf from "../engine/tf.ts";
import { checkFinite } from "../engine/engine.ts";
import { jit } from "../engine/jit.ts";
import { free, type HostTensor } from "../engine/tensors.ts";
import type { Random } from "../random.ts";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Identity } from "./embedding.ts";
import type { Feedback } from "./feedback.ts";
import { feedbackLogLikelihood } from "./feedback_likelihood.ts";
import type { Frame } from "./frame.ts";
import { normalizeLogWeights } from "./mixture.ts";
import type { Latents } from "./sample_gmm.ts";

/** Standard deviation of the variations, relative to the samples' own. */
const WIDTH = 2;

/** Share of the Gaussian's weights that all samples have alike. */
const EVEN_SHARE = 0.5;

/** Probabilities are clipped to [CLIP, 1 - CLIP] before the logit. */
const CLIP = 0.005;

/** How the logits of variations are mixed from those of samples. */
interface Mixing {
  /** Row-major, [count, rows]; the samples' columns come first, the rest are 0. */
  readonly coefficients: Float32Array;
  /** Index of the sample with the largest |c_i|, [count]. */
  readonly parents: Int32Array;
}

/**
 * Draws how variations are mixed: mean + sum_i c_i (logit_i - mean) with normal
 * c_i, where the mean is a mixture of the samples as well.
 */
function drawMixing(
  shares: Float64Array,
  rows: number,
  count: number,
  random: Random,
): Mixing {
  const n = shares.length;
  const weights = shares.map((s) => (1 - EVEN_SHARE) * s + EVEN_SHARE / n);
  const coefficients = new Float32Array(count * rows);
  const parents = new Int32Array(count);
  for (let v = 0; v < count; v++) {
    const own = weights.map((w) => WIDTH * Math.sqrt(w) * random.normal());
    const ofMean = 1 - own.reduce((a, b) => a + b);
    coefficients.set(own.map((c, i) => c + ofMean * weights[i]), v * rows);
    const sizes = own.map(Math.abs);
    parents[v] = sizes.indexOf(Math.max(...sizes));
  }
  return { coefficients, parents };
}

/**
 * Mixes the logits of maps [rows, pixels] by [count, rows]; pixels where all
 * maps are certain of the same stay as they are.
 */
const mix = jit(
  ({ maps, mixing }: { maps: tf.Tensor2D; mixing: tf.Tensor2D }) => {
    const p = tf.clipByValue(maps, CLIP, 1 - CLIP);
    const logits = tf.log(tf.div(p, tf.sub(1, p)));
    const open = tf.logicalAnd(
      tf.greater(tf.max(maps, 0), CLIP),
      tf.less(tf.min(maps, 0), 1 - CLIP),
    );
    const variations = tf.where(
      open,
      tf.sigmoid(tf.matMul(mixing, logits)),
      tf.slice(maps, 0, 1),
    );
    const mean = tf.mean(maps, 0);
    const a = tf.sub(maps, mean), b = tf.sub(variations, mean);
    const products = (x: tf.Tensor, y: tf.Tensor) =>
      tf.matMul(x, y, false, true);
    return {
      variations,
      gram: { aa: products(a, a), ab: products(a, b), bb: products(b, b) },
    };
  },
  { name: "variations" },
);

/** Rows, pixels and variations of the program that is kept. */
let compiledFor = "";

/** Variations of n samples, and how alike they all are. */
export interface Variations {
  /** Probability maps, row-major, [count, pixels]. */
  readonly maps: Float32Array;
  /** Index of the sample whose own deviation is largest in each, [count]. */
  readonly parents: Int32Array;
  /**
   * Gram matrix of the samples, then the variations, less one map that is the
   * same for all: [n + count, n + count].
   */
  readonly gram: Float64Array;
}

/**
 * The Gram matrix of n of the samples, then all variations, from its parts: the
 * samples with themselves [rows, rows], with the variations [rows, count], and
 * those with themselves [count, count].
 */
function joinGram(
  { aa, ab, bb }: Record<"aa" | "ab" | "bb", HostTensor>,
  n: number,
): Float64Array {
  const [rows, count] = ab.shape;
  const size = n + count;
  const gram = new Float64Array(size * size);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) gram[i * size + j] = aa.data[i * rows + j];
    for (let v = 0; v < count; v++) {
      const value = ab.data[i * count + v];
      gram[i * size + n + v] = gram[(n + v) * size + i] = value;
    }
  }
  for (let v = 0; v < count; v++) {
    const row = bb.data.subarray(v * count, (v + 1) * count);
    gram.set(row, (n + v) * size + n);
  }
  return gram;
}

/**
 * Draws variations of samples.
 *
 * @param maps The samples, row-major, [n, pixels], probabilities.
 * @param shares Weight of each sample, [n], summing to 1.
 * @param count Variations to draw, at least one.
 * @param random Stream of the coefficients.
 * @param rows What the samples are padded to, at least n, so that one compiled
 * program serves any number of them.
 */
export async function drawVariations(
  maps: Float32Array,
  shares: Float64Array,
  count: number,
  random: Random,
  rows: number = shares.length,
): Promise<Variations> {
  const n = shares.length;
  const size = maps.length / n;
  const padded = new Float32Array(rows * size);
  padded.set(maps);
  for (let i = n; i < rows; i++) padded.copyWithin(i * size, 0, size);
  const { coefficients, parents } = drawMixing(shares, rows, count, random);
  const shape = `${rows} ${size} ${count}`;
  if (shape !== compiledFor) mix.release(); // one program is kept
  compiledFor = shape;
  const { variations, gram } = await mix({
    maps: { data: padded, shape: [rows, size], owned: true },
    mixing: { data: coefficients, shape: [count, rows] },
  });
  checkFinite("draw variations", variations.data);
  return {
    maps: variations.data as Float32Array,
    parents,
    gram: joinGram(gram, n),
  };
}

/**
 * Predicted masks of one iteration, n in all: the N fresh ones first, then
 * those kept from the last choice, then variations of both.
 */
export interface Predictions {
  /**
   * Probability maps y_n at the decoder's resolution, [n, m, m], in 0..1; m is 64
   * for `tiny` and 128 for `small`.
   */
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
export type KeptSamples =
  & Pick<Predictions, "probabilities" | "components">
  & {
    /** The weight of each, in that of all fresh samples. Default: 8 fresh ones'. */
    readonly weight?: number;
  };

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
  kept: Samples & Pick<KeptSamples, "weight">,
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
  const keptWeight = kept.weight ?? KEPT_WEIGHT / N;
  const prior = [...weights, ...new Array(n - N).fill(keptWeight)];
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
