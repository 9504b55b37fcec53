/**
 * Adapters (Wu et al., "Medical SAM Adapter", 2023): the image encoder stays as
 * it was, but for a small bottleneck after every block; prompt encoder and mask
 * decoder are trained, with clicks as in `click`. To be started from a trained
 * model.
 */

import { isTinyVit } from "../model/config.ts";
import { declareBackbone } from "./backbone.ts";
import { click } from "./click.ts";
import type { Method } from "./method.ts";

/** Channels of an encoder block over those of its adapter. */
const REDUCTION = 4;

export const adapter: Method = {
  ...click,
  declare: ({ network }) => {
    const { encoder } = network;
    if (isTinyVit(encoder)) {
      throw new TypeError(
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
