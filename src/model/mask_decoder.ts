/**
 * The mask decoder: SAM's two-way transformer, upscaling and hypernetwork
 * (`MaskDecoder`, `TwoWayTransformer`), for all samples in one batch.
 */

import * as tf from "@tensorflow/tfjs";
import { embeddingSide, type ModelConfig } from "./config.ts";
import {
  attendPixelsToTokens,
  attendTokensToPixels,
} from "./cross_attention.ts";
import { fuseLatents } from "./fusion.ts";
import { attend, joinHeads, linear, mlp, norm, splitHeads } from "./layers.ts";
import {
  type FeedbackEmbedding,
  gridPositions,
  type Prompts,
} from "./prompt_encoder.ts";
import { placeBlocks, upscale } from "./upscaling.ts";
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
 * @returns The tokens [S, T, L] and the image [S, n, L].
 */
function twoWayTransformer(
  weights: Weights,
  config: ModelConfig,
  image: tf.Tensor,
  positions: tf.Tensor,
  prompts: tf.Tensor,
  mask: tf.Tensor,
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

    tokens = tf.add(
      tokens,
      attendTokensToPixels(
        weights,
        `${layer}.cross_attn_token_to_image`,
        tf.add(tokens, prompts),
        image,
        positions,
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
        image,
        positions,
        tf.add(tokens, prompts),
        tokens,
        mask,
        heads,
      ),
    );
    image = norm(weights, `${layer}.norm4`, image, epsilon);
  }
  tokens = tf.add(
    tokens,
    attendTokensToPixels(
      weights,
      `${name}.final_attn_token_to_image`,
      tf.add(tokens, prompts),
      image,
      positions,
      heads,
    ),
  );
  return {
    tokens: norm(weights, `${name}.norm_final_attn`, tokens, epsilon),
    image,
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
      tf.expandDims(tf.add(feedback.image, prompts.dense), 1),
    ),
    [S, n, L],
  );

  const perSample = (x: tf.Tensor, rows: number, width: number) =>
    tf.reshape(
      tf.tile(tf.reshape(x, [B, 1, rows, width]), [1, N!, 1, 1]),
      [S, rows, width],
    );
  const maskToken = weights["mask_decoder.mask_tokens.weight"]; // [1, L]
  const tokens = tf.concat([
    tf.tile(tf.reshape(maskToken, [1, 1, L]), [S, 1, 1]),
    tf.reshape(linear(weights, "mask_decoder.latent_token", latents), [
      S,
      1,
      L,
    ]),
    perSample(prompts.sparse, T, L),
  ], 1); // [S, 2 + T, L]
  const attended = tf.concat([
    tf.ones([S, 1, 1, 2]),
    tf.reshape(perSample(prompts.filled, T, 1), [S, 1, 1, T]),
  ], 3);
  const mask = tf.mul(tf.sub(1, attended), MASKED);

  const decoded = twoWayTransformer(
    weights,
    config,
    image,
    gridPositions(weights, config),
    tokens,
    mask,
  );
  const maskOutput = tf.reshape(
    tf.slice(decoded.tokens, [0, 0, 0], [S, 1, L]),
    [S, L],
  );
  const filter = mlp(
    weights,
    "mask_decoder.output_hypernetworks_mlps.0",
    maskOutput,
  );
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
