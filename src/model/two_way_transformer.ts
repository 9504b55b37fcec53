/** SAM's two-way transformer (`TwoWayTransformer`), for many samples in one batch. */

import * as tf from "../engine/tf.ts";
import type { ModelConfig } from "./config.ts";
import {
  attendPixelsToTokens,
  attendTokensToPixels,
} from "./cross_attention.ts";
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
