import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { takePrepared } from "../../src/spa/prepared.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";

await useEngine("onnx");

const image = ndarray(
  Float32Array.from({ length: 32 * 32 }, (_, i) => (i * 37 % 101) / 100),
  [32, 32, 1],
);

/** A model, an embedding, a preference just made, and latents of it. */
async function started() {
  const model = new Model(smallConfig, noisyWeights(smallConfig));
  const embedding = await encode(model, image, { region: "whole" });
  const points = [{ x: 9, y: 12 }];
  const preference = await startPreference(model, embedding, { points });
  const latents = sampleGMM(preference.distribution, { samples: 7 });
  return { model, embedding, preference, latents };
}

Deno.test("decode() gives the same maps with and without what the generator prepared", async () => {
  const { model, embedding, preference, latents } = await started();
  const maps = async () => {
    const predictions = await decode(model, embedding, preference, { latents });
    return predictions.probabilities.data;
  };
  const prepared = await maps(); // takes what there is
  assert.deepEqual(await maps(), prepared);
  embedding.dispose();
  model.dispose();
});

Deno.test("what is prepared is taken once, for the same feedback and weights alone", async () => {
  const { model, embedding, preference: { feedback } } = await started();
  const weights = await model.deviceWeights();
  const other = { ...feedback };
  assert.equal(
    takePrepared(embedding, { feedback: other, weights }),
    undefined,
  );
  assert.equal(takePrepared(embedding, { feedback, weights: {} }), undefined);
  const found = takePrepared(embedding, { feedback, weights });
  assert.deepEqual(found?.shared.base.shape, [1, 16, 16]);
  assert.equal(takePrepared(embedding, { feedback, weights }), undefined);
  for (const tensor of Object.values(found!.shared)) tensor.dispose();
  embedding.dispose();
  model.dispose();
});

Deno.test("an embedding that is disposed leaves nothing prepared", async () => {
  const { model, embedding, preference: { feedback } } = await started();
  const weights = await model.deviceWeights();
  embedding.dispose();
  assert.equal(takePrepared(embedding, { feedback, weights }), undefined);
  model.dispose();
});
