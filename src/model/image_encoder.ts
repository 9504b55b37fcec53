/**
 * The image encoder: a Vision Transformer with SAM's neck
 * (Kirillov et al., "Segment Anything", 2023; `ImageEncoderViT`), or TinyViT.
 */

import * as tf from "../engine/tf.ts";
import { gelu } from "../engine/fused.ts";
import {
  embeddingSide,
  isTinyVit,
  type ModelConfig,
  type SamConfig,
  type TinyVitConfig,
  type VitConfig,
} from "./config.ts";
import {
  convolve3x3,
  linear,
  mlp,
  norm,
  project,
  spaceToBlocks,
  transformerBlock,
} from "./layers.ts";
import {
  attentionSquare,
  resizeAbsolutePositions,
  samBlock,
} from "./sam_attention.ts";
import { type FrozenFeatures, tinyVit } from "./tiny_vit.ts";
import type { Weights } from "./weights.ts";

/** What the decoder needs of an image; B images. */
export interface EncodedImage {
  /** Image embedding e_x, [B, h, h, L]. */
  readonly embedding: tf.Tensor;
  /**
   * Detail features at twice the resolution, in the decoder's block order,
   * [B, h * h, 4 * c1], c1 the channels after the first upscaling; absent where
   * the config has none.
   */
  readonly detail?: tf.Tensor;
}

/** Pixels of every cell of the grid side by side: [B, 2h, 2h, c] to [B, h * h, 4c]. */
function joinCells(x: tf.Tensor): tf.Tensor {
  const [B, height, width, c] = x.shape;
  const cells = tf.transpose(spaceToBlocks(x, 2), [0, 1, 2, 4, 3]);
  return tf.reshape(cells, [B, height * width! / 4, 4 * c!]);
}

/**
 * The detail path's features: a small convolutional network on half patches,
 * and on what else is known of each, [B, 2h, 2h, c].
 */
function detailFeatures(
  weights: Weights,
  config: ModelConfig,
  pixels: tf.Tensor,
  known?: tf.Tensor,
): tf.Tensor {
  const B = pixels.shape[0];
  const h = embeddingSide(config);
  const side = config.patchSize / 2;
  const name = "image_encoder.detail";
  const blocks = spaceToBlocks(pixels, side); // [B, 2h, 2h, 3, (P/2)²]
  let x = tf.reshape(blocks, [B, 2 * h, 2 * h, 3 * side * side]);
  if (known) x = tf.concat([known, x], 3);
  const local = gelu(linear(weights, `${name}.0`, x));
  return gelu(convolve3x3(local, weights[`${name}.1.weight`]));
}

/**
 * The features of a frozen encoder, each channel standardized by the stored mean
 * and deviation.
 *
 * @param weights The network's weights.
 * @param config The network's config, of a TinyViT encoder without `sam`.
 * @param pixels Normalized images, [B, S, S, 3].
 */
export function frozenFeatures(
  weights: Weights,
  config: ModelConfig,
  pixels: tf.Tensor,
): FrozenFeatures {
  const { embedding, finer } = tinyVit(weights, config, pixels);
  const standardized = (name: string, x: tf.Tensor) =>
    tf.div(
      tf.sub(x, weights[`image_encoder.features.${name}.mean`]),
      weights[`image_encoder.features.${name}.deviation`],
    );
  return {
    embedding: standardized("embedding", embedding),
    finer: standardized("finer", finer),
  };
}

/**
 * Takes an image and its frozen embedding to what the decoder needs, by the
 * trunk. The embedding is all that trained layers need of an image beside its
 * pixels, so that it may be kept instead of computed again.
 *
 * @param weights The network's weights; those of the frozen encoder are not
 * used.
 * @param config The network's config, of a TinyViT encoder without `sam`.
 * @param embedding That of `frozenFeatures`.
 * @param pixels The same images, normalized, [B, S, S, 3].
 */
export function adaptFeatures(
  weights: Weights,
  config: ModelConfig,
  embedding: tf.Tensor,
  pixels: tf.Tensor,
): EncodedImage {
  const { trunk } = config.encoder as TinyVitConfig;
  const start = "image_encoder.trunk";
  return encodeByVit(weights, config, trunk!, pixels, start, embedding);
}

/**
 * Encodes images.
 *
 * @param weights The network's weights.
 * @param config The network's config.
 * @param pixels Normalized images, [B, S, S, 3].
 * @returns The image embeddings.
 */
export function encodeImage(
  weights: Weights,
  config: ModelConfig,
  pixels: tf.Tensor,
): EncodedImage {
  if (!isTinyVit(config.encoder)) {
    return encodeByVit(weights, config, config.encoder, pixels);
  }
  if (config.sam) {
    return { embedding: tinyVit(weights, config, pixels).embedding };
  }
  const { embedding } = frozenFeatures(weights, config, pixels);
  return adaptFeatures(weights, config, embedding, pixels);
}

/**
 * Encodes images with a Vision Transformer.
 *
 * @param start Beginning of its weights' names.
 * @param known What is known of every half patch, [B, 2h, 2h, c].
 */
function encodeByVit(
  weights: Weights,
  config: ModelConfig,
  encoder: VitConfig,
  pixels: tf.Tensor,
  start = "image_encoder",
  known?: tf.Tensor,
): EncodedImage {
  const { channels: E, depth, heads } = encoder;
  const { sam } = config;
  const B = pixels.shape[0];
  const h = embeddingSide(config);
  const side = config.patchSize;

  const patches = spaceToBlocks(pixels, side); // [B, h, h, 3, P²]
  let x = project(
    tf.reshape(patches, [B, h, h, 3 * side * side]),
    tf.reshape(weights[`${start}.patch_embed.proj.weight`], [E, -1]),
    weights[`${start}.patch_embed.proj.bias`],
  ); // [B, h, h, E]
  const positions = weights[`${start}.pos_embed`];
  x = tf.add(x, resizeAbsolutePositions(positions, h));
  if (typeof sam === "object") {
    const blocks = samBlocks(weights, encoder, sam, x);
    return { embedding: neck(weights, start, blocks) };
  }
  x = tf.reshape(x, [B, h * h, E]);
  let detail: tf.Tensor | undefined;
  if (config.decoder.detailChannels > 0) {
    const features = detailFeatures(weights, config, pixels, known);
    const name = "image_encoder.detail";
    x = tf.add(x, linear(weights, `${name}.to_patch`, joinCells(features)));
    detail = joinCells(linear(weights, `${name}.2`, features));
  }
  for (let i = 0; i < depth; i++) {
    const name = `${start}.blocks.${i}`;
    x = transformerBlock(weights, name, x, heads);
    const adapter = `${name}.adapter`; // of the baseline of that name
    if (`${adapter}.layers.0.weight` in weights) {
      x = tf.add(x, mlp(weights, adapter, x));
    }
  }
  const grid = tf.reshape(x, [B, h, h, E]);
  return { embedding: neck(weights, start, grid), detail };
}

/** SAM's blocks, [B, h, h, E]: windows, and some over the whole grid. */
function samBlocks(
  weights: Weights,
  encoder: VitConfig,
  { window, globalBlocks, positionSide }: SamConfig,
  x: tf.Tensor,
): tf.Tensor {
  const windows = attentionSquare(window, 2 * window - 1);
  const grid = attentionSquare(x.shape[1]!, 2 * positionSide - 1);
  for (let i = 0; i < encoder.depth; i++) {
    const square = globalBlocks.includes(i) ? grid : windows;
    const name = `image_encoder.blocks.${i}`;
    x = samBlock(weights, name, x, encoder.heads, square);
  }
  return x;
}

/** The neck: the encoder's channels to the embedding's, [B, h, h, L]. */
function neck(weights: Weights, start: string, x: tf.Tensor): tf.Tensor {
  x = project(x, weights[`${start}.neck.0.weight`]);
  x = norm(weights, `${start}.neck.1`, x);
  x = convolve3x3(x, weights[`${start}.neck.2.weight`]);
  return norm(weights, `${start}.neck.3`, x);
}
