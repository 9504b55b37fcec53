/** Decoding some samples at a time, and prompt slots that are compiled ahead. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { Model, programsOf } from "../../src/model/model.ts";
import { frameOf } from "../../src/spa/frame.ts";
import { createRandom } from "../../src/random.ts";
import { decodeLatents } from "../../src/spa/decode_latents.ts";
import { encode } from "../../src/spa/encode.ts";
import { type FeedbackInputs, packFeedback } from "../../src/spa/feedback.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { assertClose, host } from "../helpers/engine_helpers.ts";
import {
  noisyWeights,
  samConfig,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("onnx");

function normals(shape: number[]) {
  const random = createRandom(3);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return host(Float32Array.from({ length: size }, random.normal), shape);
}

const image = ndarray(
  Float32Array.from({ length: 32 * 32 }, (_, i) => (i * 37 % 101) / 100),
  [32, 32, 1],
);

/** Feedback of some clicks and, if asked for, of one choice. */
function feedback(model: Model, clicks: number, chosen = false) {
  const side = model.config.imageSize / model.config.patchSize * 4;
  const map = (value: number) =>
    ndarray(new Float32Array(side * side).fill(value), [side, side]);
  const choices = [{
    recommended: map(0.4),
    candidates: [map(0.9), map(0.2)],
    chosen: 0,
  }];
  return packFeedback(model.config, [{
    points: Array.from({ length: clicks }, (_, i) => ({ x: 3 * i, y: 9 })),
    choices: chosen ? choices : [],
    frame: frameOf(32, 32, model.config.imageSize),
  }]);
}

for (const config of [smallConfig, samConfig]) {
  Deno.test(`decodeLatents() gives the same maps however many samples it takes at once${config.sam ? ", SAM's networks" : ""}`, async () => {
    using model = new Model(config, noisyWeights(config));
    using embedding = await encode(model, image);
    const latents = normals([1, 7, config.latentChannels]);
    const maps = async (atOnce?: number) => {
      const inputs = feedback(model, 1, true);
      const { data, shape } = await decodeLatents(
        model,
        embedding,
        inputs,
        latents,
        { atOnce },
      );
      assert.deepEqual(shape, [1, 7, 16, 16]);
      return data;
    };
    const expected = await maps();
    assert.deepEqual(await maps(7), expected);
    for (const atOnce of [1, 3]) {
      assertClose(await maps(atOnce), expected, 1e-5);
    }
  });
}

Deno.test("decodeLatents() compiles nothing when a click is added", async () => {
  using model = new Model(samConfig, noisyWeights(samConfig));
  using embedding = await encode(model, image);
  const latents = normals([1, 2, samConfig.latentChannels]);
  const { generate, share, decode } = programsOf(model);
  const compiled = (labels: string) =>
    [generate, share].map((program) =>
      program.programs().some(({ inputs }) =>
        inputs.includes(`labels: ${labels}`)
      )
    );
  await decodeLatents(model, embedding, feedback(model, 1), latents);
  assert.deepEqual(compiled("float32[1,4]"), [true, true]);
  assert.deepEqual(compiled("float32[1,8]"), [false, false]);
  for (const clicks of [2, 3, 4, 5]) {
    const inputs = feedback(model, clicks);
    const [, slots] = inputs.labels.shape;
    assert.ok(compiled(`float32[1,${slots}]`).every((value) => value));
    const before = decode.programs().map(({ inputs }) => `${inputs}`);
    await decodeLatents(model, embedding, inputs, latents);
    const after = decode.programs().map(({ inputs }) => `${inputs}`);
    const added = after.filter((inputs) => !before.includes(inputs));
    assert.ok(added.every((inputs) => !inputs.includes(`[1,${slots}]`)));
  }
});

Deno.test("slots that nobody filled have no influence on the shipped model", async () => {
  using model = await loadModel("tiny");
  using embedding = await encode(model, image);
  const latents = normals([1, 6, model.config.latentChannels]);
  const inputs = feedback(model, 1, true);
  const padded = (slots: number): FeedbackInputs => {
    const points = host(new Float32Array(2 * slots).fill(7), [1, slots, 2]);
    points.data.set(inputs.points.data);
    const labels = host(new Float32Array(slots).fill(-2), [1, slots]);
    labels.data.set(inputs.labels.data);
    return { ...inputs, points, labels };
  };
  const expected = await decodeLatents(model, embedding, inputs, latents);
  assert.deepEqual(inputs.labels.shape, [1, 2]);
  for (const slots of [4, 8]) {
    const maps = await decodeLatents(model, embedding, padded(slots), latents);
    assertClose(maps.data, expected.data, 2e-6);
    const filled = padded(slots);
    filled.labels.data.fill(1, 2); // the test sees slots that are filled
    const others = await decodeLatents(model, embedding, filled, latents);
    assert.throws(() => assertClose(others.data, expected.data, 1e-4));
  }
});
