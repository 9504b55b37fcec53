/** Layers that every part of the network shares; PyTorch's weight layouts. */

import * as tf from "../engine/tf.ts";
import { affine, gelu, layerNorm } from "../engine/fused.ts";
import type { Weights } from "./weights.ts";

/** A linear layer on the last axis: [..., in] to [..., out]. */
export function linear(
  weights: Weights,
  name: string,
  x: tf.Tensor,
): tf.Tensor {
  return project(x, weights[`${name}.weight`], weights[`${name}.bias`]);
}

/** `x` times a PyTorch matrix [out, in, 1 ...], plus a bias: [..., out]. */
export function project(
  x: tf.Tensor,
  matrix: tf.Tensor,
  bias?: tf.Tensor,
): tf.Tensor {
  const inputs = x.shape[x.shape.length - 1];
  const outputs = matrix.shape[0];
  const rows = tf.reshape(x, [-1, inputs]);
  const flat = tf.reshape(matrix, [outputs, inputs]);
  const y = bias
    ? affine(rows, flat, bias)
    : tf.matMul(rows, flat, false, true);
  return tf.reshape(y, [...x.shape.slice(0, -1), outputs]);
}

/** Layer normalization over the last axis. SAM's LayerNorm2d is the same. */
export function norm(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  epsilon = 1e-6,
): tf.Tensor {
  const gamma = weights[`${name}.weight`];
  return layerNorm(x, gamma, weights[`${name}.bias`], epsilon);
}

/** A stack of linear layers with ReLU between them (SAM's `MLP`). */
export function mlp(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  for (let i = 0;; i++) {
    x = linear(weights, `${name}.layers.${i}`, x);
    if (!(`${name}.layers.${i + 1}.weight` in weights)) return x;
    x = tf.relu(x);
  }
}

/** [B, n, heads * c] to [B, heads, n, c]. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor {
  const [B, n, width] = x.shape;
  return tf.transpose(
    tf.reshape(x, [B, n, heads, width / heads]),
    [0, 2, 1, 3],
  );
}

/** [B, heads, n, c] to [B, n, heads * c]. */
export function joinHeads(x: tf.Tensor): tf.Tensor {
  const [B, heads, n, c] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [B, n, heads * c]);
}

/** Scaled dot-product attention over split heads, [B, heads, n, c]. */
export function attend(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  mask?: tf.Tensor,
): tf.Tensor {
  const scale = 1 / Math.sqrt(q.shape[q.shape.length - 1]);
  let scores: tf.Tensor = tf.mul(tf.matMul(q, k, false, true), scale);
  if (mask) scores = tf.add(scores, mask);
  return tf.matMul(tf.softmax(scores), v);
}

/** A pre-norm transformer block with global attention, [B, n, width]. */
export function transformerBlock(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  heads: number,
): tf.Tensor {
  const [B, n, width] = x.shape;
  const normed = norm(weights, `${name}.norm1`, x);
  const qkv = tf.transpose(
    tf.reshape(linear(weights, `${name}.attn.qkv`, normed), [
      B,
      n,
      3,
      heads,
      width / heads,
    ]),
    [2, 0, 3, 1, 4],
  ); // [3, B, heads, n, c]
  const [q, k, v] = [0, 1, 2].map((i) =>
    tf.reshape(tf.slice(qkv, [i], [1]), qkv.shape.slice(1))
  );
  const attended = joinHeads(attend(q, k, v));
  x = tf.add(x, linear(weights, `${name}.attn.proj`, attended));

  const hidden = linear(
    weights,
    `${name}.mlp.lin1`,
    norm(weights, `${name}.norm2`, x),
  );
  return tf.add(x, linear(weights, `${name}.mlp.lin2`, gelu(hidden)));
}

/**
 * Cuts the pixels of a grid into blocks of `side` x `side`, each block's
 * pixels in row-major order: [B, H, W, C] to [B, H/side, W/side, C, side²].
 * With it, a convolution whose stride is its kernel is one matrix product.
 */
export function spaceToBlocks(x: tf.Tensor, side: number): tf.Tensor {
  const [B, H, W, C] = x.shape;
  const blocks = tf.transpose(
    tf.reshape(x, [B, H / side, side, W / side, side, C]),
    [0, 1, 3, 5, 2, 4],
  );
  return tf.reshape(blocks, [B, H / side, W / side, C, side * side]);
}

/**
 * A 3 x 3 convolution that keeps the sides: [B, H, W, in] to [B, H, W, out].
 *
 * @param bias [out]; none by default.
 * @param dilation How far apart its taps are, in cells.
 */
export function convolve3x3(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias?: tf.Tensor,
  dilation = 1,
): tf.Tensor {
  const [B, H, W, C] = x.shape;
  const d = dilation;
  const padded = tf.pad(x, [[0, 0], [d, d], [d, d], [0, 0]]);
  const shifted: tf.Tensor[] = [];
  for (let dy = 0; dy < 3; dy++) {
    for (let dx = 0; dx < 3; dx++) {
      shifted.push(tf.slice(padded, [0, d * dy, d * dx, 0], [B, H, W, C]));
    }
  }
  // columns ordered (dy, dx, in), so the kernel [out, in, 3, 3] follows suit
  const matrix = tf.transpose(kernel, [0, 2, 3, 1]);
  return project(
    tf.concat(shifted, 3),
    tf.reshape(matrix, [kernel.shape[0], 9 * C]),
    bias,
  );
}

/**
 * A residual block: normalization, a 3 x 3 convolution, ReLU, another, added to
 * what came in, [B, H, W, C].
 */
export function convolutionBlock(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  dilation: number,
): tf.Tensor {
  const of = (i: 1 | 2, input: tf.Tensor, dilation: number) =>
    convolve3x3(
      input,
      weights[`${name}.conv${i}.weight`],
      weights[`${name}.conv${i}.bias`],
      dilation,
    );
  const hidden = tf.relu(of(1, norm(weights, `${name}.norm`, x), dilation));
  return tf.add(x, of(2, hidden, 1));
}

/**
 * Cuts a grid into windows, padded with zeros to the right and below:
 * [B, H, W, C] to [R, side * side, C].
 */
export function cutWindows(x: tf.Tensor, side: number): tf.Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const rows = Math.ceil(H / side), columns = Math.ceil(W / side);
  if (rows === 1 && columns === 1 && H === side && W === side) {
    return tf.reshape(x, [B, side * side, C]);
  }
  const padded = tf.pad(x, [
    [0, 0],
    [0, rows * side - H],
    [0, columns * side - W],
    [0, 0],
  ]);
  const cut = tf.transpose(
    tf.reshape(padded, [B * rows, side, columns, side, C]),
    [0, 2, 1, 3, 4],
  );
  return tf.reshape(cut, [B * rows * columns, side * side, C]);
}

/** The reverse: [R, side * side, C] to [B, H, W, C], without the padding. */
export function joinWindows(
  windows: tf.Tensor,
  side: number,
  [B, H, W]: readonly number[],
): tf.Tensor {
  const C = windows.shape[2]!;
  const rows = Math.ceil(H / side), columns = Math.ceil(W / side);
  const grid = tf.transpose(
    tf.reshape(windows, [B * rows, columns, side, side, C]),
    [0, 2, 1, 3, 4],
  );
  return tf.slice(
    tf.reshape(grid, [B, rows * side, columns * side, C]),
    [0, 0, 0, 0],
    [B, H, W, C],
  );
}
