/**
 * A U-Net (Ronneberger, Fischer, Brox, 2015) about as large as the tiny preset:
 * five resolutions from the decoder's own, m, downwards, one 3 x 3 convolution at
 * each and again on the way up; 2 x 2 patches lead down, nearest neighbors up;
 * every convolution is followed by a normalization over channels and a GELU.
 */

import * as tf from "../engine/tf.ts";
import { gelu } from "../engine/fused.ts";
import { convolve3x3, linear, norm, spaceToBlocks } from "../model/layers.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import type {
  WeightDeclaration,
  WeightDeclarations,
  Weights,
} from "../model/weights.ts";
import { InputError } from "../input_error.ts";

/** Resolutions. */
const LEVELS = 5;

/** Channels from the finest resolution to the coarsest: 16 to 224 for `tiny`. */
export function widthsOf({ channels: L }: ModelConfig): number[] {
  return [Math.ceil(L / 4), L / 2, L, 2.5 * L, 3.5 * L]; // L is even
}

/** Adds declarations to a map. */
export type Declarer = (declared: Map<string, WeightDeclaration>) => void;

/** Collects declarations. */
export function declare(...parts: Declarer[]): WeightDeclarations {
  const declared = new Map<string, WeightDeclaration>();
  for (const part of parts) part(declared);
  return declared;
}

/** A weight to train. */
export function weight(shape: number[], deviation: number, mean = 0) {
  return { shape, deviation, mean, trainable: true, origin: "spa" } as const;
}

/** A linear layer. */
export function declareLinear(
  name: string,
  inputs: number,
  outputs: number,
): Declarer {
  return (declared) => {
    const deviation = Math.SQRT2 / Math.sqrt(inputs);
    declared.set(`${name}.weight`, weight([outputs, inputs], deviation));
    declared.set(`${name}.bias`, weight([outputs], 0));
  };
}

/** A normalization over channels. */
export function declareNorm(name: string, channels: number): Declarer {
  return (declared) => {
    declared.set(`${name}.weight`, weight([channels], 0, 1));
    declared.set(`${name}.bias`, weight([channels], 0));
  };
}

/** A 3 x 3 convolution and its normalization. */
function declareConvolution(
  name: string,
  inputs: number,
  outputs: number,
): Declarer {
  return (declared) => {
    const deviation = Math.SQRT2 / (3 * Math.sqrt(inputs));
    declared.set(`${name}.weight`, weight([outputs, inputs, 3, 3], deviation));
    declareNorm(`${name}.norm`, outputs)(declared);
  };
}

function convolve(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const y = convolve3x3(x, weights[`${name}.weight`]);
  return gelu(norm(weights, `${name}.norm`, y));
}

/** Channels of an image in patches of the finest resolution's pixels. */
export function patchChannels(config: ModelConfig): number {
  return 3 * (config.imageSize / maskSide(config)) ** 2;
}

/** An image [B, S, S, 3] in such patches, [B, m, m, c]. */
export function imagePatches(
  config: ModelConfig,
  pixels: tf.Tensor,
): tf.Tensor {
  const side = maskSide(config);
  const blocks = spaceToBlocks(pixels, config.imageSize / side);
  return tf.reshape(blocks, [pixels.shape[0], side, side, -1]);
}

/**
 * The way down.
 *
 * @throws {RangeError} When the decoder's side cannot be halved four times.
 */
export function declareEncoder(
  name: string,
  config: ModelConfig,
  inputs: number,
): Declarer {
  const side = maskSide(config);
  if (side % 2 ** (LEVELS - 1) !== 0) {
    throw new InputError(
      `Cannot build the U-Net as the decoder's side must be a multiple of ${
        2 ** (LEVELS - 1)
      }: current value is ${side}`,
    );
  }
  const widths = widthsOf(config);
  return (declared) => {
    widths.forEach((width, i) => {
      const from = i === 0 ? inputs : 4 * widths[i - 1];
      declareLinear(`${name}.${i}.patch`, from, width)(declared);
      declareConvolution(`${name}.${i}.convolution`, width, width)(declared);
    });
  };
}

/**
 * The way down: features at every resolution, the finest first.
 *
 * @param x [B, m, m, inputs]; m a multiple of 16.
 */
export function encode(
  weights: Weights,
  name: string,
  x: tf.Tensor,
): tf.Tensor[] {
  const features: tf.Tensor[] = [];
  for (let i = 0; i < LEVELS; i++) {
    const patches = i === 0 ? x : joinPatches(features[i - 1]);
    const projected = linear(weights, `${name}.${i}.patch`, patches);
    features.push(convolve(weights, `${name}.${i}.convolution`, projected));
  }
  return features;
}

/** A transformer block without its positions; see `transformerBlock`. */
export function declareTransformerBlock(
  name: string,
  channels: number,
  hidden: number,
): Declarer {
  return (declared) => {
    declareNorm(`${name}.norm1`, channels)(declared);
    declareLinear(`${name}.attn.qkv`, channels, 3 * channels)(declared);
    declareLinear(`${name}.attn.proj`, channels, channels)(declared);
    declareNorm(`${name}.norm2`, channels)(declared);
    declareLinear(`${name}.mlp.lin1`, channels, hidden)(declared);
    declareLinear(`${name}.mlp.lin2`, hidden, channels)(declared);
  };
}

/** 2 x 2 pixels side by side: [B, H, W, C] to [B, H/2, W/2, 4C]. */
export function joinPatches(x: tf.Tensor): tf.Tensor {
  const [B, H, W, C] = x.shape as number[];
  return tf.reshape(spaceToBlocks(x, 2), [B, H / 2, W / 2, 4 * C]);
}

/** The way up. */
export function declareDecoder(name: string, config: ModelConfig): Declarer {
  const widths = widthsOf(config);
  return (declared) => {
    for (let i = LEVELS - 2; i >= 0; i--) {
      const [width, below] = [widths[i], widths[i + 1]];
      const at = `${name}.${i}`;
      declareLinear(`${at}.join`, width + below, width)(declared);
      declareConvolution(`${at}.convolution`, width, width)(declared);
    }
  };
}

/** The way up: features at the finest resolution, [B, m, m, c]. */
export function decode(
  weights: Weights,
  name: string,
  features: readonly tf.Tensor[],
): tf.Tensor {
  let x = features[LEVELS - 1];
  for (let i = LEVELS - 2; i >= 0; i--) {
    const joined = tf.concat([features[i], doubled(x)], 3);
    x = linear(weights, `${name}.${i}.join`, joined);
    x = convolve(weights, `${name}.${i}.convolution`, x);
  }
  return x;
}

/** Every pixel twice in both directions. */
function doubled(x: tf.Tensor): tf.Tensor {
  const [B, H, W, C] = x.shape as number[];
  const wide = tf.tile(tf.reshape(x, [B * H * W, 1, C]), [1, 2, 1]);
  const high = tf.tile(tf.reshape(wide, [B * H, 1, 2 * W * C]), [1, 2, 1]);
  return tf.reshape(high, [B, 2 * H, 2 * W, C]);
}

/** A whole U-Net with some maps as output. */
export function declareUNet(
  name: string,
  config: ModelConfig,
  outputs: number,
): Declarer {
  return (declared) => {
    declareEncoder(`${name}.encoder`, config, patchChannels(config))(declared);
    declareDecoder(`${name}.decoder`, config)(declared);
    declareLinear(`${name}.head`, widthsOf(config)[0], outputs)(declared);
  };
}

/**
 * A whole U-Net: images [B, S, S, 3] to logits [B, outputs, m, m].
 *
 * @param condition Added to the coarsest features, [B, 1, 1, c]; none by default.
 */
export function unetLogits(
  weights: Weights,
  name: string,
  config: ModelConfig,
  pixels: tf.Tensor,
  condition?: tf.Tensor,
): tf.Tensor {
  const features = encode(
    weights,
    `${name}.encoder`,
    imagePatches(config, pixels),
  );
  if (condition) features.push(tf.add(features.pop()!, condition));
  const decoded = decode(weights, `${name}.decoder`, features);
  const maps = linear(weights, `${name}.head`, decoded);
  return tf.transpose(maps, [0, 3, 1, 2]);
}
