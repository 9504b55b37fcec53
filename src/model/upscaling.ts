/** The mask decoder's last steps: upscaling twice, and a filter per sample. */

import * as tf from "../engine/tf.ts";
import { gelu } from "../engine/fused.ts";
import { lastUpscaling, type ModelConfig } from "./config.ts";
import { norm } from "./layers.ts";
import type { Weights } from "./weights.ts";

const NAME = "mask_decoder.output_upscaling";

/** A kernel [in, out, r, r] as a matrix [in, r * r * out], pixels first. */
function kernelMatrix(kernel: tf.Tensor): tf.Tensor {
  const inputs = kernel.shape[0];
  return tf.reshape(tf.transpose(kernel, [0, 2, 3, 1]), [inputs, -1]);
}

/**
 * The first of two transposed convolutions whose stride is their kernel's side.
 * The windows do not overlap, so each is one matrix product, and the pixels stay
 * in block order (those of each embedding cell, coarse to fine) until the
 * one-channel logits are put in place. The images' detail features, if any, are
 * added.
 *
 * @returns [S * n, 4 * c1].
 */
function upscaleFirst(
  weights: Weights,
  config: ModelConfig,
  image: tf.Tensor,
  detail?: tf.Tensor,
): tf.Tensor {
  const [S, n] = image.shape;
  const width = 4 * config.decoder.upscaling[0];
  const product = tf.matMul(
    tf.reshape(image, [S * n!, config.channels]),
    kernelMatrix(weights[`${NAME}.0.weight`]),
  );
  const bias = tf.tile(weights[`${NAME}.0.bias`], [4]);
  if (!detail) return tf.add(product, bias);
  // the bias joins what all samples share: one pass less over theirs
  const B = detail.shape[0];
  const shared = tf.reshape(tf.add(detail, bias), [B, 1, n!, width]);
  const sum = tf.add(tf.reshape(product, [B, S / B, n!, width]), shared);
  return tf.reshape(sum, [S * n!, width]);
}

/** SAM's second step: normalized, GELU, upscaled, GELU: [S, n * 16, c2]. */
function upscaleSecond(
  weights: Weights,
  config: ModelConfig,
  first: tf.Tensor,
  S: number,
): tf.Tensor {
  const [c1, c2] = config.decoder.upscaling;
  const normed = norm(weights, `${NAME}.1`, tf.reshape(first, [-1, c1]));
  const x = gelu(tf.add(
    tf.matMul(gelu(normed), kernelMatrix(weights[`${NAME}.3.weight`])),
    tf.tile(weights[`${NAME}.3.bias`], [4]),
  )); // [S * n * 4, 4 * c2]
  return tf.reshape(x, [S, -1, c2]);
}

/**
 * SAM's upscaling by four.
 *
 * @param image [S, n, L].
 * @returns Pixels in block order, [S, n * 16, c].
 */
export function upscaledPixels(
  weights: Weights,
  config: ModelConfig,
  image: tf.Tensor,
): tf.Tensor {
  const first = upscaleFirst(weights, config, image);
  return upscaleSecond(weights, config, first, image.shape[0]);
}

/**
 * Upscales by four and applies each sample's filter.
 *
 * @param image [S, n, L].
 * @param filter The hypernetwork's filter of each sample, [S, c].
 * @param detail The images' detail features, [B, n, 4 * c1], if any.
 * @returns Logits in block order, [S, n * 4 * r * r], r the second factor.
 */
export function upscale(
  weights: Weights,
  config: ModelConfig,
  image: tf.Tensor,
  filter: tf.Tensor,
  detail?: tf.Tensor,
): tf.Tensor {
  const [S, n] = image.shape;
  const { upscaling: [c1, c2], plainUpscaling } = config.decoder;
  const last = lastUpscaling(config) ** 2;

  let x = upscaleFirst(weights, config, image, detail);
  if (!plainUpscaling) {
    const pixels = upscaleSecond(weights, config, x, S);
    const logits = tf.matMul(pixels, tf.expandDims(filter, 2));
    return tf.reshape(logits, [S, -1]);
  }
  x = tf.reshape(tf.relu(x), [S, n! * 4, c1]);
  // (x W) f = x (W f): the second step and the filter in one
  const second = kernelMatrix(weights[`${NAME}.3.weight`]);
  const rows = tf.transpose(tf.reshape(second, [c1 * last, c2]));
  const merged = tf.reshape(tf.matMul(filter, rows), [S, c1, last]);
  const secondBias = tf.reshape(weights[`${NAME}.3.bias`], [c2, 1]);
  const logits = tf.reshape(tf.matMul(x, merged), [S, -1]);
  return tf.add(logits, tf.matMul(filter, secondBias));
}

/**
 * Logits in block order to their places, [S, m, m].
 *
 * @param logits [S, n * 4 * r * r].
 * @param h Side of the embedding's grid.
 * @param r Factor of the second upscaling.
 */
export function placeBlocks(
  logits: tf.Tensor,
  h: number,
  r: number,
): tf.Tensor {
  const S = logits.shape[0];
  const blocks = tf.reshape(logits, [S * h, h, 2, 2, r * r]);
  // [S * h, x, dy, dx, dy2, dx2] with one axis folded, as tfjs stops at rank 6
  const coarse = tf.reshape(
    tf.transpose(blocks, [0, 2, 1, 3, 4]),
    [S * h * 2, h * 2, r, r],
  );
  const side = 2 * r * h;
  return tf.reshape(tf.transpose(coarse, [0, 2, 1, 3]), [S, side, side]);
}
