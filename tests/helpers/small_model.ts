/** A network small enough for any engine, and inputs for it. */
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Case } from "../../src/datasets/dataset.ts";
import * as tf from "../../src/engine/tf.ts";
import { type ModelConfig, presets } from "../../src/model/config.ts";
import type { HostWeights } from "../../src/model/weights.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import { createRandom } from "../../src/random.ts";

/** All widths differ, so that no two can be taken for one another. */
export const smallConfig: ModelConfig = {
  name: "small",
  imageSize: 32,
  patchSize: 8,
  pixelMean: [0.4, 0.5, 0.6],
  pixelDeviation: [0.3, 0.25, 0.2],
  encoder: { channels: 24, depth: 1, heads: 3, mlpChannels: 40 },
  channels: 16,
  latentChannels: 6,
  components: 5,
  decoder: {
    depth: 2,
    heads: 2,
    mlpChannels: 20,
    attentionDownsample: 2,
    upscaling: [10, 4],
    plainUpscaling: true,
    detailChannels: 7,
  },
  feedback: { maskHidden: [3, 9], depth: 1, heads: 4, mlpChannels: 28 },
  generatorChannels: 18,
};

/** The same with another decoder. */
export function withDecoder(
  decoder: Partial<ModelConfig["decoder"]>,
): ModelConfig {
  return { ...smallConfig, decoder: { ...smallConfig.decoder, ...decoder } };
}

/** SAM's networks: windows with padding, global attention, interpolated positions. */
export const samConfig: ModelConfig = {
  ...withDecoder({ plainUpscaling: false, detailChannels: 0 }),
  encoder: { ...smallConfig.encoder, depth: 2 },
  feedback: { ...smallConfig.feedback, depth: 0 },
  sam: { window: 3, globalBlocks: [1], positionSide: 5 },
};

/** A shrunken `small`, on a frozen TinyViT. */
export function tinyVitConfig(imageSize: number): ModelConfig {
  return {
    ...presets.small,
    name: "shrunken",
    imageSize,
    channels: 8,
    latentChannels: 4,
    components: 3,
    encoder: {
      stages: [
        { channels: 4, depth: 1, heads: 0, window: 0 },
        { channels: 6, depth: 1, heads: 2, window: 5 },
        { channels: 8, depth: 1, heads: 2, window: 4 },
        { channels: 12, depth: 1, heads: 3, window: 6 },
      ],
      neckChannels: 8,
      trunk: { channels: 16, depth: 1, heads: 2, mlpChannels: 20 },
    },
  };
}

/** Weights of which none is 0 or 1: biases and normalizations count as well. */
export function noisyWeights(config: ModelConfig, seed = 1): HostWeights {
  const random = createRandom(seed, 99);
  const entries = [...initializeWeights(config, seed)];
  return new Map(entries.map(([name, { data, shape }]) => [
    name,
    { data: data.map((value) => value + 0.2 * random.normal()), shape },
  ]));
}

/** Host weights as tensors of the current tfjs backend. */
export function asTensors(weights: HostWeights): Record<string, tf.Tensor> {
  return Object.fromEntries(
    [...weights].map(([name, { data, shape }]) => [
      name,
      tf.tensor(data, [...shape]),
    ]),
  );
}

/** Standard normal numbers. */
export function normals(shape: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed, 7);
  const size = shape.reduce((product, side) => product * side, 1);
  return Float32Array.from({ length: size }, () => random.normal());
}

/** The same as a tensor. */
export function normalTensor(shape: number[], seed: number): tf.Tensor {
  return tf.tensor(normals(shape, seed), shape);
}

/** A gray image with a bright disc at (x, y), [height, width, 1]. */
export function discImage(
  height: number,
  width: number,
  { x, y, radius }: { x: number; y: number; radius: number },
): NdArray<Float32Array> {
  const data = new Float32Array(height * width);
  for (let i = 0; i < data.length; i++) {
    const distance = Math.hypot(i % width - x, Math.floor(i / width) - y);
    data[i] = 0.2 + 0.6 / (1 + Math.exp(distance - radius));
  }
  return ndarray(data, [height, width, 1]);
}

/** The disc as a mask, [height, width]. */
export function discMask(
  height: number,
  width: number,
  { x, y, radius }: { x: number; y: number; radius: number },
): NdArray<Uint8Array> {
  const data = new Uint8Array(height * width);
  for (let i = 0; i < data.length; i++) {
    const distance = Math.hypot(i % width - x, Math.floor(i / width) - y);
    data[i] = distance <= radius ? 1 : 0;
  }
  return ndarray(data, [height, width]);
}

/**
 * A case of 20 x 24 pixels whose raters drew discs about (11, 10).
 *
 * @param radii Of every rater's disc.
 * @param radius Of the disc in the image.
 */
export function discCase(
  id: string,
  radii: Readonly<Record<string, number>>,
  { radius = 6, patient = id } = {},
): Case {
  const at = { x: 11, y: 10 };
  return {
    id,
    patient,
    raters: Object.keys(radii),
    readImage: () => Promise.resolve(discImage(20, 24, { ...at, radius })),
    readMask: (rater) =>
      Promise.resolve(discMask(20, 24, { ...at, radius: radii[rater] })),
  };
}
