/**
 * Many boxes (Deng et al., "SAM-U: Multi-box Prompts Triggered Uncertainty
 * Estimation for Reliable SAM", 2023): boxes drawn around the user's, a mask
 * for each, their mean and entropy. Its weights are those of `box`.
 */

import { packPrompts } from "./backbone.ts";
import { box } from "./box.ts";
import { jitterBox } from "../spa/simulated_user.ts";
import type { Method } from "./method.ts";

export const samU: Method = {
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
