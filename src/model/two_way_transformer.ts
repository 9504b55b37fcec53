/**
 * SAM's two-way transformer (`TwoWayTransformer`), for many samples in one batch.
 *
 * Its cross-attention between few tokens and many pixels is rewritten exactly.
 * SAM projects every pixel to keys, values and queries. With T tokens << n
 * pixels it is cheaper to move the projections to the tokens' side: (q W_k^T)
 * X^T are the same scores as q (X W_k)^T, and (A X) W_v the same output as
 * A (X W_v). The key bias adds the same number to all of a token's scores, which
 * a softmax over pixels does not see.
 */

import * as tf from "../engine/tf.ts";
import type { ModelConfig } from "./config.ts";
import { attend, joinHeads, linear, norm, splitHeads } from "./layers.ts";
import type { Weights } from "./weights.ts";

/** Score of a prompt slot that nobody filled: no attention goes there. */
const MASKED = -1e9;

/** Tokens attend to one another, [S, T, L]. */
function attendTokens(
  weights: Weights,
  name: string,
  queries: tf.Tensor,
  tokens: tf.Tensor,
  mask: tf.Tensor,
  heads: number,
): tf.Tensor {
  const [q, k, v] = [
    ["q_proj", queries] as const,
    ["k_proj", queries] as const,
    ["v_proj", tokens] as const,
  ].map(([part, x]) =>
    splitHeads(linear(weights, `${name}.${part}`, x), heads)
  );
  return linear(
    weights,
    `${name}.out_proj`,
    joinHeads(attend(q, k, v, mask)),
  );
}

/**
 * SAM's two-way transformer.
 *
 * @param image One embedding per sample, [S, n, L].
 * @param positions The grid's positional encoding, [n, L].
 * @param prompts Output and prompt tokens, [S, T, L].
 * @param mask 0 for tokens to attend to, else a large negative number,
 * [S, 1, 1, T].
 * @param used First and number of the tokens that the caller goes on with: the
 * last attention is theirs alone.
 * @returns The tokens used [S, count, L] and the image [S, n, L].
 */
export function twoWayTransformer(
  weights: Weights,
  config: ModelConfig,
  image: tf.Tensor,
  positions: tf.Tensor,
  prompts: tf.Tensor,
  mask: tf.Tensor,
  [first, count]: readonly [first: number, count: number],
): { tokens: tf.Tensor; image: tf.Tensor } {
  const { depth, heads } = config.decoder;
  const name = "mask_decoder.transformer";
  const epsilon = 1e-5;
  let tokens = prompts;
  for (let i = 0; i < depth; i++) {
    const layer = `${name}.layers.${i}`;
    if (i === 0) {
      tokens = attendTokens(
        weights,
        `${layer}.self_attn`,
        tokens,
        tokens,
        mask,
        heads,
      );
    } else {
      const queries = tf.add(tokens, prompts);
      tokens = tf.add(
        tokens,
        attendTokens(
          weights,
          `${layer}.self_attn`,
          queries,
          tokens,
          mask,
          heads,
        ),
      );
    }
    tokens = norm(weights, `${layer}.norm1`, tokens, epsilon);

    const placed = tf.add(image, positions);
    tokens = tf.add(
      tokens,
      attendTokensToPixels(
        weights,
        `${layer}.cross_attn_token_to_image`,
        tf.add(tokens, prompts),
        image,
        placed,
        heads,
      ),
    );
    tokens = norm(weights, `${layer}.norm2`, tokens, epsilon);

    const hidden = tf.relu(linear(weights, `${layer}.mlp.lin1`, tokens));
    tokens = tf.add(tokens, linear(weights, `${layer}.mlp.lin2`, hidden));
    tokens = norm(weights, `${layer}.norm3`, tokens, epsilon);

    image = tf.add(
      image,
      attendPixelsToTokens(
        weights,
        `${layer}.cross_attn_image_to_token`,
        placed,
        tf.add(tokens, prompts),
        tokens,
        mask,
        heads,
      ),
    );
    image = norm(weights, `${layer}.norm4`, image, epsilon);
  }
  const [S, , L] = tokens.shape as [number, number, number];
  const usedOf = (x: tf.Tensor) => tf.slice(x, [0, first, 0], [S, count, L]);
  tokens = usedOf(tokens);
  tokens = tf.add(
    tokens,
    attendTokensToPixels(
      weights,
      `${name}.final_attn_token_to_image`,
      tf.add(tokens, usedOf(prompts)),
      image,
      tf.add(image, positions),
      heads,
    ),
  );
  return {
    tokens: norm(weights, `${name}.norm_final_attn`, tokens, epsilon),
    image,
  };
}

/**
 * Makes the terms that are added to the scores of every token: 0, or a large
 * negative number where a prompt slot is empty.
 *
 * @param outputs Number of output tokens, which come first.
 * @param filled 1 where a slot is filled, else 0, [S, T].
 * @returns [S, 1, 1, outputs + T].
 */
export function tokenMask(outputs: number, filled: tf.Tensor): tf.Tensor {
  const S = filled.shape[0];
  const attended = tf.concat([tf.ones([S, outputs]), filled], 1);
  return tf.reshape(
    tf.mul(tf.sub(1, attended), MASKED),
    [S, 1, 1, attended.shape[1]!],
  );
}

/** A projection's matrix [inner, L] split by heads: [heads, c, L]. */
function headMatrix(
  weights: Weights,
  name: string,
  heads: number,
): tf.Tensor {
  const matrix = weights[`${name}.weight`];
  const [inner, width] = matrix.shape;
  return tf.reshape(matrix, [heads, inner / heads, width!]);
}

/** [S, T, inner] to [heads, S * T, c]. */
function byHead(x: tf.Tensor, heads: number): tf.Tensor {
  const [S, T, inner] = x.shape;
  const rows = tf.reshape(x, [S * T, heads, inner / heads]);
  return tf.transpose(rows, [1, 0, 2]);
}

/** [heads, S * T, width] to [S, heads * T, width]. */
function bySample(x: tf.Tensor, S: number): tf.Tensor {
  const [heads, rows, width] = x.shape;
  const T = rows / S;
  return tf.reshape(
    tf.transpose(tf.reshape(x, [heads, S, T, width]), [1, 0, 2, 3]),
    [S, heads * T, width],
  );
}

/**
 * Tokens attend to pixels.
 *
 * @param tokens Queries, [S, T, L].
 * @param pixels The values, [S, n, L].
 * @param placed The keys, pixels with their positions added, [S, n, L].
 * @returns [S, T, L].
 */
export function attendTokensToPixels(
  weights: Weights,
  name: string,
  tokens: tf.Tensor,
  pixels: tf.Tensor,
  placed: tf.Tensor,
  heads: number,
): tf.Tensor {
  const [S, T, L] = tokens.shape;
  const queries = byHead(linear(weights, `${name}.q_proj`, tokens), heads);
  const c = queries.shape[2]!;
  const folded = tf.mul(
    bySample(
      tf.matMul(queries, headMatrix(weights, `${name}.k_proj`, heads)),
      S,
    ),
    1 / Math.sqrt(c),
  ); // [S, heads * T, L]
  const scores = tf.matMul(folded, placed, false, true); // [S, heads * T, n]
  const gathered = tf.matMul(tf.softmax(scores), pixels); // [S, heads * T, L]

  const rows = tf.reshape(
    tf.transpose(tf.reshape(gathered, [S, heads, T, L!]), [1, 0, 2, 3]),
    [heads, S * T, L!],
  );
  const values = tf.matMul(
    rows,
    headMatrix(weights, `${name}.v_proj`, heads),
    false,
    true,
  ); // [heads, S * T, c]
  const joined = tf.add(
    tf.reshape(tf.transpose(values, [1, 0, 2]), [S, T, heads * c]),
    weights[`${name}.v_proj.bias`],
  );
  return linear(weights, `${name}.out_proj`, joined);
}

/**
 * Pixels attend to tokens.
 *
 * @param placed The queries, pixels with their positions added, [S, n, L].
 * @param keys Tokens with their prompts added, [S, T, L].
 * @param tokens Tokens, the values, [S, T, L].
 * @param mask Added to the scores of each token, [S, 1, 1, T].
 * @returns [S, n, L].
 */
export function attendPixelsToTokens(
  weights: Weights,
  name: string,
  placed: tf.Tensor,
  keys: tf.Tensor,
  tokens: tf.Tensor,
  mask: tf.Tensor,
  heads: number,
): tf.Tensor {
  const [S, n, L] = placed.shape;
  const T = tokens.shape[1]!;
  const k = byHead(linear(weights, `${name}.k_proj`, keys), heads);
  const c = k.shape[2]!;
  const scale = 1 / Math.sqrt(c);
  const folded = tf.mul(
    bySample(
      tf.matMul(k, headMatrix(weights, `${name}.q_proj`, heads)),
      S,
    ),
    scale,
  ); // [S, heads * T, L]
  // the query bias does differ from token to token: b_q . k
  const ofQueryBias = tf.matMul(
    k,
    tf.reshape(weights[`${name}.q_proj.bias`], [heads, c, 1]),
  ); // [heads, S * T, 1]
  const ofTokens = tf.add(
    tf.mul(tf.reshape(bySample(ofQueryBias, S), [S, 1, heads, T]), scale),
    mask,
  );
  const scores = tf.matMul(placed, folded, false, true);
  const attention = tf.softmax(
    tf.add(tf.reshape(scores, [S, n, heads, T]), ofTokens),
  );

  const v = byHead(linear(weights, `${name}.v_proj`, tokens), heads);
  const out = tf.transpose(
    tf.reshape(weights[`${name}.out_proj.weight`], [L!, heads, c]),
    [1, 2, 0],
  ); // [heads, c, L]
  // every head's attention sums to 1, so the bias may join the values
  const bias = tf.div(weights[`${name}.out_proj.bias`], heads);
  const values = tf.add(bySample(tf.matMul(v, out), S), bias); // [S, heads * T, L]
  return tf.matMul(tf.reshape(attention, [S, n, heads * T]), values);
}
