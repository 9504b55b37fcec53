/** Square windows of a grid of tokens, within which attention stays. */

import * as tf from "../engine/tf.ts";

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
