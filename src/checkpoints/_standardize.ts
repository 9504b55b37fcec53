/** Statistics of a frozen encoder's features, by which they are standardized. */

import * as tf from "../engine/tf.ts";
import { jit } from "../engine/jit.ts";
import type { HostTensor } from "../engine/tensors.ts";
import { phantom } from "../phantoms/phantom.ts";
import type { Model } from "../model/model.ts";
import { normalizePixels } from "../model/normalize.ts";
import { tinyVit } from "../model/tiny_vit.ts";
import type { HostWeights, Weights } from "../model/weights.ts";

/** Phantoms that are measured, two of each kind. */
const KINDS = ["fundus", "nodule", "kidney"] as const;
const SEEDS = [1, 2];

/** Channels that never change keep this deviation. */
const LEAST_DEVIATION = 0.005;

/** The least side of a phantom. */
const LEAST_SIDE = 32;

/**
 * Measures mean and deviation of every channel of the frozen features. Phantoms
 * do: their deviations lie within a quarter of those of CT, ultrasound, MR and
 * microscopy for four fifths of LiteMedSAM's channels, and the trained layers
 * above take up the rest.
 *
 * @param model A model with a TinyViT encoder.
 * @returns `image_encoder.features.*`, by name.
 */
export async function measureFeatures(model: Model): Promise<HostWeights> {
  const { config } = model;
  const S = config.imageSize;
  const measure = jit(
    ({ weights, image }: { weights: Weights; image: tf.Tensor }) => {
      const size = tf.tensor1d([S, S]);
      const pixels = normalizePixels(config, image, size);
      const features = tinyVit(weights, config, pixels);
      const sums = (x: tf.Tensor) => {
        const rows = tf.reshape(x, [-1, x.shape[3]!]);
        return { mean: tf.mean(rows, 0), square: tf.mean(tf.square(rows), 0) };
      };
      return {
        embedding: sums(features.embedding),
        finer: sums(features.finer),
      };
    },
    { name: "measure features" },
  );
  const weights = await model.deviceWeights();
  const images = KINDS.flatMap((kind) =>
    SEEDS.map((seed) =>
      phantom({ kind, seed, size: Math.max(S, LEAST_SIDE) }).image
    )
  );
  const measured: Awaited<ReturnType<typeof measure>>[] = [];
  for (const { data, shape } of images) {
    const [side, , channels] = shape;
    const image = new Float32Array(S * S * 3);
    for (let i = 0; i < S * S; i++) {
      const at = Math.floor(i / S) * side + i % S;
      for (let c = 0; c < 3; c++) {
        image[3 * i + c] = data[at * channels + c % channels];
      }
    }
    measured.push(
      await measure({ weights, image: { data: image, shape: [1, S, S, 3] } }),
    );
  }
  measure.release();
  const statistics = new Map<string, HostTensor & { data: Float32Array }>();
  for (const name of ["embedding", "finer"] as const) {
    const channels = measured[0][name].mean.data.length;
    const average = (part: "mean" | "square", c: number) =>
      measured.reduce((sum, of) => sum + of[name][part].data[c], 0) /
      measured.length;
    const mean = new Float32Array(channels);
    const deviation = new Float32Array(channels);
    for (let c = 0; c < channels; c++) {
      mean[c] = average("mean", c);
      const variance = average("square", c) - mean[c] ** 2;
      deviation[c] = Math.max(
        LEAST_DEVIATION,
        Math.sqrt(Math.max(0, variance)),
      );
    }
    const start = `image_encoder.features.${name}`;
    statistics.set(`${start}.mean`, { data: mean, shape: [channels] });
    statistics.set(`${start}.deviation`, {
      data: deviation,
      shape: [channels],
    });
  }
  return statistics;
}
