/** Exported models, and what the module itself computes for the same inputs. */
import assert from "node:assert/strict";
import { exportOnnx } from "../../src/checkpoints/export_onnx.ts";
import type { Model } from "../../src/model/model.ts";
import { addPoint, updatePreference } from "../../src/spa/update_preference.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import type { ImageEmbedding } from "../../src/spa/embedding.ts";
import type { Preference } from "../../src/spa/preference.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { type Start, startPreference } from "../../src/spa/start_preference.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { samConfig } from "./small_model.ts";

/** Differences of the same sums in another order, in probabilities. */
export const TOLERANCE = 1e-4;

/** A small SAM with MedSAM's intensities. */
export const medConfig: ModelConfig = { ...samConfig, pixelScaling: "min-max" };

/** Runs a test with a model exported to a folder of its own. */
export async function withExport(
  model: Model,
  options: Parameters<typeof exportOnnx>[2],
  test: (folder: string, paths: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder, await exportOnnx(model, `${folder}/new/files`, options));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A preference after two choices and a second click, and what it decodes to. */
export async function aligned(
  model: Model,
  embedding: ImageEmbedding,
  start: Start,
) {
  let preference = await startPreference(model, embedding, start);
  for (const seed of [1, 2]) {
    const latents = sampleGMM(preference.distribution, { seed });
    const maps = await decode(model, embedding, preference, { latents });
    preference = await updatePreference(model, embedding, preference, {
      proposal: cluster(maps, { candidates: 3 }),
      choice: 0,
    });
  }
  const { width } = embedding.frame;
  return await addPoint(model, embedding, preference, {
    point: {
      x: width - 3,
      y: 2,
      label: 0,
    },
  });
}

/** The network's own maps of 48 latents, [48, 4h, 4h], and the latents. */
export async function decoded(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
) {
  const latents = sampleGMM(preference.distribution, { seed: 5 });
  const { probabilities } = await decode(model, embedding, {
    ...preference,
    kept: undefined,
  }, { latents, variations: 0 });
  return {
    latents: latents.values.data as Float32Array,
    maps: probabilities.data as Float32Array,
  };
}

export function largestDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    largest = Math.max(largest, Number.isNaN(difference) ? 1 / 0 : difference);
  }
  return largest;
}
