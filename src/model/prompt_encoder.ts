/**
 * The prompt encoder: points, boxes and masks to embeddings (SAM's
 * `PromptEncoder`), and the block that mixes them with the image.
 */

import * as tf from "../engine/tf.ts";
import { gelu } from "../engine/fused.ts";
import { embeddingSide, MASK_CHANNELS, type ModelConfig } from "./config.ts";
import {
  convolutionBlock,
  linear,
  norm,
  project,
  spaceToBlocks,
  transformerBlock,
} from "./layers.ts";
import type { Weights } from "./weights.ts";

/** Labels of a prompt slot, SAM's, and one more for a slot nobody fills. */
export const PointLabel = {
  empty: -2,
  padding: -1,
  negative: 0,
  positive: 1,
  boxTopLeft: 2,
  boxBottomRight: 3,
} as const;

/** Prompts as tensors. T is the number of slots, h4 = 4h. */
export interface PromptInputs {
  /** Pixel coordinates (x, y) in the S x S frame, [B, T, 2]. */
  readonly points: tf.Tensor;
  /** A `PointLabel` for each slot, [B, T]. */
  readonly labels: tf.Tensor;
  /** The mask prompt, [B, h4, h4, MASK_CHANNELS]; zeros where there is none. */
  readonly mask: tf.Tensor;
  /** Clicks as a map of signed bumps, [B, h4, h4, 1]. */
  readonly clicks: tf.Tensor;
  /** 1 where there is a mask prompt, else 0, [B]. */
  readonly hasMask: tf.Tensor;
}

/** Embedded prompts. */
export interface Prompts {
  /** One token per slot, [B, T, L]. */
  readonly sparse: tf.Tensor;
  /** 1 where a slot is filled, else 0, [B, T]. */
  readonly filled: tf.Tensor;
  /** The mask prompt at the embedding's resolution, [B, h * h, L]. */
  readonly dense: tf.Tensor;
}

/** Logits of the chosen mask per unit of the mask prompt's first channel. */
export const CHOICE_SCALE = 4;

/** 1 where `labels` equals `label`, else 0. */
function is(labels: tf.Tensor, label: number): tf.Tensor {
  return tf.cast(tf.equal(labels, label), "float32");
}

/**
 * Random Fourier features of positions in 0..1 (SAM's
 * `PositionEmbeddingRandom`): [..., 2] to [..., L].
 */
function encodePositions(weights: Weights, positions: tf.Tensor): tf.Tensor {
  const matrix =
    weights["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"];
  const rows = tf.reshape(tf.sub(tf.mul(positions, 2), 1), [-1, 2]);
  const phases = tf.mul(tf.matMul(rows, matrix), 2 * Math.PI);
  return tf.reshape(
    tf.concat([tf.sin(phases), tf.cos(phases)], 1),
    [...positions.shape.slice(0, -1), 2 * matrix.shape[1]!],
  );
}

/** The positional encoding of the image embedding's grid, [h * h, L]. */
export function gridPositions(
  weights: Weights,
  config: ModelConfig,
): tf.Tensor {
  const h = embeddingSide(config);
  const centers = new Float32Array(h * h * 2);
  for (let i = 0; i < h * h; i++) {
    centers[2 * i] = (i % h + 0.5) / h;
    centers[2 * i + 1] = (Math.floor(i / h) + 0.5) / h;
  }
  return encodePositions(weights, tf.tensor(centers, [h * h, 2]));
}

/** Embeds points and box corners: [B, T, 2] and [B, T] to [B, T, L]. */
function embedPoints(
  weights: Weights,
  config: ModelConfig,
  points: tf.Tensor,
  labels: tf.Tensor,
): tf.Tensor {
  const real = tf.cast(tf.greaterEqual(labels, 0), "float32");
  const centered = tf.div(tf.add(points, 0.5), config.imageSize);
  let sparse: tf.Tensor = tf.mul(
    encodePositions(weights, centered),
    tf.expandDims(real, 2),
  );
  const embeddings: [number, string][] = [
    [PointLabel.padding, "not_a_point_embed"],
    ...[0, 1, 2, 3].map((i): [number, string] => [i, `point_embeddings.${i}`]),
  ];
  for (const [label, name] of embeddings) {
    const chosen = tf.expandDims(is(labels, label), 2); // [B, T, 1]
    const embedding = weights[`prompt_encoder.${name}.weight`]; // [1, L]
    sparse = tf.add(sparse, tf.mul(chosen, embedding));
  }
  return sparse;
}

/** Embeds the mask prompt: [B, 4h, 4h, C] to [B, h * h, L]. */
function embedMask(weights: Weights, mask: tf.Tensor): tf.Tensor {
  const name = "prompt_encoder.mask_downscaling";
  let x = mask;
  for (const [convolution, normalization] of [[0, 1], [3, 4]]) {
    const blocks = spaceToBlocks(x, 2); // [B, H/2, W/2, C, 4]
    const kernel = weights[`${name}.${convolution}.weight`];
    x = project(
      tf.reshape(blocks, [...blocks.shape.slice(0, 3), -1]),
      tf.reshape(kernel, [kernel.shape[0], -1]),
      weights[`${name}.${convolution}.bias`],
    );
    x = gelu(norm(weights, `${name}.${normalization}`, x));
  }
  const [B, h, w] = x.shape;
  x = project(x, weights[`${name}.6.weight`], weights[`${name}.6.bias`]);
  return tf.reshape(x, [B, h * w, -1]);
}

/** Prompts as segment-anything knows them: those of SPA without its maps. */
export type MaskPromptInputs = Omit<PromptInputs, "clicks">;

/** Embeds points and boxes sparsely and a mask densely (SAM's own part). */
export function encodeMaskPrompts(
  weights: Weights,
  config: ModelConfig,
  { points, labels, mask, hasMask }: MaskPromptInputs,
): Prompts {
  const has = tf.reshape(hasMask, [mask.shape[0], 1, 1]);
  const noMask = weights["prompt_encoder.no_mask_embed.weight"]; // [1, L]
  return {
    sparse: embedPoints(weights, config, points, labels),
    filled: tf.cast(tf.greater(labels, PointLabel.empty), "float32"),
    dense: tf.add(
      tf.mul(has, embedMask(weights, mask)),
      tf.mul(tf.sub(1, has), noMask),
    ),
  };
}

/**
 * Embeds feedback: points and boxes sparsely, masks and clicks densely. SAM's
 * mask prompt is the chosen mask's logits; the other maps join by a layer
 * beside it.
 */
export function encodePrompts(
  weights: Weights,
  config: ModelConfig,
  { clicks, ...inputs }: PromptInputs,
): Prompts {
  const { mask } = inputs;
  const B = mask.shape[0];
  const h = embeddingSide(config);
  const cells = (maps: tf.Tensor) =>
    tf.reshape(spaceToBlocks(maps, 4), [B, h * h, 16 * maps.shape[3]!]);
  if (config.sam) {
    const [choice, others] = tf.split(mask, [1, MASK_CHANNELS - 1], 3);
    const logits = tf.mul(choice, CHOICE_SCALE);
    const prompts = encodeMaskPrompts(weights, config, {
      ...inputs,
      mask: logits,
    });
    const maps = cells(tf.concat([others, clicks], 3));
    const ofMaps = linear(weights, "feedback_encoder.maps", maps);
    return { ...prompts, dense: tf.add(prompts.dense, ofMaps) };
  }
  const prompts = encodeMaskPrompts(weights, config, inputs);
  const ofClicks = linear(weights, "prompt_encoder.click_map", cells(clicks));
  return { ...prompts, dense: tf.add(prompts.dense, ofClicks) };
}

/** The image in the light of the feedback: once per iteration, not per sample. */
export interface FeedbackEmbedding {
  /** Image and feedback mixed, [B, h * h, L]. */
  readonly image: tf.Tensor;
  /** What the decoder adds to every fused sample, [B, h * h, L]. */
  readonly base: tf.Tensor;
  /** The feedback pooled for the preference generator, [B, 4L]. */
  readonly pooled: tf.Tensor;
}

/**
 * Mixes the image embedding with the embedded feedback.
 *
 * @param weights The network's weights.
 * @param config The network's config.
 * @param embedding Image embedding e_x, [B, h, h, L].
 * @param prompts Embedded prompts of the same images.
 */
export function encodeFeedback(
  weights: Weights,
  config: ModelConfig,
  embedding: tf.Tensor,
  prompts: Prompts,
): FeedbackEmbedding {
  const L = config.channels;
  const [B, n] = prompts.dense.shape;
  const h = embeddingSide(config);
  const { depth, heads, mixing } = config.feedback;
  const plain = tf.add(tf.reshape(embedding, [B, n, L]), prompts.dense);
  let grid: tf.Tensor = tf.reshape(plain, [B, h, h, L]);
  mixing?.dilations.forEach((dilation, i) => {
    const name = `feedback_encoder.mixing.${i}`;
    grid = convolutionBlock(weights, name, grid, dilation);
  });
  let image: tf.Tensor = tf.reshape(grid, [B, n, L]);
  for (let i = 0; i < depth; i++) {
    const name = `feedback_encoder.blocks.${i}`;
    image = transformerBlock(weights, name, image, heads);
  }
  image = norm(weights, "feedback_encoder.norm", image);

  const scores = project(image, weights["feedback_encoder.pool.weight"]);
  const attention = tf.softmax(tf.reshape(scores, [B, 1, n]));
  const filled = tf.expandDims(prompts.filled, 1); // [B, 1, T]
  const clicks = tf.div(
    tf.matMul(filled, prompts.sparse),
    tf.maximum(tf.sum(filled, 2, true), 1),
  );
  const pooled = tf.concat([
    tf.reshape(tf.matMul(attention, image), [B, L]),
    tf.reshape(clicks, [B, L]),
    tf.mean(image, 1),
    tf.mean(prompts.dense, 1),
  ], 1);
  // SAM's decoder gets the inputs that it was trained on
  const base = config.sam ? plain : tf.add(image, prompts.dense);
  return { image, base, pooled };
}
