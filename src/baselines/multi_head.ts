/**
 * Multi-head (Guan et al., "Who Said What: Modeling Individual Labelers Improves
 * Classification", 2018): a U-Net with one map per rater; each is a sample.
 */

import { drawAllRaters } from "./examples.ts";
import type { Method } from "./method.ts";
import { unet } from "./unet.ts";
import { declare, declareUNet } from "./unet_network.ts";

export const multiHead: Method = {
  ...unet,
  declare: ({ network, raters }) =>
    declare(declareUNet("unet", network, raters)),
  draw: drawAllRaters,
};
