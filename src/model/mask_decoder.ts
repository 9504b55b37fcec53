/**
 * The mask decoder: SAM's two-way transformer, upscaling and hypernetwork
 * (`MaskDecoder`, `TwoWayTransformer`), for all samples in one batch.
 */

import * as tf from "@tensorflow/tfjs";
import { embeddingSide, maskTokens, type ModelConfig } from "./config.ts";
import { fuseLatents } from "./fusion.ts";
import { linear, mlp } from "./layers.ts";
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

/** The hypernetwork's filter of mask token `index`, [S, c]. */
function maskFilter(
  weights: Weights,
  config: ModelConfig,
  tokens: tf.Tensor,
  index: number,
): tf.Tensor {
  const [S, , L] = tokens.shape as [number, number, number];
  const at = config.sam ? index + 1 : index;
  const output = tf.reshape(tf.slice(tokens, [0, at, 0], [S, 1, L]), [S, L]);
  return mlp(
    weights,
    `mask_decoder.output_hypernetworks_mlps.${index}`,
    output,
  );
}

/** What plain SAM predicts of B images. */
export interface SamPrediction {
  /** Mask logits of all mask tokens, [B, 4, 4h, 4h]. */
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
  );
  const masks = maskTokens(config);
  const filters = tf.stack(
    Array.from(
      { length: masks },
      (_, i) => maskFilter(weights, config, decoded.tokens, i),
    ),
    1,
  ); // [B, 4, c]
  const pixels = upscaledPixels(weights, config, decoded.image);
  const logits = tf.matMul(filters, pixels, false, true); // [B, 4, 16 h²]
  const placed = placeBlocks(tf.reshape(logits, [B * masks, 16 * h * h]), h);
  const iouToken = tf.slice(decoded.tokens, [0, 0, 0], [B, 1, L]);
  return {
    logits: tf.reshape(placed, [B, masks, 4 * h, 4 * h]),
    iou: mlp(
      weights,
      "mask_decoder.iou_prediction_head",
      tf.reshape(iouToken, [B, L]),
    ),
  };
}

/**
 * Decodes every sample to mask logits.
 *
 * @param feedback The image mixed with the feedback.
 * @param prompts Embedded prompts of the same images.
 * @param latents Latent preferences z, [B, N, d].
 * @param choice Clipped logits of the chosen mask, [B, 4h, 4h].
 * @param hasMask 1 where there is a choice, else 0, [B].
 * @param shares Weight of each sample in the mean, summing to 1, [B, N].
 * @param detail The images' detail features, if the config has any.
 * @returns Mask logits, [B, N, 4h, 4h].
 */
export function decodeMasks(
  weights: Weights,
  config: ModelConfig,
  feedback: FeedbackEmbedding,
  prompts: Prompts,
  latents: tf.Tensor,
  choice: tf.Tensor,
  hasMask: tf.Tensor,
  shares: tf.Tensor,
  detail?: tf.Tensor,
): tf.Tensor {
  const { channels: L } = config;
  const h = embeddingSide(config);
  const n = h * h;
  const [B, N] = latents.shape;
  const S = B * N!;
  const T = prompts.sparse.shape[1]!;

  const fused = fuseLatents(weights, config, feedback.image, latents);
  const image = tf.reshape(
    tf.add(
      tf.reshape(fused, [B, N!, n, L]),
      tf.expandDims(feedback.base, 1),
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
    perSample(prompts.sparse, T, L),
  ], 1); // [S, O + 1 + T, L]
  const filled = tf.reshape(perSample(prompts.filled, T, 1), [S, T]);

  const decoded = twoWayTransformer(
    weights,
    config,
    image,
    gridPositions(weights, config),
    tokens,
    tokenMask(O + 1, filled),
  );
  const filter = maskFilter(weights, config, decoded.tokens, 0);
  const logits = upscale(weights, config, decoded.image, filter, detail);
  return keepChoice(
    weights,
    tf.reshape(placeBlocks(logits, h), [B, N!, 16 * n]),
    tf.reshape(choice, [B, 1, 16 * n]),
    tf.reshape(hasMask, [B, 1, 1]),
    tf.reshape(shares, [B, 1, N!]),
    [B, N!, 4 * h, 4 * h],
  );
}

/**
 * Moves the samples' mean logit towards the chosen mask, by a learned share,
 * so that the next proposal varies around the choice instead of forgetting a
 * part of it.
 */
function keepChoice(
  weights: Weights,
  logits: tf.Tensor,
  choice: tf.Tensor,
  hasMask: tf.Tensor,
  shares: tf.Tensor,
  shape: number[],
): tf.Tensor {
  const share = tf.mul(
    tf.sigmoid(weights["mask_decoder.keep_choice"]),
    hasMask,
  ); // [B, 1, 1]
  const offset = tf.sub(choice, tf.matMul(shares, logits));
  return tf.reshape(tf.add(logits, tf.mul(share, offset)), shape);
}
