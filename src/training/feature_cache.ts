/**
 * What a frozen encoder gives of training images. It is computed once for each
 * placement of an image and kept in a folder, so that later passes over the
 * placements only read it.
 */

import { join } from "node:path";
import { digest } from "../digest.ts";
import { type HostTensor, sizeOf } from "../engine/tensors.ts";
import { ifThere, writeFileAtomic } from "../files.ts";
import { type ModelConfig, tinyVitPatch } from "../model/config.ts";
import { fingerprint } from "../model/fingerprint.ts";
import type { HostWeights } from "../model/weights.ts";
import { FrozenEncoder } from "./frozen_encoder.ts";
import { stack } from "./stack.ts";

/** An image of a training batch. */
export interface CachedImage {
  /** Normalized, [S, S, 3]. */
  readonly pixels: Float32Array;
  /** Its key, where it may come again. */
  readonly key?: string;
}

/** Embeddings by a frozen encoder, on demand. */
export class FeatureCache {
  readonly #folder?: string;
  readonly #encoder: FrozenEncoder;
  /** Of one embedding. */
  readonly #shape: readonly number[];
  readonly #name: string;
  /** Of images at work, so that no iteration reads them again. */
  readonly #recent = new WeakMap<CachedImage, Float16Array>();

  /**
   * @param config The network's config, of a frozen TinyViT encoder.
   * @param weights All its weights.
   * @param folder Where embeddings of images with a key are kept; nowhere by
   * default.
   */
  constructor(config: ModelConfig, weights: HostWeights, folder?: string) {
    this.#folder = folder;
    this.#encoder = new FrozenEncoder(config, weights);
    this.#name = digest([
      config.name,
      fingerprint({ weights: this.#encoder.weights }),
    ]);
    const h = config.imageSize / tinyVitPatch(config);
    const mean = weights.get("image_encoder.features.embedding.mean")!;
    this.#shape = [h, h, sizeOf(mean.shape)];
  }

  /**
   * The embeddings of images, in their order: those at hand, else those of the
   * folder, else computed.
   *
   * @returns [B, h, h, c], rounded to float16.
   */
  async of(images: readonly CachedImage[]): Promise<HostTensor> {
    const found: Float16Array[] = [];
    for (const image of images) {
      const kept = this.#recent.get(image) ?? await this.#load(image);
      this.#recent.set(image, kept);
      found.push(kept);
    }
    return stack(found, [images.length, ...this.#shape]);
  }

  /** Gives back the engine's memory. */
  dispose(): Promise<void> {
    return this.#encoder.dispose();
  }

  async #load({ pixels, key }: CachedImage): Promise<Float16Array> {
    const path = this.#folder !== undefined && key !== undefined
      ? join(this.#folder, this.#name, key.slice(0, 2), `${key}.f16`)
      : undefined;
    const kept = path && await readHalves(path, sizeOf(this.#shape));
    if (kept) return kept;
    const { embedding } = await this.#encoder.run(pixels);
    const data = new Float16Array(embedding.data);
    if (path) await writeFileAtomic(path, new Uint8Array(data.buffer));
    return data;
  }
}

/** The values of a file of float16; undefined where there is none, or one cut short. */
async function readHalves(
  path: string,
  count: number,
): Promise<Float16Array | undefined> {
  const bytes = await ifThere(Deno.readFile(path));
  if (bytes?.byteLength !== 2 * count) return undefined;
  return new Float16Array(bytes.buffer, bytes.byteOffset, count);
}
