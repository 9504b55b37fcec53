/**
 * A box prompt (Ma et al., "Segment Anything in Medical Images", 2024: MedSAM):
 * one box around the target, one mask, and nothing more to say.
 */

import { click } from "./click.ts";
import type { Method } from "./method.ts";

export const box: Method = { ...click, interaction: "box" };
