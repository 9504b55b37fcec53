/** The network's programs as files of their own: what they take and give. */

import * as tf from "../engine/tf.ts";
import {
  embeddingSide,
  MASK_CHANNELS,
  maskSide,
  type ModelConfig,
} from "../model/config.ts";
import { encodeImage } from "../model/image_encoder.ts";
import { decodeMasks, predictSamMasks } from "../model/mask_decoder.ts";
import { normalizePixels } from "../model/normalize.ts";
import { generatePreference } from "../model/preference_generator.ts";
import {
  encodeFeedback,
  encodeMaskPrompts,
  encodePrompts,
  type MaskPromptInputs,
  type PromptInputs,
} from "../model/prompt_encoder.ts";
import type { Weights } from "../model/weights.ts";

/** What of the shapes is free to choose. */
export interface ProgramShapes {
  /** Latents N of one proposal. */
  readonly samples: number;
  /** Prompt slots T. */
  readonly slots: number;
}

/** A program that is exported; tensors by name. */
export interface ExportedProgram {
  /** The file's name without its ending. */
  readonly name: string;
  /** What it does, takes and gives. */
  readonly description: string;
  /** Shapes of its inputs, all of them float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** The program as a function of weights and inputs. */
  run(weights: Weights, inputs: TensorsByName): TensorsByName;
}

/** Tensors by name. */
type TensorsByName = Readonly<Record<string, tf.Tensor>>;
type Feedback = TensorsByName & PromptInputs;
type Points = TensorsByName & MaskPromptInputs;

const POINTS = `points: (x, y) in pixels of the square. labels: 1 a click \
inside, 0 outside, 2 and 3 a box's top left and bottom right corner, -1 at \
(0, 0) after the clicks where there is no box, -2 an empty slot. has_mask: 1 \
where there is a mask, else 0.`;
const FEEDBACK = `${POINTS} mask: the choice's logits / 4, 2 (choice - \
recommendation), the choice before it, 2 (choice - mean of the rejected); zeros \
at first. clicks: bumps of 2 pixels' deviation at the clicks, negative outside.`;

/** The programs of a network, for one image at a time. */
export function exportedPrograms(
  config: ModelConfig,
  { samples: N, slots: T }: ProgramShapes,
): ExportedProgram[] {
  const { imageSize: S, channels: L, latentChannels: d } = config;
  const h = embeddingSide(config);
  const side = maskSide(config);
  const { detailChannels, upscaling } = config.decoder;
  const embedding = [1, h, h, L];
  const points = { points: [1, T, 2], labels: [1, T], hasMask: [1] };
  const feedback = {
    ...points,
    mask: [1, side, side, MASK_CHANNELS],
    clicks: [1, side, side, 1],
  };

  const encoder: ExportedProgram = {
    name: "encoder",
    description: `An image to its embedding, once per image. image: RGB, its \
longer side resized to ${S} pixels, at the top left of the square; what is \
beside it does not count. size: its height and width there.`,
    inputs: { image: [1, S, S, 3], size: [2] },
    run(weights, { image, size }) {
      const pixels = normalizePixels(config, image, size);
      const { detail, ...rest } = encodeImage(weights, config, pixels);
      return detail ? { ...rest, detail } : rest;
    },
  };
  const generator: ExportedProgram = {
    name: "generator",
    description: `Feedback to the preference distribution, a mixture of \
Gaussians. evidence: log evidence of the choices for each component; zeros at \
first. ${FEEDBACK}`,
    inputs: { embedding, ...feedback, evidence: [1, config.components] },
    run(weights, { embedding, evidence, ...inputs }) {
      const prompts = encodePrompts(weights, config, inputs as Feedback);
      const { pooled } = encodeFeedback(weights, config, embedding, prompts);
      return { ...generatePreference(weights, config, pooled, evidence) };
    },
  };
  const decoder: ExportedProgram = {
    name: "decoder",
    description:
      `Latents drawn from the preference distribution to probability \
maps, which cover the square. choice: logits of the chosen map, clipped to \
0.02..0.98; zeros at first. ${FEEDBACK}`,
    inputs: {
      embedding,
      ...(detailChannels > 0 ? { detail: [1, h * h, 4 * upscaling[0]] } : {}),
      ...feedback,
      latents: [1, N, d],
      choice: [1, side, side],
    },
    run(weights, { embedding, detail, latents, choice, ...inputs }) {
      const prompts = encodePrompts(weights, config, inputs as Feedback);
      const logits = decodeMasks(weights, config, {
        feedback: encodeFeedback(weights, config, embedding, prompts),
        prompts,
        latents,
        choice,
        hasMask: inputs.hasMask,
        shares: tf.fill([1, N], 1 / N),
        detail,
      });
      const maps = tf.reshape(logits, [1, N, side, side]);
      return { probabilities: tf.sigmoid(maps) };
    },
  };
  const predictor: ExportedProgram = {
    name: "predictor",
    description:
      `Plain SAM: prompts to the logits and the predicted IoU of four \
masks, the one for prompts without doubt first. mask: logits of an earlier \
prediction; zeros at first. ${POINTS}`,
    inputs: { embedding, ...points, mask: [1, side, side, 1] },
    run(weights, { embedding, ...inputs }) {
      const prompts = encodeMaskPrompts(weights, config, inputs as Points);
      return { ...predictSamMasks(weights, config, embedding, prompts) };
    },
  };
  return [encoder, generator, decoder, ...(config.sam ? [predictor] : [])];
}
