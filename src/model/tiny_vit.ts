/**
 * TinyViT, the image encoder of MobileSAM and LiteMedSAM (Wu et al., "TinyViT:
 * Fast Pretraining Distillation for Small Vision Transformers", 2022; Ma et al.,
 * LiteMedSAM, 2024). Its weights have the names of their checkpoints, with every
 * batch normalization folded into the convolution before it.
 */

import * as tf from "../engine/tf.ts";
import { type Convolution, convolve, gelu } from "../engine/fused.ts";
import {
  isTinyVit,
  type ModelConfig,
  type TinyVitConfig,
  tinyVitPatch,
  type TinyVitStage,
} from "./config.ts";
import {
  attend,
  convolve3x3,
  cutWindows,
  joinWindows,
  linear,
  norm,
  project,
} from "./layers.ts";
import type { WeightDeclaration, Weights } from "./weights.ts";

const NAME = "image_encoder";

/** Hidden channels of a block per channel. */
const EXPANSION = 4;

/** PyTorch's epsilon of a layer's normalization. */
const EPSILON = 1e-5;

/** What the frozen network gives of B images. */
export interface FrozenFeatures {
  /** Its embedding, after its neck, [B, h, h, neckChannels]. */
  readonly embedding: tf.Tensor;
  /** The end of its second stage, at twice the side, [B, 2h, 2h, c]. */
  readonly finer: tf.Tensor;
}

/** Whether a stage's convolution toward the next one halves the sides. */
function mergingStride(index: number): 1 | 2 {
  return index < 2 ? 2 : 1;
}

/** A convolution with its folded normalization, [B, C, H, W]. */
function convolution(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  options?: Convolution,
): tf.Tensor {
  const kernel = weights[`${name}.c.weight`];
  return convolve(x, kernel, weights[`${name}.c.bias`], options);
}

/** A 3 x 3 convolution of each channel by itself. */
const DEPTHWISE = { padding: 1, depthwise: true } as const;

/** Channels last to channels second, as convolutions are fastest. */
function channelsFirst(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, [0, 3, 1, 2]);
}

/** The reverse, as attention wants it. */
function channelsLast(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, [0, 2, 3, 1]);
}

/** The stem: two convolutions, pointwise where the patches are 4 pixels wide. */
function embedPatches(
  weights: Weights,
  patchSize: number,
  pixels: tf.Tensor,
): tf.Tensor {
  const options = patchSize === 4 ? {} : { stride: 2, padding: 1 } as const;
  const [first, second] = [0, 2].map((i) => `${NAME}.patch_embed.seq.${i}`);
  const x = gelu(convolution(weights, first, pixels, options));
  return convolution(weights, second, x, options);
}

/** A block of the first stage (`MBConv`). */
function convolutionBlock(
  weights: Weights,
  name: string,
  x: tf.Tensor,
): tf.Tensor {
  let hidden = gelu(convolution(weights, `${name}.conv1`, x));
  hidden = gelu(convolution(weights, `${name}.conv2`, hidden, DEPTHWISE));
  return gelu(tf.add(x, convolution(weights, `${name}.conv3`, hidden)));
}

/** The convolutions between two stages (`PatchMerging`). */
function merge(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  stride: 1 | 2,
): tf.Tensor {
  x = gelu(convolution(weights, `${name}.conv1`, x));
  x = gelu(convolution(weights, `${name}.conv2`, x, { ...DEPTHWISE, stride }));
  return convolution(weights, `${name}.conv3`, x);
}

/** Distances (|dy|, |dx|) of two tokens of a window, in the order first seen. */
function distanceIndices(side: number): { indices: Int32Array; count: number } {
  const n = side * side;
  const seen = new Map<string, number>();
  const indices = new Int32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const dy = Math.abs(Math.floor(i / side) - Math.floor(j / side));
      const key = `${dy},${Math.abs(i % side - j % side)}`;
      if (!seen.has(key)) seen.set(key, seen.size);
      indices[i * n + j] = seen.get(key)!;
    }
  }
  return { indices, count: seen.size };
}

/** Attention of every window within itself, [R, n, C]. */
function attendInWindows(
  weights: Weights,
  name: string,
  windows: tf.Tensor,
  heads: number,
  distances: tf.Tensor,
): tf.Tensor {
  const [R, n, C] = windows.shape as [number, number, number];
  const c = C / heads;
  const normed = norm(weights, `${name}.norm`, windows, EPSILON);
  const qkv = tf.transpose(
    tf.reshape(linear(weights, `${name}.qkv`, normed), [R, n, heads, 3 * c]),
    [0, 2, 1, 3],
  );
  const [q, k, v] = tf.split(qkv, 3, 3); // [R, heads, n, c]
  const biases = tf.reshape(
    tf.gather(weights[`${name}.attention_biases`], distances, 1),
    [1, heads, n, n],
  );
  const attended = tf.transpose(attend(q, k, v, biases), [0, 2, 1, 3]);
  return linear(weights, `${name}.proj`, tf.reshape(attended, [R, n, C]));
}

/** A block of the later stages (`TinyViTBlock`), [B, H, W, C]. */
function windowBlock(
  weights: Weights,
  name: string,
  x: tf.Tensor,
  { heads, window }: TinyVitStage,
  distances: tf.Tensor,
): tf.Tensor {
  const windows = cutWindows(x, window);
  const attended = attendInWindows(
    weights,
    `${name}.attn`,
    windows,
    heads,
    distances,
  );
  x = tf.add(x, joinWindows(attended, window, x.shape));
  x = channelsLast(
    convolution(weights, `${name}.local_conv`, channelsFirst(x), DEPTHWISE),
  );
  const hidden = linear(
    weights,
    `${name}.mlp.fc1`,
    norm(weights, `${name}.mlp.norm`, x, EPSILON),
  );
  return tf.add(x, linear(weights, `${name}.mlp.fc2`, gelu(hidden)));
}

/**
 * Runs TinyViT. An image's side may be any multiple of a patch's.
 *
 * @param weights The network's weights.
 * @param config The network's config, of a TinyViT encoder.
 * @param pixels Normalized images, [B, S, S, 3].
 * @returns Its own features, as its checkpoint gives them.
 */
export function tinyVit(
  weights: Weights,
  config: ModelConfig,
  pixels: tf.Tensor,
): FrozenFeatures {
  const { stages } = config.encoder as TinyVitConfig;
  let x = embedPatches(weights, tinyVitPatch(config), channelsFirst(pixels));
  let finer = x;
  stages.forEach((stage, i) => {
    const { indices, count } = distanceIndices(stage.window);
    const distances = count > 0 ? tf.tensor1d(indices, "int32") : undefined;
    for (let block = 0; block < stage.depth; block++) {
      const name = `${NAME}.layers.${i}.blocks.${block}`;
      x = distances
        ? windowBlock(weights, name, x, stage, distances)
        : convolutionBlock(weights, name, x);
    }
    if (i === 1) finer = x;
    if (i === stages.length - 1) return;
    const name = `${NAME}.layers.${i}.downsample`;
    if (distances) x = channelsFirst(x);
    x = channelsLast(merge(weights, name, x, mergingStride(i)));
  });
  x = project(x, weights[`${NAME}.neck.0.weight`]);
  x = norm(weights, `${NAME}.neck.1`, x);
  x = convolve3x3(x, weights[`${NAME}.neck.2.weight`]);
  return { embedding: norm(weights, `${NAME}.neck.3`, x), finer };
}

/**
 * Lists the weights of a config's TinyViT, none of them trained.
 *
 * @returns Declarations by name; none where the encoder is another.
 */
export function declareTinyVit(
  config: ModelConfig,
): [string, WeightDeclaration][] {
  const { encoder } = config;
  if (!isTinyVit(encoder)) return [];
  const { stages, neckChannels: N } = encoder;
  const declared: [string, WeightDeclaration][] = [];
  const weight = (
    name: string,
    shape: number[],
    deviation: number,
    mean = 0,
  ) =>
    declared.push([
      `${NAME}.${name}`,
      { shape, deviation, mean, trainable: false, origin: "sam" },
    ]);
  const linear = (name: string, inputs: number, outputs: number) => {
    weight(`${name}.weight`, [outputs, inputs], 1 / Math.sqrt(inputs));
    weight(`${name}.bias`, [outputs], 0);
  };
  const norm = (name: string, width: number) => {
    weight(`${name}.weight`, [width], 0, 1);
    weight(`${name}.bias`, [width], 0);
  };
  /** `inputs` of each output: 1 where every channel is by itself. */
  const folded = (
    name: string,
    inputs: number,
    outputs: number,
    side: number,
  ) => {
    const deviation = 1 / (side * Math.sqrt(inputs));
    weight(`${name}.c.weight`, [outputs, inputs, side, side], deviation);
    weight(`${name}.c.bias`, [outputs], 0);
  };

  const first = stages[0].channels;
  const side = tinyVitPatch(config) === 4 ? 1 : 3;
  folded("patch_embed.seq.0", 3, first / 2, side);
  folded("patch_embed.seq.2", first / 2, first, side);
  stages.forEach(({ channels: C, depth, heads, window }, i) => {
    for (let block = 0; block < depth; block++) {
      const name = `layers.${i}.blocks.${block}`;
      if (i === 0) {
        folded(`${name}.conv1`, C, EXPANSION * C, 1);
        folded(`${name}.conv2`, 1, EXPANSION * C, 3);
        folded(`${name}.conv3`, EXPANSION * C, C, 1);
        continue;
      }
      weight(
        `${name}.attn.attention_biases`,
        [heads, window * window],
        0.02,
      );
      norm(`${name}.attn.norm`, C);
      linear(`${name}.attn.qkv`, C, 3 * C);
      linear(`${name}.attn.proj`, C, C);
      norm(`${name}.mlp.norm`, C);
      linear(`${name}.mlp.fc1`, C, EXPANSION * C);
      linear(`${name}.mlp.fc2`, EXPANSION * C, C);
      folded(`${name}.local_conv`, 1, C, 3);
    }
    const next = stages[i + 1]?.channels;
    if (next === undefined) return;
    folded(`layers.${i}.downsample.conv1`, C, next, 1);
    folded(`layers.${i}.downsample.conv2`, 1, next, 3);
    folded(`layers.${i}.downsample.conv3`, next, next, 1);
  });
  const last = stages[3].channels;
  weight("neck.0.weight", [N, last, 1, 1], 1 / Math.sqrt(last));
  norm("neck.1", N);
  weight("neck.2.weight", [N, N, 3, 3], 1 / (3 * Math.sqrt(N)));
  norm("neck.3", N);
  return declared;
}
