/**
 * What a checkpoint needs before it is a model: which network it is of, batch
 * normalizations folded into convolutions, and the statistics by which a frozen
 * encoder's features are standardized.
 */

import { basename } from "node:path";
import { isModelConfig } from "../model/check_config.ts";
import { compareWeights } from "../model/compare_weights.ts";
import { declareWeights } from "../model/declare_weights.ts";
import { type ModelConfig, presets } from "../model/config.ts";
import { InputError } from "../input_error.ts";
import * as tf from "../engine/tf.ts";
import { jit } from "../engine/jit.ts";
import type { HostTensor } from "../engine/tensors.ts";
import { phantom } from "../phantoms/phantom.ts";
import type { Model } from "../model/model.ts";
import { normalizePixels } from "../model/normalize.ts";
import { tinyVit } from "../model/tiny_vit.ts";
import type { HostWeights, Weights } from "../model/weights.ts";
import type { Checkpoint, ReadOptions } from "./checkpoint.ts";

/**
 * The config that a file's metadata states.
 *
 * @throws {RangeError} When it is no config.
 */
export function parseConfig(text: string, source: string): ModelConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw refuseConfig(source, text.slice(0, 80));
  }
  if (!isModelConfig(config)) throw refuseConfig(source, text.slice(0, 80));
  return config;
}

/** What the names of an image encoder's weights tell. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^image_encoder\.patch_embed\.seq\./, "TinyViT"],
  [/^image_encoder\.blocks\.\d+\.Adapter\./, "SAM-Med2D"],
];
const ADDITIONS: readonly (readonly [RegExp, string])[] = [
  [/lora/i, "LoRA weights"],
  [/\.(?!Adapter\.)\w*adapter/i, "adapters"],
];

/** A classifier's head, which TinyViT's checkpoints carry and no mask needs. */
const UNUSED = /^image_encoder\.(norm_head|head)\./;

/**
 * What kind of network weights are of, as far as their names tell: "SAM-Med2D
 * at 256 px", "ViT at 1024 px with LoRA weights"; undefined where they tell
 * nothing.
 *
 * @param shapes The checkpoint's shapes, by segment-anything's names.
 */
export function familyOf(
  shapes: ReadonlyMap<string, readonly number[]>,
): string | undefined {
  const find = (kinds: typeof FAMILIES) =>
    kinds.find(([pattern]) =>
      [...shapes.keys()].some((name) => pattern.test(name))
    )?.[1];
  const positions = shapes.get("image_encoder.pos_embed");
  const patch = shapes.get("image_encoder.patch_embed.proj.weight")?.at(-1);
  const family = find(FAMILIES) ?? (positions && "ViT");
  if (family === undefined) return undefined;
  const size = positions?.length === 4 && patch
    ? ` at ${positions[1] * patch} px`
    : "";
  const addition = find(ADDITIONS);
  return `${family}${size}${addition ? ` with ${addition}` : ""}`;
}

/**
 * The weights that stand in a network's image encoder, or adapt any part of it,
 * and that the network does not know: without them it computes something else
 * than the checkpoint does.
 *
 * @param unexpected Names that the network does not know.
 */
export function alienWeights(unexpected: readonly string[]): string[] {
  return unexpected.filter((name) =>
    !UNUSED.test(name) &&
    (name.startsWith("image_encoder.") ||
      /^(prompt_encoder|mask_decoder)\./.test(name) &&
        ADDITIONS.some(([pattern]) => pattern.test(name)))
  );
}

/**
 * The preset whose image encoder a checkpoint without a config holds. MedSAM's
 * weights have the names and shapes of SAM's and differ in the intensities they
 * want, so for them the file's name counts.
 *
 * @param shapes The checkpoint's shapes, by segment-anything's names.
 * @param source Its path or URL.
 * @param drop Whether weights that no preset knows are passed over.
 * @throws {RangeError} When no preset fits.
 */
export function guessConfig(
  shapes: ReadonlyMap<string, readonly number[]>,
  source: string,
  drop = false,
): ModelConfig {
  const encoder = new Map(
    [...shapes].filter(([name]) => name.startsWith("image_encoder.")),
  );
  const file = basename(source.replace(/^(https?:[^?#]*).*/s, "$1"));
  for (const config of Object.values(presets)) {
    const report = compareWeights(declareWeights(config), encoder);
    const alien = drop ? [] : alienWeights(report.unexpected);
    const differs = report.misshapen.length + alien.length > 0 ||
      report.missing.some((name) => name.startsWith("image_encoder."));
    if (differs) continue;
    const isMedSam = config === presets["sam-vit-b"] && /medsam/i.test(file);
    return isMedSam ? presets["medsam-vit-b"] : config;
  }
  const family = familyOf(shapes);
  throw refuseConfig(
    source,
    `missing, and its ${shapes.size} tensors are those of ${
      family ? `${family} and of ` : ""
    }no preset (${Object.keys(presets).join(", ")})`,
  );
}

function refuseConfig(source: string, found: string): RangeError {
  return new InputError(
    `Cannot load the model ${source} as its metadata must hold its config as JSON, or the option config be given: current value is ${found}`,
  );
}

/** Phantoms that are measured, two of each kind. */
const KINDS = ["fundus", "nodule", "kidney"] as const;
const SEEDS = [1, 2];

/** Channels that never change keep this deviation. */
const LEAST_DEVIATION = 0.005;

/** The least side of a phantom. */
const LEAST_SIDE = 32;

/**
 * Measures mean and deviation of every channel of the frozen features. Phantoms
 * do: their deviations lie within a quarter of those of CT, ultrasound, MR and
 * microscopy for four fifths of LiteMedSAM's channels, and the trained layers
 * above take up the rest.
 *
 * @param model A model with a TinyViT encoder.
 * @returns `image_encoder.features.*`, by name.
 */
export async function measureFeatures(model: Model): Promise<HostWeights> {
  const { config } = model;
  const S = config.imageSize;
  const measure = jit(
    ({ weights, image }: { weights: Weights; image: tf.Tensor }) => {
      const size = tf.tensor1d([S, S]);
      const pixels = normalizePixels(config, image, size);
      const features = tinyVit(weights, config, pixels);
      const sums = (x: tf.Tensor) => {
        const rows = tf.reshape(x, [-1, x.shape[3]!]);
        return { mean: tf.mean(rows, 0), square: tf.mean(tf.square(rows), 0) };
      };
      return {
        embedding: sums(features.embedding),
        finer: sums(features.finer),
      };
    },
    { name: "measure features" },
  );
  const weights = await model.deviceWeights();
  const images = KINDS.flatMap((kind) =>
    SEEDS.map((seed) =>
      phantom({ kind, seed, size: Math.max(S, LEAST_SIDE) }).image
    )
  );
  const measured: Awaited<ReturnType<typeof measure>>[] = [];
  for (const { data, shape } of images) {
    const [side, , channels] = shape;
    const image = new Float32Array(S * S * 3);
    for (let i = 0; i < S * S; i++) {
      const at = Math.floor(i / S) * side + i % S;
      for (let c = 0; c < 3; c++) {
        image[3 * i + c] = data[at * channels + c % channels];
      }
    }
    measured.push(
      await measure({ weights, image: { data: image, shape: [1, S, S, 3] } }),
    );
  }
  measure.release();
  const statistics = new Map<string, HostTensor & { data: Float32Array }>();
  for (const name of ["embedding", "finer"] as const) {
    const channels = measured[0][name].mean.data.length;
    const average = (part: "mean" | "square", c: number) =>
      measured.reduce((sum, of) => sum + of[name][part].data[c], 0) /
      measured.length;
    const mean = new Float32Array(channels);
    const deviation = new Float32Array(channels);
    for (let c = 0; c < channels; c++) {
      mean[c] = average("mean", c);
      const variance = average("square", c) - mean[c] ** 2;
      deviation[c] = Math.max(
        LEAST_DEVIATION,
        Math.sqrt(Math.max(0, variance)),
      );
    }
    const start = `image_encoder.features.${name}`;
    statistics.set(`${start}.mean`, { data: mean, shape: [channels] });
    statistics.set(`${start}.deviation`, {
      data: deviation,
      shape: [channels],
    });
  }
  return statistics;
}

/** Epsilon of PyTorch's `BatchNorm2d`. */
const EPSILON = 1e-5;

/** Names of a convolution without bias and its normalization (`Conv2d_BN`). */
const CONVOLUTION = /(^|\.)c\.weight$/;

/** The parts of a normalization that count. */
const PARTS = ["weight", "bias", "running_mean", "running_var"] as const;

/** Where in a checkpoint the normalization of one convolution lies. */
type Normalization = Readonly<Record<typeof PARTS[number], string>>;

/**
 * Folds every batch normalization `X.bn` that follows a convolution `X.c`
 * without bias, as in TinyViT's checkpoints: `X.c.weight` is scaled, `X.c.bias`
 * is new, and what `X.bn` holds is gone from the names. A checkpoint without
 * any is returned unchanged.
 */
export function foldBatchNorms(checkpoint: Checkpoint): Checkpoint {
  const known = new Set(checkpoint.names);
  const norms = new Map<string, Normalization>(); // by the convolution's start
  for (const name of known) {
    if (!CONVOLUTION.test(name)) continue;
    const start = name.slice(0, -"c.weight".length);
    const parts = Object.fromEntries(
      PARTS.map((part) => [part, `${start}bn.${part}`]),
    ) as Normalization;
    const fits = !known.has(`${start}c.bias`) &&
      PARTS.every((part) => known.has(parts[part]) && isVector(parts[part])) &&
      checkpoint.shape(name)[0] === checkpoint.shape(parts.weight)[0];
    if (fits) norms.set(start, parts);
  }
  if (norms.size === 0) return checkpoint;

  function isVector(name: string) {
    return checkpoint.shape(name).length === 1;
  }
  const gone = new Set<string>();
  for (const [start, parts] of norms) {
    for (const name of Object.values(parts)) gone.add(name);
    gone.add(`${start}bn.num_batches_tracked`);
  }
  const folded = (name: string, end: string) =>
    name.endsWith(end) ? norms.get(name.slice(0, -end.length)) : undefined;
  /** What stands in the file for a name. */
  const source = (name: string) => folded(name, "c.bias")?.bias ?? name;

  async function read(
    name: string,
    options?: ReadOptions,
  ): Promise<HostTensor> {
    const part = async (name: string) =>
      (await checkpoint.read(name, options)).data;
    const ofWeight = folded(name, "c.weight");
    const norm = ofWeight ?? folded(name, "c.bias");
    if (!norm) return await checkpoint.read(name, options);
    const gamma = await part(norm.weight);
    const variance = await part(norm.running_var);
    const scale = Float64Array.from(
      variance,
      (value, i) => gamma[i] / Math.sqrt(value + EPSILON),
    );
    const negative = variance.findIndex((value) => !(value >= 0));
    if (negative >= 0) {
      throw new InputError(
        `Cannot fold the batch normalization as "${norm.running_var}" must be >= 0: current value at ${negative} is ${
          variance[negative]
        }`,
      );
    }
    if (!ofWeight) {
      const [beta, mean] = [
        await part(norm.bias),
        await part(norm.running_mean),
      ];
      const data = Float32Array.from(
        beta,
        (value, i) => value - mean[i] * scale[i],
      );
      return { data, shape: [data.length] };
    }
    const { data, shape } = await checkpoint.read(name, options);
    const size = data.length / scale.length;
    return {
      data: Float32Array.from(
        data,
        (value, i) => value * scale[Math.floor(i / size)],
      ),
      shape,
    };
  }

  return {
    format: checkpoint.format,
    metadata: checkpoint.metadata,
    skipped: checkpoint.skipped,
    names: [
      ...checkpoint.names.filter((name) => !gone.has(name)),
      ...[...norms.keys()].map((start) => `${start}c.bias`),
    ],
    shape: (name) => checkpoint.shape(source(name)),
    type: (name) => checkpoint.type(source(name)),
    read,
    close: () => checkpoint.close(),
    [Symbol.dispose]: () => checkpoint.close(),
  };
}
