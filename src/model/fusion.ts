/** Fusion of the image with latent preferences (SPA, Zhu et al., ICCV 2025). */

import * as tf from "../engine/tf.ts";
import type { ModelConfig } from "./config.ts";
import { linear, project } from "./layers.ts";
import type { Weights } from "./weights.ts";

/**
 * The image's part of the first fusion layer, W_x e_x: the same for all samples
 * of an iteration, as the layer is linear before its ReLU. e_x is mixed with the
 * feedback beforehand, where the network does that: then it is of one iteration.
 *
 * @param image Image embedding, [B, h * h, L].
 * @returns [B, h * h, L].
 */
export function projectImage(
  weights: Weights,
  { channels: L }: ModelConfig,
  image: tf.Tensor,
): tf.Tensor {
  const matrix = weights["fusion.layers.0.weight"]; // [L, L + d]
  return project(image, tf.slice(matrix, [0, 0], [L, L]));
}

/**
 * Three (1 x 1 convolution, ReLU) layers over [e_x ; z_n], for every sample;
 * the concatenation is never built.
 *
 * @param ofImage W_x e_x of `projectImage`, [B, h * h, L].
 * @param latents Latent preferences z, [B, N, d].
 * @returns One embedding per sample, [B * N, h * h, L].
 */
export function fuseLatents(
  weights: Weights,
  config: ModelConfig,
  ofImage: tf.Tensor,
  latents: tf.Tensor,
): tf.Tensor {
  const { channels: L, latentChannels: d } = config;
  const [B, n] = ofImage.shape;
  const N = latents.shape[1]!;
  const matrix = weights["fusion.layers.0.weight"]; // [L, L + d]
  const ofLatent = project(
    latents,
    tf.slice(matrix, [0, L], [L, d]),
    weights["fusion.layers.0.bias"],
  );
  let x: tf.Tensor = tf.relu(tf.add(
    tf.reshape(ofImage, [B, 1, n, L]),
    tf.reshape(ofLatent, [B, N, 1, L]),
  ));
  x = tf.relu(linear(weights, "fusion.layers.1", x));
  x = tf.relu(linear(weights, "fusion.layers.2", x));
  return tf.reshape(x, [B * N, n, L]);
}
