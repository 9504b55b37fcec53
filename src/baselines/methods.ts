/**
 * The baselines by name: prompted methods on SPA's own backbone, and U-Nets
 * that differ in the masks that they learn.
 */

import {
  backboneLogits,
  declareBackbone,
  packPixels,
  packPrompts,
} from "./backbone.ts";
import {
  drawAllRaters,
  drawMajority,
  drawRater,
  drawShares,
  drawUser,
} from "./examples.ts";
import type { BaselineConfig, Method } from "./method.ts";
import { jitterBox } from "../spa/simulated_user.ts";
import {
  declare,
  declareLinear,
  declareUNet,
  unetLogits,
  widthsOf,
} from "./unet_network.ts";
import * as tf from "../engine/tf.ts";
import { isTinyVit } from "../model/config.ts";
import { linear } from "../model/layers.ts";
import { stack } from "../training/stack.ts";
import { probabilisticUNet } from "./probabilistic_unet.ts";
import { swinUNet, transUNet } from "./transformer_unets.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/**
 * Click refinement (Kirillov et al., "Segment Anything", 2023): one mask. Every
 * further click is at the center of its largest error, and its logits are the
 * next mask prompt.
 */
const click: Method = {
  interaction: "clicks",
  declare: ({ network }) => declareBackbone(network),
  draw: drawUser,
  pack: packPrompts,
  logits: backboneLogits,
};

/**
 * A box prompt (Ma et al., "Segment Anything in Medical Images", 2024: MedSAM):
 * one box around the target, one mask, and no further prompts.
 */
const box: Method = { ...click, interaction: "box" };

/**
 * Many boxes (Deng et al., "SAM-U: Multi-box Prompts Triggered Uncertainty
 * Estimation for Reliable SAM", 2023): boxes drawn around the user's, a mask for
 * each, their mean and entropy. Its weights are those of `box`.
 */
const samU: Method = {
  ...box,
  pack: (config, examples, samples, random) => {
    const moved = examples.flatMap((example) =>
      Array.from({ length: samples }, (_, n) => {
        const { box, frame: { height, width } } = example.feedback;
        if (n === 0 || !box) return example;
        const other = jitterBox(box, height, width, random);
        return { ...example, feedback: { ...example.feedback, box: other } };
      })
    );
    const { pixels } = packPrompts(config, examples);
    return { ...packPrompts(config, moved), pixels };
  },
};

/** Channels of an encoder block over those of its adapter. */
const REDUCTION = 4;

/**
 * Adapters (Wu et al., "Medical SAM Adapter", 2023): the image encoder stays
 * unchanged, except for a small bottleneck after every block. Prompt encoder
 * and mask decoder are trained, with clicks as in `click`. Start it from a
 * trained model.
 */
const adapter: Method = {
  ...click,
  declare: ({ network }) => {
    const { encoder } = network;
    if (isTinyVit(encoder)) {
      throw new InputTypeError(
        "Cannot build the baseline adapter as its image encoder must be a Vision Transformer: current value is TinyViT",
      );
    }
    const { channels, depth } = encoder;
    const inner = channels / REDUCTION;
    const declared = new Map(
      [...declareBackbone(network)].map(([name, weight]) => [
        name,
        name.startsWith("image_encoder.")
          ? { ...weight, trainable: false }
          : weight,
      ]),
    );
    const add = (name: string, shape: number[], deviation: number) =>
      declared.set(name, {
        shape,
        mean: 0,
        deviation,
        trainable: true,
        origin: "spa",
      });
    for (let i = 0; i < depth; i++) {
      const name = `image_encoder.blocks.${i}.adapter.layers`;
      add(`${name}.0.weight`, [inner, channels], 1 / Math.sqrt(channels));
      add(`${name}.0.bias`, [inner], 0);
      add(`${name}.1.weight`, [channels, inner], 0); // nothing at first
      add(`${name}.1.bias`, [channels], 0);
    }
    return declared;
  },
};

/** A U-Net on the majority of the raters: one mask for all users. */
const unet: Method = {
  interaction: "none",
  declare: ({ network }) => declare(declareUNet("unet", network, 1)),
  draw: drawMajority,
  pack: ({ network }, examples) => ({ pixels: packPixels(network, examples) }),
  logits: (weights, { network }, { pixels }) =>
    unetLogits(weights, "unet", network, pixels),
};

/** Names of the members. */
const MEMBERS = [0, 1, 2, 3].map((i) => `members.${i}`);

/**
 * An ensemble of U-Nets on the majority (Lakshminarayanan, Pritzel, Blundell,
 * "Deep Ensembles", 2017): they differ in their first weights, and each gives a
 * sample.
 */
const ensemble: Method = {
  ...unet,
  declare: ({ network }) =>
    declare(...MEMBERS.map((name) => declareUNet(name, network, 1))),
  logits: (weights, { network }, { pixels }) =>
    tf.concat(
      MEMBERS.map((name) => unetLogits(weights, name, network, pixels)),
      1,
    ),
};

/**
 * Label sampling (Jensen et al., "Improving Uncertainty Estimation in
 * Convolutional Neural Networks Using Inter-rater Agreement", 2019): a U-Net
 * that learns from a random rater each time.
 */
const labelSampling: Method = { ...unet, draw: drawRater };

/**
 * Multi-head (Guan et al., "Who Said What: Modeling Individual Labelers Improves
 * Classification", 2018): a U-Net with one map per rater; each is a sample.
 */
const multiHead: Method = {
  ...unet,
  declare: ({ network, raters }) =>
    declare(declareUNet("unet", network, raters)),
  draw: drawAllRaters,
};

/**
 * Expertise-conditioned U-Net, after MRNet (Ji et al., "Learning Calibrated
 * Medical Image Segmentation via Multi-rater Agreement Modeling", 2021). Every
 * rater's share in the target is an input at the coarsest resolution. The
 * network learns the raters' masks in these shares. MRNet's recurrent and
 * refining modules are left out.
 */
const mrnet: Method = {
  interaction: "none",
  declare: ({ network, raters }) =>
    declare(
      declareUNet("unet", network, 1),
      declareLinear("expertise", raters, widthsOf(network).at(-1)!),
    ),
  draw: drawShares,
  pack: ({ network, raters }, examples) => ({
    pixels: packPixels(network, examples),
    expertise: stack(
      examples.map(({ expertise }) => expertise),
      [examples.length, raters],
    ),
  }),
  logits: (weights, { network }, { pixels, expertise }) => {
    const added = linear(weights, "expertise", expertise);
    const condition = tf.reshape(added, [pixels.shape[0], 1, 1, -1]);
    return unetLogits(weights, "unet", network, pixels, condition);
  },
};

/** All of them, as `--method` of the commands calls them. */
export const METHODS: Readonly<Record<string, Method>> = {
  click,
  box,
  "sam-u": samU,
  unet,
  "trans-unet": transUNet,
  "swin-unet": swinUNet,
  ensemble,
  "label-sampling": labelSampling,
  "multi-head": multiHead,
  "probabilistic-unet": probabilisticUNet,
  adapter,
  mrnet,
};

/**
 * The method of a config.
 *
 * @throws {RangeError} When there is no such method.
 */
export function methodOf({ method }: Pick<BaselineConfig, "method">): Method {
  if (Object.hasOwn(METHODS, method)) return METHODS[method];
  throw new InputError(
    `Cannot use the method as it must be one of ${
      Object.keys(METHODS).join(", ")
    }: current value is ${method}`,
  );
}
