/**
 * An ensemble of U-Nets on the majority (Lakshminarayanan, Pritzel, Blundell,
 * "Deep Ensembles", 2017): they differ in their first weights, and each gives a
 * sample.
 */

import * as tf from "../engine/tf.ts";
import type { Method } from "./method.ts";
import { unet } from "./unet.ts";
import { declare, declareUNet, unetLogits } from "./unet_network.ts";

/** Names of the members. */
const MEMBERS = [0, 1, 2, 3].map((i) => `members.${i}`);

export const ensemble: Method = {
  ...unet,
  declare: ({ network }) =>
    declare(...MEMBERS.map((name) => declareUNet(name, network, 1))),
  logits: (weights, { network }, { pixels }) =>
    tf.concat(
      MEMBERS.map((name) => unetLogits(weights, name, network, pixels)),
      1,
    ),
};
