/** A U-Net on the majority of the raters: one mask, whoever asks. */

import { packPixels } from "./backbone.ts";
import { drawMajority } from "./examples.ts";
import type { Method } from "./method.ts";
import { declare, declareUNet, unetLogits } from "./unet_network.ts";

export const unet: Method = {
  interaction: "none",
  declare: ({ network }) => declare(declareUNet("unet", network, 1)),
  draw: drawMajority,
  pack: ({ network }, examples) => ({ pixels: packPixels(network, examples) }),
  logits: (weights, { network }, { pixels }) =>
    unetLogits(weights, "unet", network, pixels),
};
