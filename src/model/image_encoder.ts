/**
 * The image encoder: a Vision Transformer with SAM's neck
 * (Kirillov et al., "Segment Anything", 2023; `ImageEncoderViT`).
 */

import * as tf from "@tensorflow/tfjs";
import { embeddingSide, type ModelConfig } from "./config.ts";
import {
  convolve3x3,
  norm,
  project,
  spaceToBlocks,
  transformerBlock,
} from "./layers.ts";
import type { Weights } from "./weights.ts";

/**
 * Encodes images.
 *
 * @param weights The network's weights.
 * @param config The network's config.
 * @param pixels Normalised images, [B, S, S, 3].
 * @returns Image embeddings e_x, [B, h, h, L].
 */
export function encodeImage(
  weights: Weights,
  config: ModelConfig,
  pixels: tf.Tensor,
): tf.Tensor {
  const { channels: E, depth, heads } = config.encoder;
  const B = pixels.shape[0];
  const h = embeddingSide(config);
  const side = config.patchSize;

  const patches = spaceToBlocks(pixels, side); // [B, h, h, 3, P²]
  let x = project(
    tf.reshape(patches, [B, h, h, 3 * side * side]),
    tf.reshape(weights["image_encoder.patch_embed.proj.weight"], [E, -1]),
    weights["image_encoder.patch_embed.proj.bias"],
  ); // [B, h, h, E]
  x = tf.reshape(tf.add(x, weights["image_encoder.pos_embed"]), [B, h * h, E]);
  for (let i = 0; i < depth; i++) {
    x = transformerBlock(weights, `image_encoder.blocks.${i}`, x, heads);
  }
  x = tf.reshape(x, [B, h, h, E]);
  x = project(x, weights["image_encoder.neck.0.weight"]); // [B, h, h, L]
  x = norm(weights, "image_encoder.neck.1", x);
  x = convolve3x3(x, weights["image_encoder.neck.2.weight"]);
  return norm(weights, "image_encoder.neck.3", x);
}
