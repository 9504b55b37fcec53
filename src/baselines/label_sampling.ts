/**
 * Label sampling (Jensen et al., "Improving Uncertainty Estimation in
 * Convolutional Neural Networks Using Inter-rater Agreement", 2019): a U-Net
 * that learns from a random rater each time.
 */

import { drawRater } from "./examples.ts";
import type { Method } from "./method.ts";
import { unet } from "./unet.ts";

export const labelSampling: Method = { ...unet, draw: drawRater };
