/**
 * Click refinement (Kirillov et al., "Segment Anything", 2023): one mask; every
 * further click is at the centre of its largest error, and its logits are the
 * next mask prompt.
 */

import { backboneLogits, declareBackbone, packPrompts } from "./backbone.ts";
import { drawUser } from "./examples.ts";
import type { Method } from "./method.ts";

export const click: Method = {
  interaction: "clicks",
  declare: ({ network }) => declareBackbone(network),
  draw: drawUser,
  pack: packPrompts,
  logits: backboneLogits,
};
