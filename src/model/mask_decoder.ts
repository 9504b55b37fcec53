/**
 * The mask decoder: the image's fusion with latent preferences (SPA, Zhu et al.,
 * ICCV 2025), then SAM's two-way transformer, upscaling and hypernetwork
 * (`MaskDecoder`, `TwoWayTransformer`), for many samples in one batch.
 */

import * as tf from "../engine/tf.ts";
import {
  embeddingSide,
  lastUpscaling,
  maskSide,
  maskTokens,
  type ModelConfig,
} from "./config.ts";
import { linear, mlp, project } from "./layers.ts";
import {
  type FeedbackEmbedding,
  gridPositions,
  type Prompts,
} from "./prompt_encoder.ts";
import { tokenMask, twoWayTransformer } from "./two_way_transformer.ts";
import { placeBlocks, upscale, upscaledPixels } from "./upscaling.ts";
import type { Weights } from "./weights.ts";

/** The learned tokens that become masks, after SAM's IoU token: [O, L]. */
function outputTokens(weights: Weights, config: ModelConfig): tf.Tensor {
  const masks = weights["mask_decoder.mask_tokens.weight"];
  if (!config.sam) return masks;
  return tf.concat([weights["mask_decoder.iou_token.weight"], masks], 0);
}

/** The hypernetwork's filter of mask token `index`, from the token: [S, L] to [S, c]. */
function maskFilter(weights: Weights, token: tf.Tensor, index: number) {
  const name = `mask_decoder.output_hypernetworks_mlps.${index}`;
  return mlp(weights, name, token);
}

/** What plain SAM predicts of B images. */
export interface SamPrediction {
  /** Mask logits of all mask tokens, [B, 4, m, m]. */
  readonly logits: tf.Tensor;
  /** The IoU that each is predicted to reach, [B, 4]. */
  readonly iou: tf.Tensor;
}

/**
 * Decodes prompts as plain SAM does: no latents, all mask tokens.
 *
 * @param embedding Image embedding, [B, h, h, L].
 * @param prompts Embedded prompts of the same images.
 */
export function predictSamMasks(
  weights: Weights,
  config: ModelConfig,
  embedding: tf.Tensor,
  prompts: Prompts,
): SamPrediction {
  const { channels: L } = config;
  const h = embeddingSide(config);
  const B = embedding.shape[0];
  const outputs = outputTokens(weights, config);
  const O = outputs.shape[0];
  const decoded = twoWayTransformer(
    weights,
    config,
    tf.add(tf.reshape(embedding, [B, h * h, L]), prompts.dense),
    gridPositions(weights, config),
    tf.concat([
      tf.tile(tf.reshape(outputs, [1, O, L]), [B, 1, 1]),
      prompts.sparse,
    ], 1),
    tokenMask(O, prompts.filled),
    [0, O],
  );
  const masks = maskTokens(config);
  const [iouToken, ...masksTokens] = tf.unstack(decoded.tokens, 1);
  const filters = tf.stack(
    masksTokens.map((token, i) => maskFilter(weights, token, i)),
    1,
  ); // [B, 4, c]
  const pixels = upscaledPixels(weights, config, decoded.image);
  const logits = tf.matMul(filters, pixels, false, true); // [B, 4, 16 h²]
  const side = maskSide(config);
  const blocks = tf.reshape(logits, [B * masks, side * side]);
  const placed = placeBlocks(blocks, h, lastUpscaling(config));
  return {
    logits: tf.reshape(placed, [B, masks, side, side]),
    iou: mlp(weights, "mask_decoder.iou_prediction_head", iouToken),
  };
}

/** What all samples of B images share. */
export interface SharedInputs {
  /** The image's part of the fusion, [B, n, L]. */
  readonly image: tf.Tensor;
  /** Added to every fused sample, [B, n, L]. */
  readonly base: tf.Tensor;
  /** The grid's positional encoding, [n, L]. */
  readonly positions: tf.Tensor;
  /** One token per prompt slot, [B, T, L]. */
  readonly sparse: tf.Tensor;
  /** 1 where a slot is filled, else 0, [B, T]. */
  readonly filled: tf.Tensor;
}

/**
 * Computes what all samples share.
 *
 * @param feedback The images mixed with the feedback.
 * @param prompts Embedded prompts of the same images.
 */
export function shareInputs(
  weights: Weights,
  config: ModelConfig,
  feedback: FeedbackEmbedding,
  { sparse, filled }: Prompts,
): SharedInputs {
  return {
    image: projectImage(weights, config, feedback.image),
    base: feedback.base,
    positions: gridPositions(weights, config),
    sparse,
    filled,
  };
}

/**
 * Decodes samples to mask logits, each by itself.
 *
 * @param shared What they share.
 * @param latents Latent preferences z, [B, N, d].
 * @param detail The images' detail features, if the config has any.
 * @returns Mask logits, [B, N, m * m].
 */
export function decodeSamples(
  weights: Weights,
  config: ModelConfig,
  shared: SharedInputs,
  latents: tf.Tensor,
  detail?: tf.Tensor,
): tf.Tensor {
  const { channels: L } = config;
  const h = embeddingSide(config);
  const n = h * h;
  const [B, N] = latents.shape;
  const S = B * N!;
  const T = shared.sparse.shape[1]!;

  const fused = fuseLatents(weights, config, shared.image, latents);
  const image = tf.reshape(
    tf.add(
      tf.reshape(fused, [B, N!, n, L]),
      tf.expandDims(shared.base, 1),
    ),
    [S, n, L],
  );

  const perSample = (x: tf.Tensor, rows: number, width: number) =>
    tf.reshape(
      tf.tile(tf.reshape(x, [B, 1, rows, width]), [1, N!, 1, 1]),
      [S, rows, width],
    );
  const outputs = outputTokens(weights, config);
  const O = outputs.shape[0];
  const tokens = tf.concat([
    tf.tile(tf.reshape(outputs, [1, O, L]), [S, 1, 1]),
    tf.reshape(linear(weights, "mask_decoder.latent_token", latents), [
      S,
      1,
      L,
    ]),
    perSample(shared.sparse, T, L),
  ], 1); // [S, O + 1 + T, L]
  const filled = tf.reshape(perSample(shared.filled, T, 1), [S, T]);

  const decoded = twoWayTransformer(
    weights,
    config,
    image,
    shared.positions,
    tokens,
    tokenMask(O + 1, filled),
    [config.sam ? 1 : 0, 1],
  );
  const filter = maskFilter(weights, tf.reshape(decoded.tokens, [S, L]), 0);
  const logits = upscale(weights, config, decoded.image, filter, detail);
  return tf.reshape(placeBlocks(logits, h, lastUpscaling(config)), [B, N!, -1]);
}

/**
 * Moves the samples' mean logit toward the chosen mask, by a learned share,
 * so that the next proposal varies around the choice instead of forgetting a
 * part of it.
 *
 * @param logits Mask logits of all samples, [B, N, m * m].
 * @param choice Clipped logits of the chosen mask, [B, m, m].
 * @param hasMask 1 where there is a choice, else 0, [B].
 * @param shares Weight of each sample in the mean, summing to 1, [B, N].
 * @returns Mask logits, [B, N, m, m].
 */
export function keepChoice(
  weights: Weights,
  logits: tf.Tensor,
  choice: tf.Tensor,
  hasMask: tf.Tensor,
  shares: tf.Tensor,
): tf.Tensor {
  const [B, N, area] = logits.shape as [number, number, number];
  const share = tf.mul(
    tf.sigmoid(weights["mask_decoder.keep_choice"]),
    tf.reshape(hasMask, [B, 1, 1]),
  );
  const mean = tf.matMul(tf.reshape(shares, [B, 1, N]), logits);
  const offset = tf.sub(tf.reshape(choice, [B, 1, area]), mean);
  return tf.reshape(
    tf.add(logits, tf.mul(share, offset)),
    [B, N, ...choice.shape.slice(1)],
  );
}

/** The inputs of decoding. */
export interface DecoderInputs {
  /** The image with the feedback in it. */
  readonly feedback: FeedbackEmbedding;
  /** The feedback as SAM's prompts. */
  readonly prompts: Prompts;
  /** z, [B, N, d]. */
  readonly latents: tf.Tensor;
  /** Logits of the map chosen last, [B, m, m]; 0 where there is none. */
  readonly choice: tf.Tensor;
  /** 1 where there is a choice, else 0, [B]. */
  readonly hasMask: tf.Tensor;
  /** Share of each sample in the mean, [B, N], summing to 1. */
  readonly shares: tf.Tensor;
  /** Detail features of the image, where the network has them. */
  readonly detail?: tf.Tensor;
}

/**
 * Decodes every sample to mask logits: `shareInputs`, `decodeSamples` and
 * `keepChoice` in one.
 *
 * @returns Mask logits, [B, N, m, m].
 */
export function decodeMasks(
  weights: Weights,
  config: ModelConfig,
  { feedback, prompts, latents, choice, hasMask, shares, detail }:
    DecoderInputs,
): tf.Tensor {
  const shared = shareInputs(weights, config, feedback, prompts);
  const logits = decodeSamples(weights, config, shared, latents, detail);
  return keepChoice(weights, logits, choice, hasMask, shares);
}

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
