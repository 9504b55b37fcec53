/**
 * The blocks of SAM's image encoder: attention in windows or over the whole
 * grid, with decomposed relative positions (`ViTDet`; segment-anything's
 * `Block`, `Attention`, `add_decomposed_rel_pos`). Position weights at other
 * sizes than they were trained for are interpolated linearly, by matrix products,
 * so that every engine has the interpolation and its gradient.
 */

import * as tf from "../engine/tf.ts";
import { gelu } from "../engine/fused.ts";
import { cutWindows, joinWindows, linear, norm, project } from "./layers.ts";
import type { Weights } from "./weights.ts";

/** What all blocks with attention over the same square share. */
export interface AttentionSquare {
  /** Side of the square of tokens that attend to one another. */
  readonly side: number;
  /** See `relativePairs`, [side * side, stored]. */
  readonly pairs: tf.Tensor;
  /** Row and column of every token, one-hot side by side, [side², 2 * side]. */
  readonly places: tf.Tensor;
}

/**
 * Builds the constants of a square.
 *
 * @param side Side of the square, in tokens.
 * @param stored Rows of the stored relative positions.
 */
export function attentionSquare(side: number, stored: number): AttentionSquare {
  const places = new Float32Array(side * side * 2 * side);
  for (let i = 0; i < side * side; i++) {
    places[i * 2 * side + Math.floor(i / side)] = 1;
    places[i * 2 * side + side + i % side] = 1;
  }
  return {
    side,
    pairs: relativePairs(stored, side),
    places: tf.tensor(places, [side * side, 2 * side]),
  };
}

/**
 * Scores of the queries' rows (or columns) against those of the keys:
 * q[b, y, x] . R[y, k].
 *
 * @param q [b, side, side, c], the axis in question second.
 * @param relative [side, side, c].
 * @returns [b, side, side, side], k last.
 */
function scoreAxis(q: tf.Tensor, relative: tf.Tensor): tf.Tensor {
  const [b, side, , c] = q.shape as [number, number, number, number];
  const rows = tf.reshape(tf.transpose(q, [1, 0, 2, 3]), [side, b * side, c]);
  const scores = tf.matMul(rows, relative, false, true); // [side, b * side, k]
  return tf.transpose(
    tf.reshape(scores, [side, b, side, side]),
    [1, 0, 2, 3],
  );
}

/**
 * Attention with relative positions. The positions' scores depend on the key's
 * row and column alone, so they enter as further channels: of the query its
 * scores against every row and column, of the key its place. One product then
 * gives all scores, and nothing else of their size is built.
 *
 * @param q [b, side², c]; so are `k` and `v`.
 * @param vertical Relative positions of every pair of rows, [side, side, c].
 * @param horizontal The same of columns.
 */
function attendInSquare(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  vertical: tf.Tensor,
  horizontal: tf.Tensor,
  { side, places }: AttentionSquare,
): tf.Tensor {
  const [b, n, c] = q.shape as [number, number, number];
  const grid = tf.reshape(q, [b, side, side, c]);
  const ofRows = scoreAxis(grid, vertical);
  const turned = scoreAxis(tf.transpose(grid, [0, 2, 1, 3]), horizontal);
  const ofColumns = tf.transpose(turned, [0, 2, 1, 3]);
  const queries = tf.concat([
    tf.mul(q, 1 / Math.sqrt(c)),
    tf.reshape(ofRows, [b, n, side]),
    tf.reshape(ofColumns, [b, n, side]),
  ], 2); // [b, n, c + 2 * side]
  const keys = tf.concat([
    k,
    tf.tile(tf.expandDims(places, 0), [b, 1, 1]),
  ], 2);
  return tf.matMul(tf.softmax(tf.matMul(queries, keys, false, true)), v);
}

/**
 * A block of SAM's encoder.
 *
 * @param x [B, h, h, E].
 * @param square The square that attends within itself: a window, or the grid.
 */
export function samBlock(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  heads: number,
  square: AttentionSquare,
): tf.Tensor {
  const { side, pairs } = square;
  const E = x.shape[3]!;
  const c = E / heads;
  const attn = `${name}.attn`;
  // the bias after the padding, as SAM pads what it projects
  const projected = project(
    norm(weights, `${name}.norm1`, x),
    weights[`${attn}.qkv.weight`],
  );
  const windows = tf.add(
    cutWindows(projected, side),
    weights[`${attn}.qkv.bias`],
  );
  const [R, n] = windows.shape as [number, number, number];
  const qkv = tf.transpose(
    tf.reshape(windows, [R, n, 3, heads, c]),
    [2, 3, 0, 1, 4],
  ); // [3, heads, R, n, c]
  const [vertical, horizontal] = ["h", "w"].map((axis) =>
    tf.reshape(
      tf.matMul(pairs, weights[`${attn}.rel_pos_${axis}`]),
      [side, side, c],
    )
  );

  // All heads at once where windows are small; over the whole grid one after
  // another, as twelve heads' scores of 64 x 64 tokens take 805 MB.
  const together = R > 1 ? heads : 1;
  const attended: tf.Tensor[] = [];
  for (let head = 0; head < heads; head += together) {
    const [q, k, v] = [0, 1, 2].map((part) =>
      tf.reshape(
        tf.slice(qkv, [part, head], [1, together]),
        [together * R, n, c],
      )
    );
    attended.push(attendInSquare(q, k, v, vertical, horizontal, square));
  }
  const byHead = tf.reshape(tf.concat(attended, 0), [heads, R, n, c]);
  const joined = tf.reshape(tf.transpose(byHead, [1, 2, 0, 3]), [R, n, E]);
  x = tf.add(
    x,
    linear(weights, `${attn}.proj`, joinWindows(joined, side, x.shape)),
  );

  const hidden = linear(
    weights,
    `${name}.mlp.lin1`,
    norm(weights, `${name}.norm2`, x),
  );
  return tf.add(x, linear(weights, `${name}.mlp.lin2`, gelu(hidden)));
}

/**
 * Linear interpolation of `from` samples at `to` places with half-pixel
 * centers, without smoothing (PyTorch's `interpolate`, `align_corners: false`).
 *
 * @returns The matrix, row-major, [to, from]; rows sum to 1.
 */
function interpolationMatrix(from: number, to: number): Float32Array {
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
function relativePairs(stored: number, side: number): tf.Tensor {
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
