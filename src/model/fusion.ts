/** Fusion of the image with latent preferences (SPA, section 3; `method.md`, 2). */

import * as tf from "@tensorflow/tfjs";
import type { ModelConfig } from "./config.ts";
import { linear, project } from "./layers.ts";
import type { Weights } from "./weights.ts";

/**
 * Three (1 x 1 convolution, ReLU) layers over [e_x ; z_n], for every sample.
 * The first layer is linear before its ReLU, so W_x e_x is computed once per
 * image and W_z z_n once per sample: the concatenation is never built.
 *
 * @param image Image embedding, [B, h * h, L].
 * @param latents Latent preferences z, [B, N, d].
 * @returns One embedding per sample, [B * N, h * h, L].
 */
export function fuseLatents(
  weights: Weights,
  config: ModelConfig,
  image: tf.Tensor,
  latents: tf.Tensor,
): tf.Tensor {
  const { channels: L, latentChannels: d } = config;
  const [B, n] = image.shape;
  const N = latents.shape[1]!;
  const matrix = weights["fusion.layers.0.weight"]; // [L, L + d]
  const ofImage = project(image, tf.slice(matrix, [0, 0], [L, L]));
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
