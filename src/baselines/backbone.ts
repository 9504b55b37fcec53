/**
 * The backbone that all prompted baselines share: the network of a preset
 * without what SPA adds to it. The latents are zero, so that there is one
 * sample; there is no preference generator; and a mask is a prompt, as in SAM,
 * without the decoder's share of it.
 */

import * as tf from "../engine/tf.ts";
import type { HostTensor } from "../engine/tensors.ts";
import type { ModelConfig } from "../model/config.ts";
import { encodeImage } from "../model/image_encoder.ts";
import { decodeMasks } from "../model/mask_decoder.ts";
import { encodeFeedback, encodePrompts } from "../model/prompt_encoder.ts";
import type { WeightDeclarations, Weights } from "../model/weights.ts";
import { declareWeights } from "../model/declare_weights.ts";
import { packFeedback } from "../spa/feedback.ts";
import { stack } from "../training/stack.ts";
import { repeatImages } from "../training/step.ts";
import type { BaselineConfig, Example, HostInputs, Inputs } from "./method.ts";

/** Weights that have no part in the prediction. */
const UNUSED = ["feedback_encoder.pool.weight", "mask_decoder.keep_choice"];

/** The weights of the backbone. */
export function declareBackbone(config: ModelConfig): WeightDeclarations {
  const used = [...declareWeights(config)].filter(([name]) =>
    !name.startsWith("preference_generator.")
  );
  return new Map(
    used.map(([name, weight]) => [
      name,
      UNUSED.includes(name) ? { ...weight, trainable: false } : weight,
    ]),
  );
}

/** The images of a batch, [B, S, S, 3]. */
export function packPixels(
  { imageSize: S }: ModelConfig,
  examples: readonly Example[],
): HostTensor {
  const pixels = examples.map((example) => example.pixels);
  return stack(pixels, [examples.length, S, S, 3]);
}

/** Images and prompts of a batch. */
export function packPrompts(
  { network }: BaselineConfig,
  examples: readonly Example[],
): HostInputs {
  const feedback = examples.map((example) => example.feedback);
  const { choice: _, ...prompts } = packFeedback(network, feedback);
  return { ...prompts, pixels: packPixels(network, examples) };
}

/**
 * The backbone's mask logits, [B, 1, m, m].
 *
 * @param inputs Of `packPrompts`; fewer images than prompts are repeated.
 */
export function backboneLogits(
  weights: Weights,
  { network }: BaselineConfig,
  { pixels, points, labels, mask, clicks, hasMask }: Inputs,
): tf.Tensor {
  const B = labels.shape[0];
  const side = mask.shape[1]!;
  const { embedding, detail } = encodeImage(weights, network, pixels);
  const prompts = encodePrompts(weights, network, {
    points,
    labels,
    mask,
    clicks,
    hasMask,
  });
  const feedback = encodeFeedback(
    weights,
    network,
    repeatImages(embedding, B),
    prompts,
  );
  return decodeMasks(weights, network, {
    feedback,
    prompts,
    latents: tf.zeros([B, 1, network.latentChannels]),
    choice: tf.zeros([B, side, side]),
    hasMask: tf.zeros([B]),
    shares: tf.ones([B, 1]),
    detail: detail && repeatImages(detail, B),
  });
}
