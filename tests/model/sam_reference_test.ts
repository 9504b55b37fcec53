/**
 * segment-anything's networks against its own code in PyTorch: random weights,
 * fixtures written by tests/reference/make.py.
 */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import {
  readSafetensors,
  writeSafetensors,
} from "../../src/checkpoints/safetensors.ts";
import { saveModel } from "../../src/checkpoints/save_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import type { ModelConfig, SamConfig } from "../../src/model/config.ts";
import { Model, programsOf } from "../../src/model/model.ts";
import { encodeMaskPrompts } from "../../src/model/prompt_encoder.ts";
import type { HostWeights } from "../../src/model/weights.ts";
import {
  declareWeights,
  initializeWeights,
} from "../../src/model/declare_weights.ts";
import { encode } from "../../src/spa/encode.ts";
import { packPoints } from "../../src/spa/feedback.ts";
import { frameOf } from "../../src/spa/frame.ts";
import { predictMasks } from "../../src/spa/predict_masks.ts";
import { asTensors } from "../helpers/small_model.ts";
import { imageOf, promptsOf, relativeError } from "../helpers/sam_reference.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const fixture = (name: string) =>
  readSafetensors(
    Deno.readFileSync(new URL(`../fixtures/${name}`, import.meta.url)),
  );
const stored = fixture("sam_weights.safetensors");
const config: ModelConfig = JSON.parse(stored.metadata.config);
const sizes = fixture("sam_sizes.safetensors").tensors;
const prompts = fixture("sam_prompts.safetensors").tensors;
const CASES = ["point", "points", "box", "box-points", "mask-point", "mask"];

/** SAM's weights of the fixture, and fresh ones for what SPA adds. */
function weightsOf(config: ModelConfig): HostWeights {
  const weights = new Map(initializeWeights(config, 1));
  for (const [name, tensor] of stored.tensors) {
    weights.set(name, tensor as HostTensor & { data: Float32Array });
  }
  return weights;
}

function close(actual: HostTensor, expected: HostTensor, what: string) {
  const error = relativeError(actual, expected);
  assert.ok(error < 1e-3, `${what} differs by ${error} of its largest`);
}

Deno.test("SAM's weights are those of segment-anything's state dict, name by name", () => {
  const declared = [...declareWeights(config)]
    .filter(([, { origin }]) => origin === "sam")
    .map(([name, { shape }]) => `${name} [${shape}]`);
  const found = [...stored.tensors]
    .map(([name, { shape }]) => `${name} [${shape}]`);
  assert.deepEqual(declared.sort(), found.sort());
});

for (const engine of ["cpu", "onnx"] as const) {
  for (const size of [8, 16, 24, 32]) {
    Deno.test(`the image embedding at ${size} px is PyTorch's, ${engine}`, async () => {
      await useEngine(engine);
      const resized = { ...config, imageSize: size };
      using model = new Model(resized, weightsOf(resized));
      const image = imageOf(sizes.get(`${size}/image`)!);
      using embedding = await encode(model, image);
      const expected = sizes.get(`${size}/embedding`)!;
      close(await embedding.values.read(), expected, "embedding");
    });
  }

  Deno.test(`masks and IoU of every kind of prompt are PyTorch's, ${engine}`, async () => {
    await useEngine(engine);
    using model = new Model(config, weightsOf(config));
    using embedding = await encode(model, imageOf(prompts.get("image")!));
    for (const name of CASES) {
      const given = promptsOf(prompts, name);
      const masks = [
        ...await predictMasks(model, embedding, given, { multimask: false }),
        ...await predictMasks(model, embedding, given),
      ];
      const logits = prompts.get(`${name}/logits`)!; // [4, 4h, 4h]
      const iou = prompts.get(`${name}/iou`)!;
      const area = logits.shape[1] * logits.shape[2];
      masks.forEach((mask, i) => {
        close(
          mask.logits as unknown as HostTensor,
          {
            data: logits.data.slice(i * area, (i + 1) * area),
            shape: logits.shape.slice(1),
          },
          `mask ${i} of ${name}`,
        );
      });
      close(
        { data: Float32Array.from(masks, (m) => m.iou), shape: [4] },
        iou,
        `IoU of ${name}`,
      );
    }
  });
}

Deno.test("embedded prompts are PyTorch's, empty slots aside", async () => {
  await useEngine("cpu");
  const weights = asTensors(weightsOf(config));
  const side = config.imageSize / config.patchSize * 4;
  for (const name of CASES) {
    const { points = [], box, logits } = promptsOf(prompts, name);
    const packed = packPoints([{ points, box, frame: frameOf(24, 18, 24) }]);
    const { sparse, filled, dense } = encodeMaskPrompts(weights, config, {
      points: tf.tensor(packed.points.data, [...packed.points.shape]),
      labels: tf.tensor(packed.labels.data, [...packed.labels.shape]),
      mask: tf.tensor(
        logits?.data ?? new Float32Array(side * side),
        [1, side, side, 1],
      ),
      hasMask: tf.tensor1d([logits ? 1 : 0]),
    });
    const expected = prompts.get(`${name}/sparse`)!; // [1, T, L]
    const T = expected.shape[1];
    assert.equal(tf.sum(filled).dataSync()[0], T, name);
    if (T > 0) {
      const tokens = tf.slice(sparse, [0, 0, 0], [1, T, config.channels]);
      close(
        { data: tokens.dataSync() as Float32Array, shape: tokens.shape },
        expected,
        `prompt tokens of ${name}`,
      );
    }
    if (name === "mask") {
      close(
        { data: dense.dataSync() as Float32Array, shape: dense.shape },
        prompts.get("mask/dense")!,
        "dense embedding",
      );
    }
  }
});

Deno.test("predictMasks() gives masks at the image's size, refinable, of a SAM only", async () => {
  await useEngine("onnx");
  using model = new Model(config, weightsOf(config));
  const image = ndarray(new Float32Array(30 * 41).fill(0.5), [30, 41, 1]);
  using embedding = await encode(model, image);
  const points = [{ x: 40, y: 29 }];
  const first = await predictMasks(model, embedding, { points });
  assert.equal(first.length, 3);
  assert.deepEqual(first[0].mask.shape, [30, 41]);
  const [refined] = await predictMasks(
    model,
    embedding,
    { points, logits: first[2].logits },
    { multimask: false },
  );
  assert.deepEqual(refined.logits.shape, [24, 24]);
  assert.notDeepEqual(refined.logits.data, first[2].logits.data);

  const refuse = (prompts: Parameters<typeof predictMasks>[2], what: RegExp) =>
    assert.rejects(predictMasks(model, embedding, prompts), what);
  await refuse({}, /must be a point, a box or logits: current value is none/);
  await refuse({ points: [{ x: 41, y: 0 }] }, /must lie in the image/);
  await refuse(
    { box: { left: 5, top: 1, right: 5, bottom: 9 } },
    /left must be < right/,
  );
  await refuse(
    { logits: ndarray(new Float32Array(4), [2, 2]) },
    /logits' shape must be \[24,24\]: current value is \[2,2\]/,
  );
  await refuse(
    { logits: ndarray([0], [1]) as unknown as NdArray<Float32Array> },
    /logits' shape must be \[24,24\]: current value is \[1\]/,
  );
  const doubles = ndarray(new Float64Array(576), [24, 24]);
  await refuse(
    { logits: doubles as unknown as NdArray<Float32Array> },
    /values must be a Float32Array: current value is a Float64Array$/,
  );
  for (const value of [NaN, Infinity]) {
    const logits = ndarray(new Float32Array(576), [24, 24]);
    logits.set(1, 2, value);
    await refuse(
      { points, logits },
      new RegExp(`logit must be finite: current value at 26 is ${value}$`),
    );
  }
  for (const [label, shown] of [[2, 2], [-1, -1], [NaN, NaN], ["0", '"0"']]) {
    await refuse(
      { points: [{ x: 1, y: 1, label: label as 0 | 1 }] },
      new RegExp(
        `must be 1, inside, or 0, outside: current value is ${shown}$`,
      ),
    );
  }
});

Deno.test("predictMasks() compiles one program for 1 to 7 clicks, or a box and 6", async () => {
  await useEngine("onnx");
  using model = new Model(config, weightsOf(config));
  const image = ndarray(new Float32Array(24 * 24).fill(0.5), [24, 24, 1]);
  using embedding = await encode(model, image);
  const box = { left: 2, top: 3, right: 20, bottom: 15 };
  const compiled = () => programsOf(model).predict.programs().length;
  for (let clicks = 1; clicks <= 7; clicks++) {
    const points = Array.from(
      { length: clicks },
      (_, k) => ({ x: 3 * k, y: 9 }),
    );
    await predictMasks(model, embedding, { points });
    const boxed = { points: points.slice(1), box };
    await predictMasks(model, embedding, boxed);
    assert.equal(compiled(), 1, `${clicks} clicks`);
  }
  const points = Array.from({ length: 8 }, (_, k) => ({ x: 3 * k, y: 9 }));
  await predictMasks(model, embedding, { points });
  assert.equal(compiled(), 2);
});

Deno.test("a SAM comes back from a file, and one whose config lies does not", async () => {
  await useEngine("cpu");
  const path = `${await temporaryFolder()}/model.safetensors`;
  using model = new Model(config, weightsOf(config));
  await saveModel(model, path, { dtype: "float32" });
  using loaded = await loadModel(path);
  assert.deepEqual(loaded.config, config);
  assert.deepEqual(
    loaded.weights.get("mask_decoder.iou_token.weight"),
    model.weights.get("mask_decoder.iou_token.weight"),
  );
  const sam = config.sam as SamConfig;
  const shape =
    /must hold its config as JSON, or the option config be given: current value is /;
  for (
    const [lie, message] of [
      [null, shape],
      [{}, shape],
      [{ ...sam, more: 1 }, shape],
      [{ ...sam, window: "4" }, shape],
      [{ ...sam, globalBlocks: 1 }, shape],
      [{ ...sam, globalBlocks: ["1"] }, shape],
      [
        { ...sam, globalBlocks: [1e9] },
        /sam\.globalBlocks must be blocks of the encoder, 0\.\.2: current value is 1000000000$/,
      ],
      [
        { ...sam, positionSide: -1 },
        /sam\.positionSide must be an integer of 1\.\.8192: current value is -1$/,
      ],
    ] as const
  ) {
    const metadata = { config: JSON.stringify({ ...config, sam: lie }) };
    await Deno.writeFile(path, writeSafetensors(model.weights, metadata));
    await assert.rejects(loadModel(path), message);
  }
});
