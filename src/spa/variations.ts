/**
 * Variations of samples: more hypotheses than the network was asked for.
 *
 * Four means of 48 samples hide what the samples disagree about, and after a
 * choice the network's own samples soon look alike. So the samples' logits are
 * taken as a Gaussian of low rank (Monteiro et al., "Stochastic Segmentation
 * Networks", 2020), and new maps are drawn from it: the mean plus a random
 * combination of the samples' deviations. They cost no network.
 */

import * as tf from "../engine/tf.ts";
import { checkFinite } from "../engine/engine.ts";
import { jit } from "../engine/jit.ts";
import type { HostTensor } from "../engine/tensors.ts";
import type { Random } from "../random.ts";

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
