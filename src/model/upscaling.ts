/** The mask decoder's last steps: upscaling by four, and a filter per sample. */

import * as tf from "@tensorflow/tfjs";
import { gelu } from "../engine/fused.ts";
import type { ModelConfig } from "./config.ts";
import { norm } from "./layers.ts";
import type { Weights } from "./weights.ts";

/** A kernel [in, out, 2, 2] as a matrix [in, 4 * out], pixels first. */
function kernelMatrix(kernel: tf.Tensor): tf.Tensor {
  const [inputs, outputs] = kernel.shape;
  return tf.reshape(
    tf.transpose(kernel, [0, 2, 3, 1]),
    [inputs, 4 * outputs!],
  );
}

/**
 * Upscales by four with two 2 x 2 transposed convolutions of stride 2 and
 * applies each sample's filter. The convolutions' windows do not overlap, so
 * each is one matrix product, and the pixels stay in block order (4 x 4 pixels
 * of each embedding cell, coarse to fine) until the one-channel logits are put
 * in place.
 *
 * @param image [S, n, L].
 * @param filter The hypernetwork's filter of each sample, [S, c].
 * @param detail The images' detail features, [B, n, 4 * c1], if any.
 * @returns Logits in block order, [S, n * 16].
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
  const name = "mask_decoder.output_upscaling";
  const second = weights[`${name}.3.weight`]; // [c1, c2, 2, 2]
  const secondBias = weights[`${name}.3.bias`]; // [c2]

  let x: tf.Tensor = tf.add(
    tf.matMul(
      tf.reshape(image, [S * n, config.channels]),
      kernelMatrix(weights[`${name}.0.weight`]),
    ),
    tf.tile(weights[`${name}.0.bias`], [4]),
  ); // [S * n, 4 * c1]
  if (detail) {
    const B = detail.shape[0];
    x = tf.add(
      tf.reshape(x, [B, S / B, n, 4 * c1]),
      tf.reshape(detail, [B, 1, n, 4 * c1]),
    );
  }
  if (plainUpscaling) {
    x = tf.reshape(tf.relu(x), [S, n * 4, c1]);
    // (x W) f = x (W f): the second step and the filter in one
    const rows = tf.transpose(
      tf.reshape(kernelMatrix(second), [c1 * 4, c2]),
    ); // [c2, c1 * 4]
    const merged = tf.reshape(tf.matMul(filter, rows), [S, c1, 4]);
    const bias = tf.matMul(filter, tf.reshape(secondBias, [c2, 1]));
    const logits = tf.reshape(tf.matMul(x, merged), [S, n * 16]);
    return tf.add(logits, bias);
  }
  x = tf.reshape(x, [S * n * 4, c1]);
  x = gelu(norm(weights, `${name}.1`, x));
  x = gelu(tf.add(
    tf.matMul(x, kernelMatrix(second)),
    tf.tile(secondBias, [4]),
  )); // [S * n * 4, 4 * c2]
  const pixels = tf.reshape(x, [S, n * 16, c2]);
  const logits = tf.matMul(pixels, tf.expandDims(filter, 2));
  return tf.reshape(logits, [S, n * 16]);
}

/** Logits in block order, [S, n * 16], to their places, [S, 4h, 4h]. */
export function placeBlocks(logits: tf.Tensor, h: number): tf.Tensor {
  const S = logits.shape[0];
  const blocks = tf.reshape(logits, [S * h, h, 2, 2, 2 * 2]);
  // [S * h, x, dy, dx, dy2, dx2] with one axis folded, as tfjs stops at rank 6
  const coarse = tf.reshape(
    tf.transpose(blocks, [0, 2, 1, 3, 4]),
    [S * h * 2, h * 2, 2, 2],
  );
  return tf.reshape(
    tf.transpose(coarse, [0, 2, 1, 3]),
    [S, 4 * h, 4 * h],
  );
}
