/**
 * SAM's position weights at other sizes than they were trained for: linear
 * interpolation, written as matrix products so that every engine has it and
 * its gradient.
 */

import * as tf from "../engine/tf.ts";

/**
 * Linear interpolation of `from` samples at `to` places with half-pixel
 * centers, without smoothing (PyTorch's `interpolate`, `align_corners: false`).
 *
 * @returns The matrix, row-major, [to, from]; rows sum to 1.
 */
export function interpolationMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, (i + 0.5) * from / to - 0.5);
    const low = Math.min(from - 1, Math.floor(at));
    const high = Math.min(from - 1, low + 1);
    matrix[i * from + low] += 1 - (at - low);
    matrix[i * from + high] += at - low;
  }
  return matrix;
}

/**
 * Absolute positions for another grid, bilinearly.
 *
 * @param positions `pos_embed`, [1, g, g, E].
 * @param side The side h of the grid wanted.
 * @returns [1, h, h, E].
 */
export function resizeAbsolutePositions(
  positions: tf.Tensor,
  side: number,
): tf.Tensor {
  const [, g, , E] = positions.shape;
  if (g === side) return positions;
  const matrix = tf.tensor(interpolationMatrix(g!, side), [side, g!]);
  const rows = tf.matMul(matrix, tf.reshape(positions, [g!, g! * E!]));
  const turned = tf.transpose(tf.reshape(rows, [side, g!, E!]), [1, 0, 2]);
  const both = tf.matMul(matrix, tf.reshape(turned, [g!, side * E!]));
  return tf.reshape(
    tf.transpose(tf.reshape(both, [side, side, E!]), [1, 0, 2]),
    [1, side, side, E!],
  );
}

/**
 * The matrix that takes stored relative positions, [stored, c], to those of
 * every pair of a query i and a key j on one axis: row i * side + j is the
 * position i - j of a list interpolated to 2 * side - 1 (`get_rel_pos`).
 *
 * @returns [side * side, stored].
 */
export function relativePairs(stored: number, side: number): tf.Tensor {
  const list = interpolationMatrix(stored, 2 * side - 1);
  const matrix = new Float32Array(side * side * stored);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const row = (i - j + side - 1) * stored;
      const values = list.subarray(row, row + stored);
      matrix.set(values, (i * side + j) * stored);
    }
  }
  return tf.tensor(matrix, [side * side, stored]);
}
