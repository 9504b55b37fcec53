/** Every engine that this machine has gives the shipped model's numbers. */
import assert from "node:assert/strict";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { readImage } from "../../src/formats/read_image.ts";
import {
  ENGINE_NAMES,
  type EngineName,
} from "../../src/engine/active_engine.ts";
import { availableEngines, useEngine } from "../../src/engine/engine.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import { difference, ENGINE_OPTIONS } from "../helpers/engine_helpers.ts";

const image = await readImage(
  new URL("../../data/phantoms/kidney-9/image.png", import.meta.url),
);

/** Image to four predictions after one click. */
async function predict(engine: EngineName): Promise<Record<string, number[]>> {
  await useEngine(engine, ENGINE_OPTIONS);
  using model = await loadModel("tiny");
  using embedding = await encode(model, image);
  const preference = await startPreference(model, embedding, {
    points: [{ x: 62, y: 60 }],
  });
  const { means, deviations, logWeights } = preference.distribution;
  const latents = sampleGMM(preference.distribution, { samples: 4, seed: 1 });
  const { probabilities } = await decode(model, embedding, preference, {
    latents,
    variations: 0,
  });
  const { data } = await embedding.values.read();
  return {
    embedding: [...data],
    means: [...means.data],
    deviations: [...deviations.data],
    logWeights: [...logWeights],
    probabilities: [...probabilities.data],
  };
}

const reference = await predict("cpu");
const missing = await availableEngines(ENGINE_OPTIONS);
for (const engine of ENGINE_NAMES.filter((name) => name !== "cpu")) {
  if (missing[engine]) {
    console.log(`skipped: the shipped model on ${engine}: ${missing[engine]}`);
  }
  Deno.test({
    name: `${engine} gives cpu's predictions of the shipped model within 1e-4`,
    ignore: missing[engine] !== undefined,
    async fn() {
      const actual = await predict(engine);
      for (const [name, expected] of Object.entries(reference)) {
        const error = difference(actual[name], expected);
        assert.ok(error < 1e-4, `${name} differs by ${error}`);
      }
    },
  });
}
