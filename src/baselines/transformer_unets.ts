/**
 * The U-Nets with transformers. Both learn the raters' majority, as `unet` does.
 *
 * Swin-Unet (Cao et al., "Swin-Unet: Unet-like Pure Transformer for Medical Image
 * Segmentation", 2021): Swin blocks (Liu et al., 2021) on the way down and up.
 * Attention stays in windows, which every second block shifts by half of their
 * side; patches are merged on the way down, expanded on the way up and joined
 * with those of the way down.
 *
 * TransUNet (Chen et al., "TransUNet: Transformers Make Strong Encoders for
 * Medical Image Segmentation", 2021): a U-Net whose coarsest features are the
 * tokens of a Vision Transformer, with learned positions, before the way up. Its
 * blocks are four, not twelve.
 */

import * as tf from "../engine/tf.ts";
import { gelu } from "../engine/fused.ts";
import {
  attend,
  cutWindows,
  joinHeads,
  joinWindows,
  linear,
  norm,
  spaceToBlocks,
  splitHeads,
  transformerBlock,
} from "../model/layers.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import type { Weights } from "../model/weights.ts";
import { packPixels } from "./backbone.ts";
import { drawMajority } from "./examples.ts";
import type { Method } from "./method.ts";
import {
  declare,
  declareDecoder,
  declareEncoder,
  declareLinear,
  declareNorm,
  type Declarer,
  declareTransformerBlock,
  decode,
  encode,
  imagePatches,
  joinPatches,
  patchChannels,
  weight,
  widthsOf,
} from "./unet_network.ts";

/** Resolutions, the finest half of the decoder's; and the windows' side. */
const LEVELS = 3, WINDOW = 4;

/** Channels from the finest resolution to the coarsest: 32 to 128 for `tiny`. */
function channelsOf({ channels: L }: ModelConfig): number[] {
  return Array.from({ length: LEVELS }, (_, i) => L / 2 * 2 ** i);
}

/** Sides of the grids. */
function sidesOf(network: ModelConfig): number[] {
  return Array.from(
    { length: LEVELS },
    (_, i) => maskSide(network) / 2 ** (i + 1),
  );
}

/** Heads of attention: of 16 channels each, as far as there are as many. */
const headsOf = (channels: number) => Math.max(1, Math.floor(channels / 16));

/** The windows' side on a grid. */
const windowOf = (side: number) => Math.min(WINDOW, side);

/**
 * The relative position of each pair of a window's cells, one-hot, [n * n, (2w
 * - 1)²].
 */
function relativePlaces(window: number): tf.Tensor {
  const n = window * window, span = 2 * window - 1;
  const places = new Float32Array(n * n * span * span);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const down = Math.floor(i / window) - Math.floor(j / window);
      const across = i % window - j % window;
      const at = (down + window - 1) * span + across + window - 1;
      places[(i * n + j) * span * span + at] = 1;
    }
  }
  return tf.tensor(places, [n * n, span * span]);
}

/**
 * The attention mask of shifted windows, which separates cells from opposite
 * edges of the grid: 0 or -100 for each pair, [windows, 1, n, n].
 */
export function shiftedApart(
  side: number,
  window: number,
  shift: number,
): tf.Tensor {
  // which of three bands a row or column is of, after the shift
  const band = (at: number) =>
    at < side - window ? 0 : at < side - shift ? 1 : 2;
  const across = side / window, n = window * window;
  const apart = new Float32Array(across * across * n * n);
  for (let w = 0; w < across * across; w++) {
    const group = (i: number) => {
      const row = Math.floor(w / across) * window + Math.floor(i / window);
      const column = (w % across) * window + i % window;
      return 3 * band(row) + band(column);
    };
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (group(i) !== group(j)) apart[(w * n + i) * n + j] = -100;
      }
    }
  }
  return tf.tensor(apart, [across * across, 1, n, n]);
}

/** Moves a grid's rows and columns to the front by some, in a circle. */
function roll(x: tf.Tensor, by: number): tf.Tensor {
  if (by === 0) return x;
  const along = (x: tf.Tensor, axis: 1 | 2) => {
    const size = x.shape[axis]!;
    const at = (by + size) % size;
    const part = (begin: number, count: number) => {
      const from = x.shape.map(() => 0), to = [...x.shape] as number[];
      from[axis] = begin;
      to[axis] = count;
      return tf.slice(x, from, to);
    };
    return tf.concat([part(at, size - at), part(0, at)], axis);
  };
  return along(along(x, 1), 2);
}

/** A Swin block on a grid, [B, H, H, C]. */
function swinBlock(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  shifted: boolean,
): tf.Tensor {
  const [B, side, , C] = x.shape as [number, number, number, number];
  const window = windowOf(side), n = window * window, heads = headsOf(C);
  const shift = shifted && side > window ? window / 2 : 0;
  const normed = roll(norm(weights, `${name}.norm1`, x), shift);
  const qkv = linear(weights, `${name}.attn.qkv`, cutWindows(normed, window));
  const [q, k, v] = tf.split(qkv, 3, 2)
    .map((part) => splitHeads(part, heads)); // [R, heads, n, c]
  const bias = tf.transpose(
    tf.reshape(
      tf.matMul(relativePlaces(window), weights[`${name}.attn.positions`]),
      [n, n, heads],
    ),
    [2, 0, 1],
  );
  let mask: tf.Tensor = tf.reshape(bias, [1, heads, n, n]);
  if (shift > 0) {
    const apart = shiftedApart(side, window, shift);
    mask = tf.add(mask, tf.tile(apart, [B, 1, 1, 1]));
  }
  const attended = linear(
    weights,
    `${name}.attn.proj`,
    joinHeads(attend(q, k, v, mask)),
  );
  x = tf.add(x, roll(joinWindows(attended, window, [B, side, side]), -shift));
  const hidden = linear(
    weights,
    `${name}.mlp.lin1`,
    norm(weights, `${name}.norm2`, x),
  );
  return tf.add(x, linear(weights, `${name}.mlp.lin2`, gelu(hidden)));
}

/** Two blocks, the second of shifted windows. */
function declareStage(name: string, channels: number, side: number): Declarer {
  const span = 2 * windowOf(side) - 1;
  return (declared) => {
    for (const i of [0, 1]) {
      const at = `${name}.${i}`;
      declareTransformerBlock(at, channels, 2 * channels)(declared);
      declared.set(
        `${at}.attn.positions`,
        weight([span * span, headsOf(channels)], 0.02),
      );
    }
  };
}

function stage(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  x = swinBlock(weights, `${name}.0`, x, false);
  return swinBlock(weights, `${name}.1`, x, true);
}

/** Every cell as 2 x 2 cells: [B, H, H, 4c] to [B, 2H, 2H, c]. */
function expandPatches(x: tf.Tensor): tf.Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const cells = tf.transpose(
    tf.reshape(x, [B * H, W, 2, 2, C / 4]),
    [0, 2, 1, 3, 4],
  );
  return tf.reshape(cells, [B, 2 * H, 2 * W, C / 4]);
}

/** Swin-Unet on the majority of the raters: one mask for all users. */
export const swinUNet: Method = {
  interaction: "none",
  declare: ({ network }) => {
    const widths = channelsOf(network), sides = sidesOf(network);
    const patch = 3 * (network.imageSize / sides[0]) ** 2;
    return declare(
      ...widths.flatMap((width, i) => [
        declareLinear(
          `down.${i}.patch`,
          i === 0 ? patch : 4 * widths[i - 1],
          width,
        ),
        declareNorm(`down.${i}.norm`, width),
        declareStage(`down.${i}.blocks`, width, sides[i]),
      ]),
      ...widths.slice(0, -1).flatMap((width, i) => [
        declareLinear(`up.${i}.expand`, widths[i + 1], 4 * width),
        declareLinear(`up.${i}.join`, 2 * width, width),
        declareStage(`up.${i}.blocks`, width, sides[i]),
      ]),
      declareNorm("norm", widths[0]),
      declareLinear("expand", widths[0], 4 * widths[0]),
      declareLinear("head", widths[0], 1),
    );
  },
  draw: drawMajority,
  pack: ({ network }, examples) => ({ pixels: packPixels(network, examples) }),
  logits: (weights, { network }, { pixels }) => {
    const [finest] = sidesOf(network);
    const B = pixels.shape[0];
    const blocks = spaceToBlocks(pixels, network.imageSize / finest);
    let x: tf.Tensor = tf.reshape(blocks, [B, finest, finest, -1]);
    const features: tf.Tensor[] = [];
    for (let i = 0; i < LEVELS; i++) {
      if (i > 0) x = joinPatches(x);
      x = linear(weights, `down.${i}.patch`, x);
      x = norm(weights, `down.${i}.norm`, x);
      x = stage(weights, `down.${i}.blocks`, x);
      features.push(x);
    }
    for (let i = LEVELS - 2; i >= 0; i--) {
      x = expandPatches(linear(weights, `up.${i}.expand`, x));
      const joined = tf.concat([features[i], x], 3);
      x = linear(weights, `up.${i}.join`, joined);
      x = stage(weights, `up.${i}.blocks`, x);
    }
    x = norm(weights, "norm", x);
    x = gelu(expandPatches(linear(weights, "expand", x)));
    return tf.transpose(linear(weights, "head", x), [0, 3, 1, 2]);
  },
};

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
