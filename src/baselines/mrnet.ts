/**
 * Expertise-conditioned U-Net, after MRNet (Ji et al., "Learning Calibrated
 * Medical Image Segmentation via Multi-rater Agreement Modeling", 2021): every
 * rater's share in what is wanted goes in at the coarsest resolution, and what
 * is learned is the raters' masks in these shares. Without MRNet's recurrent
 * and refining modules.
 */

import * as tf from "../engine/tf.ts";
import { linear } from "../model/layers.ts";
import { packPixels } from "./backbone.ts";
import { stack } from "../training/stack.ts";
import { drawShares } from "./examples.ts";
import type { Method } from "./method.ts";
import {
  declare,
  declareLinear,
  declareUNet,
  unetLogits,
  widthsOf,
} from "./unet_network.ts";

export const mrnet: Method = {
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
