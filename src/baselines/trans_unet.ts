/**
 * TransUNet (Chen et al., "TransUNet: Transformers Make Strong Encoders for
 * Medical Image Segmentation", 2021): a U-Net whose coarsest features are the
 * tokens of a Vision Transformer, with learned positions, before the way up. It
 * learns the raters' majority, as `unet` does. Its blocks are four, not twelve.
 */

import * as tf from "../engine/tf.ts";
import { linear, norm, transformerBlock } from "../model/layers.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import { packPixels } from "./backbone.ts";
import { drawMajority } from "./examples.ts";
import type { Method } from "./method.ts";
import {
  declare,
  declareDecoder,
  declareEncoder,
  declareLinear,
  declareNorm,
  declareTransformerBlock,
  decode,
  encode,
  imagePatches,
  patchChannels,
  weight,
  widthsOf,
} from "./unet_network.ts";

/** Transformer blocks, and heads of their attention. */
const BLOCKS = 4, HEADS = 4;

/** Tokens and channels of the coarsest features. */
function tokensOf(network: ModelConfig): { side: number; channels: number } {
  const widths = widthsOf(network);
  return {
    side: maskSide(network) / 2 ** (widths.length - 1),
    channels: widths.at(-1)!,
  };
}

/** TransUNet on the majority of the raters: one mask for all users. */
export const transUNet: Method = {
  interaction: "none",
  declare: ({ network }) => {
    const { side, channels } = tokensOf(network);
    return declare(
      declareEncoder("unet.encoder", network, patchChannels(network)),
      (declared) =>
        declared.set(
          "transformer.positions",
          weight([1, side * side, channels], 0.02),
        ),
      ...Array.from({ length: BLOCKS }, (_, i) =>
        declareTransformerBlock(
          `transformer.blocks.${i}`,
          channels,
          2 * channels,
        )),
      declareNorm("transformer.norm", channels),
      declareDecoder("unet.decoder", network),
      declareLinear("unet.head", widthsOf(network)[0], 1),
    );
  },
  draw: drawMajority,
  pack: ({ network }, examples) => ({ pixels: packPixels(network, examples) }),
  logits: (weights, { network }, { pixels }) => {
    const { side, channels } = tokensOf(network);
    const B = pixels.shape[0];
    const patches = imagePatches(network, pixels);
    const features = encode(weights, "unet.encoder", patches);
    let tokens: tf.Tensor = tf.add(
      tf.reshape(features.pop()!, [B, side * side, channels]),
      weights["transformer.positions"],
    );
    for (let i = 0; i < BLOCKS; i++) {
      tokens = transformerBlock(
        weights,
        `transformer.blocks.${i}`,
        tokens,
        HEADS,
      );
    }
    tokens = norm(weights, "transformer.norm", tokens);
    features.push(tf.reshape(tokens, [B, side, side, channels]));
    const decoded = decode(weights, "unet.decoder", features);
    return tf.transpose(linear(weights, "unet.head", decoded), [0, 3, 1, 2]);
  },
};
