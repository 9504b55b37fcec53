/** Every engine that this machine has gives the same network. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { ENGINE_NAMES } from "../../src/engine/active_engine.ts";
import { availableEngines, useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import { scalar } from "../../src/engine/tensors.ts";
import { Model, programsOf } from "../../src/model/model.ts";
import { declareWeights } from "../../src/model/declare_weights.ts";
import { createRandom } from "../../src/random.ts";
import { decodeLatents } from "../../src/spa/decode_latents.ts";
import { packFeedback } from "../../src/spa/feedback.ts";
import { frameOf } from "../../src/spa/frame.ts";
import { drawVariations } from "../../src/spa/predictions.ts";
import { defaultLoss } from "../../src/training/loss.ts";
import { trainingStep } from "../../src/training/step.ts";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { ENGINE_OPTIONS, host } from "../helpers/engine_helpers.ts";
import {
  noisyWeights,
  normals,
  samConfig,
  smallConfig,
  withDecoder,
} from "../helpers/small_model.ts";

const frame = frameOf(32, 32, 32);
const random = createRandom(5);
const map = () => {
  const values = Float32Array.from({ length: 256 }, () => random.uniform());
  return ndarray(values, [16, 16]);
};
/** Two users of one image: one with a click, one with a box and a choice. */
const users = [
  { points: [{ x: 9, y: 20 }], choices: [], frame },
  {
    points: [{ x: 9, y: 20 }, { x: 2, y: 3, label: 0 as const }],
    box: { left: 3, top: 4, right: 20, bottom: 30 },
    choices: [{ recommended: map(), candidates: [map(), map()], chosen: 1 }],
    frame,
  },
];

const variants = {
  "plain upscaling, details": smallConfig,
  "SAM's upscaling": withDecoder({ plainUpscaling: false, detailChannels: 0 }),
  "SAM's networks": samConfig,
};
type Variant = keyof typeof variants;

/** Everything an engine computes for an image and its second user. */
async function forward(
  variant: Variant,
): Promise<Record<string, Float32Array>> {
  const config = variants[variant];
  using model = new Model(config, noisyWeights(config));
  const weights = await model.deviceWeights();
  const { image: { embedding, detail } } = await programsOf(model).encode({
    weights,
    pixels: host(normals([1, 32, 32, 3], 1), [1, 32, 32, 3]),
  });
  const { choice, ...prompts } = packFeedback(config, [users[1]]);
  const mixture = await programsOf(model).generate({
    ...prompts,
    weights,
    embedding,
    evidence: host(normals([1, 5], 2), [1, 5]),
  });
  const probabilities = await decodeLatents(
    model,
    { values: embedding, detail },
    { ...prompts, choice },
    host(normals([1, 7, 6], 3), [1, 7, 6]),
    { shared: mixture.shared },
  );
  const variations = await drawVariations(
    probabilities.data as Float32Array,
    new Float64Array(7).fill(1 / 7),
    6,
    createRandom(4),
    9,
  );
  const result = {
    embedding: (await embedding.read()).data,
    logWeights: mixture.logWeights.data,
    means: mixture.means.data,
    deviations: mixture.deviations.data,
    probabilities: probabilities.data,
    variations: variations.maps,
    gram: Float32Array.from(variations.gram),
  };
  embedding.dispose();
  detail?.dispose();
  return result as Record<string, Float32Array>;
}

/** Loss, gradients and probabilities of one training step. */
async function train(variant: Variant): Promise<Record<string, Float32Array>> {
  const config = variants[variant];
  const declared = [...declareWeights(config)];
  const weights = noisyWeights(config);
  const trained = declared.filter(([, { trainable }]) => trainable);
  const vector = new Float32Array(
    trained.flatMap(([name]) => [...weights.get(name)!.data]),
  );
  const zeros = () => host(new Float32Array(vector.length), [vector.length]);
  // beta1 0: the first moment is the gradient itself
  const run = jit(
    trainingStep(config, { ...defaultLoss, temperature: 0.02 }, {
      beta1: 0,
      beta2: 0.9,
      clipNorm: 1e9,
    }),
    { name: "trainingStep" },
  );
  const target = normals([2, 16, 16], 4).map((value) => Number(value > 0.5));
  const { state, loss, norm, probabilities } = await run({
    state: {
      parameters: host(vector, [vector.length]),
      firstMoment: zeros(),
      secondMoment: zeros(),
      average: zeros(),
    },
    frozen: Object.fromEntries(
      declared.filter(([, { trainable }]) => !trainable)
        .map(([name]) => [name, weights.get(name)!]),
    ),
    batch: {
      ...packFeedback(config, users),
      pixels: host(normals([1, 32, 32, 3], 1), [1, 32, 32, 3]),
      target: host(target, [2, 16, 16]),
      evidence: host(normals([2, 5], 2), [2, 5]),
      profile: host(normals([2, 5], 8), [2, 5]),
      noise: host(normals([2, 5, 6], 3), [2, 5, 6]),
    },
    scalars: {
      learningRate: scalar(1e-3),
      firstCorrection: scalar(1),
      secondCorrection: scalar(0.1),
      averageDecay: scalar(0.5),
    },
  });
  run.release();
  const parts: Record<string, Float32Array> = {
    loss: loss.data as Float32Array,
    norm: norm.data as Float32Array,
    probabilities: probabilities.data as Float32Array,
  };
  let offset = 0;
  for (const [name, { shape }] of trained) {
    const size = shape.reduce((product, side) => product * side, 1);
    const gradient = state.firstMoment.data as Float32Array;
    parts[`d ${name}`] = gradient.slice(offset, offset + size);
    offset += size;
  }
  return parts;
}

/** Largest difference of two lists of numbers. */
function largest(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((most, value, i) => {
    const error = Math.abs(value - b[i]);
    return Math.max(most, Number.isNaN(error) ? Infinity : error);
  }, 0);
}

const magnitude = (values: Float32Array) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

await useEngine("cpu");
const names = Object.keys(variants) as Variant[];
const forwards = new Map<Variant, Record<string, Float32Array>>();
const steps = new Map<Variant, Record<string, Float32Array>>();
for (const variant of names) {
  forwards.set(variant, await forward(variant));
  steps.set(variant, await train(variant));
}
const missing = await availableEngines(ENGINE_OPTIONS);

for (const engine of ENGINE_NAMES.filter((name) => name !== "cpu")) {
  const why = missing[engine] && "not on this machine";
  if (why) console.log(`skipped: the network on ${engine}: ${missing[engine]}`);
  for (const variant of names) {
    Deno.test({
      name: `${engine} gives cpu's network within 1e-3, ${variant}` +
        (why ? ` (${why})` : ""),
      ignore: why !== undefined,
      async fn() {
        await useEngine(engine, ENGINE_OPTIONS);
        const actual = await forward(variant);
        for (const [name, expected] of Object.entries(forwards.get(variant)!)) {
          const error = largest(actual[name], expected);
          assert.ok(error < 1e-3, `${name} differs by ${error}`);
        }
      },
    });

    Deno.test({
      name: `${engine} gives cpu's training step within 1e-3, ${variant}` +
        (why ? ` (${why})` : ""),
      ignore: why !== undefined,
      async fn() {
        await useEngine(engine, ENGINE_OPTIONS);
        const actual = await train(variant);
        const expected = steps.get(variant)!;
        assert.deepEqual(Object.keys(actual), Object.keys(expected));
        for (const [name, values] of Object.entries(expected)) {
          const scale = Math.max(1e-3, magnitude(values));
          const error = largest(actual[name], values) / scale;
          assert.ok(error < 1e-3, `${name} differs by ${error} of its largest`);
        }
      },
    });
  }
}

Deno.test("a training step gives every weight a gradient", () => {
  // but the keys' biases, which no softmax over the keys sees
  const small = Object.entries(steps.get("plain upscaling, details")!)
    .filter(([name, values]) =>
      !name.endsWith("k_proj.bias") && magnitude(values) < 1e-6
    ).map(([name]) => name);
  assert.deepEqual(small, []);
});

Deno.test("a training step and a network leave no tensor behind on an eager engine", async () => {
  await useEngine("cpu");
  const before = tf.memory().numTensors;
  await train("plain upscaling, details");
  await forward("plain upscaling, details");
  assert.equal(tf.memory().numTensors, before);
});
