/**
 * The features of training images by a frozen encoder. They are computed once
 * for each placement of an image and kept in a folder, so that later passes
 * over the placements only read them.
 */

import { join } from "node:path";
import { digest } from "../digest.ts";
import { upload } from "../engine/engine.ts";
import { jit } from "../engine/jit.ts";
import { type DeviceTensor, sizeOf } from "../engine/tensors.ts";
import type * as tf from "../engine/tf.ts";
import { ifThere, writeFileAtomic } from "../files.ts";
import { type ModelConfig, tinyVitPatch } from "../model/config.ts";
import { fingerprint } from "../model/fingerprint.ts";
import { frozenFeatures } from "../model/image_encoder.ts";
import { declareWeights } from "../model/declare_weights.ts";
import type { HostFeatures } from "../model/region_finder.ts";
import type { HostWeights, Weights } from "../model/weights.ts";
import { stack } from "./stack.ts";

/** An image of a training batch. */
export interface CachedImage {
  /** Normalized, [S, S, 3]. */
  readonly pixels: Float32Array;
  /** Its key, where it may come again. */
  readonly key?: string;
}

/** One image's features in float16, as they are kept. */
interface Kept {
  readonly embedding: Float16Array;
  readonly finer: Float16Array;
}

/** Features of a frozen encoder, on demand. */
export class FeatureCache {
  readonly #folder?: string;
  readonly #frozen: HostWeights;
  readonly #config: ModelConfig;
  readonly #shapes: { embedding: number[]; finer: number[] };
  readonly #encoder: string;
  readonly #run;
  #device?: Promise<Record<string, DeviceTensor>>;
  /** Of images at work, so that no iteration reads them again. */
  readonly #recent = new WeakMap<CachedImage, Kept>();

  /**
   * @param config The network's config, of a frozen TinyViT encoder.
   * @param weights All its weights.
   * @param folder Where features of images with a key are kept; nowhere by
   * default.
   */
  constructor(config: ModelConfig, weights: HostWeights, folder?: string) {
    this.#folder = folder;
    this.#config = config;
    const declared = declareWeights(config);
    this.#frozen = new Map(
      [...weights].filter(([name]) =>
        name.startsWith("image_encoder.") && !declared.get(name)!.trainable
      ),
    );
    this.#encoder = digest([
      config.name,
      fingerprint({ weights: this.#frozen }),
    ]);
    const h = config.imageSize / tinyVitPatch(config);
    const channels = (name: string) =>
      sizeOf(weights.get(`image_encoder.features.${name}.mean`)!.shape);
    this.#shapes = {
      embedding: [h, h, channels("embedding")],
      finer: [2 * h, 2 * h, channels("finer")],
    };
    this.#run = jit(
      ({ weights, pixels }: { weights: Weights; pixels: tf.Tensor }) => ({
        ...frozenFeatures(weights, config, pixels),
      }),
      {
        name: "frozen features",
        // convolutions are fastest with weights that are known beforehand
        constant: (path) =>
          this.#frozen.get(path.slice("weights/".length))?.data,
      },
    );
  }

  /**
   * The features of images, in their order: those at hand, else those of the
   * folder, else computed.
   *
   * @returns [B, h, h, c] and [B, 2h, 2h, c], rounded to float16.
   */
  async of(images: readonly CachedImage[]): Promise<HostFeatures> {
    const found: Kept[] = [];
    for (const image of images) {
      const kept = this.#recent.get(image) ?? await this.#load(image);
      this.#recent.set(image, kept);
      found.push(kept);
    }
    const join = (part: keyof Kept) =>
      stack(found.map((kept) => kept[part]), [
        images.length,
        ...this.#shapes[part],
      ]);
    return { embedding: join("embedding"), finer: join("finer") };
  }

  /** Gives back the engine's memory. */
  async dispose(): Promise<void> {
    const device = await this.#device;
    this.#device = undefined;
    if (device) {
      for (const tensor of Object.values(device)) {
        tensor.dispose();
      }
    }
    this.#run.release();
  }

  async #load({ pixels, key }: CachedImage): Promise<Kept> {
    const path = this.#folder !== undefined && key !== undefined
      ? join(this.#folder, this.#encoder, key.slice(0, 2), `${key}.f16`)
      : undefined;
    const sizes = {
      embedding: sizeOf(this.#shapes.embedding),
      finer: sizeOf(this.#shapes.finer),
    };
    const total = sizes.embedding + sizes.finer;
    const values = path && await readHalves(path, total) ||
      await this.#compute(pixels);
    if (path && values.fresh) {
      await writeFileAtomic(path, new Uint8Array(values.data.buffer));
    }
    const { data } = values;
    return {
      embedding: data.subarray(0, sizes.embedding),
      finer: data.subarray(sizes.embedding),
    };
  }

  async #compute(pixels: Float32Array) {
    this.#device ??= upload(Object.fromEntries(this.#frozen));
    const S = this.#config.imageSize;
    const { embedding, finer } = await this.#run({
      weights: await this.#device,
      pixels: { data: pixels, shape: [1, S, S, 3] },
    });
    const data = new Float16Array(embedding.data.length + finer.data.length);
    data.set(embedding.data);
    data.set(finer.data, embedding.data.length);
    return { data, fresh: true };
  }
}

/** The values of a file of float16; undefined where there is none, or one cut short. */
async function readHalves(path: string, count: number) {
  const bytes = await ifThere(Deno.readFile(path));
  if (bytes?.byteLength !== 2 * count) return undefined;
  return {
    data: new Float16Array(bytes.buffer, bytes.byteOffset, count),
    fresh: false,
  };
}
