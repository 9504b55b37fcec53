import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { foldBatchNorms } from "../../src/checkpoints/_adapt.ts";
import {
  loadModel,
  type WeightReport,
} from "../../src/checkpoints/load_model.ts";
import { openCheckpoint } from "../../src/checkpoints/open_checkpoint.ts";
import { saveModel } from "../../src/checkpoints/save_model.ts";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import { isModelConfig } from "../../src/model/check_config.ts";
import { type ModelConfig, presets } from "../../src/model/config.ts";
import {
  adaptFeatures,
  encodeImage,
  frozenFeatures,
} from "../../src/model/image_encoder.ts";
import { Model, programsOf } from "../../src/model/model.ts";
import { declareTinyVit, tinyVit } from "../../src/model/tiny_vit.ts";
import type { Weights } from "../../src/model/weights.ts";
import {
  declareWeights,
  initializeWeights,
} from "../../src/model/declare_weights.ts";
import { relativeError } from "../helpers/sam_reference.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { asTensors } from "../helpers/small_model.ts";

/** By tests/reference/make_tiny_vit.py: LiteMedSAM's code, shrunken, random. */
const fixture = (name: string) =>
  new URL(`../fixtures/${name}`, import.meta.url);

const shrunken: ModelConfig = {
  ...presets.small,
  name: "shrunken",
  imageSize: 24,
  encoder: {
    stages: [
      { channels: 4, depth: 1, heads: 0, window: 0 },
      { channels: 6, depth: 2, heads: 2, window: 5 },
      { channels: 8, depth: 1, heads: 2, window: 4 },
      { channels: 12, depth: 1, heads: 3, window: 6 },
    ],
    neckChannels: 8,
    trunk: { channels: 20, depth: 1, heads: 2, mlpChannels: 12 },
  },
};

const { tensors: expected } = readSafetensors(
  await Deno.readFile(fixture("tiny_vit.safetensors")),
);
const published = new Map<string, HostTensor>();
{
  using checkpoint = foldBatchNorms(
    await openCheckpoint(fixture("tiny_vit.pth")),
  );
  for (const name of checkpoint.names) {
    published.set(name, await checkpoint.read(name));
  }
}

Deno.test("a TinyViT checkpoint holds, its batch normalizations folded, the weights that a config declares", () => {
  const declared = declareTinyVit(shrunken);
  assert.deepEqual(
    [...published].map(([name, { shape }]) => `${name} ${shape}`).sort(),
    declared.map(([name, { shape }]) => `${name} ${shape}`).sort(),
  );
  assert.ok(declared.every(([, { trainable }]) => !trainable));
});

for (const engine of ["cpu", "onnx", "wasm"] as const) {
  Deno.test(`tinyVit() agrees with LiteMedSAM's code in PyTorch, engine ${engine}`, async () => {
    await useEngine(engine, { threads: 1 });
    const run = jit(
      ({ weights, pixels }: { weights: Weights; pixels: tf.Tensor }) => ({
        features: tinyVit(weights, shrunken, pixels),
      }),
      { name: "tiny_vit" },
    );
    const { features } = await run({
      weights: Object.fromEntries(published),
      pixels: expected.get("pixels")!,
    });
    for (const name of ["embedding", "finer"] as const) {
      const error = relativeError(features[name], expected.get(name)!);
      assert.ok(error < 1e-5, `${name}: ${error}`);
    }
  });
}

Deno.test("small's encoder is its frozen features, standardized, and trained layers on them", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const own = initializeWeights(shrunken, 3);
    const mean = { data: new Float32Array(8).fill(0.5), shape: [8] };
    const deviation = { data: new Float32Array(8).fill(4), shape: [8] };
    const weights = asTensors(
      new Map([
        ...own,
        ...published as typeof own,
        ["image_encoder.features.embedding.mean", mean],
        ["image_encoder.features.embedding.deviation", deviation],
      ]),
    );
    const { data, shape } = expected.get("pixels")!;
    const pixels = tf.tensor(data, [...shape]);
    const features = frozenFeatures(weights, shrunken, pixels);
    const standard = expected.get("embedding")!.data.map((v) => (v - 0.5) / 4);
    const error = relativeError(
      {
        data: features.embedding.dataSync() as Float32Array,
        shape: features.embedding.shape,
      },
      { data: standard, shape: features.embedding.shape },
    );
    assert.ok(error < 1e-5, `${error}`);

    const onlyTrained = Object.fromEntries(
      Object.entries(weights).filter(([name]) =>
        declareWeights(shrunken).get(name)!.trainable
      ),
    );
    const { embedding } = features;
    const adapted = adaptFeatures(onlyTrained, shrunken, embedding, pixels);
    const encoded = encodeImage(weights, shrunken, pixels);
    assert.deepEqual(adapted.embedding.shape, [2, 3, 3, 64]);
    assert.deepEqual(adapted.detail!.shape, [2, 9, 4 * 64]);
    assert.deepEqual(
      adapted.embedding.dataSync(),
      encoded.embedding.dataSync(),
    );
    assert.deepEqual(adapted.detail!.dataSync(), encoded.detail!.dataSync());
  });
});

Deno.test("loadModel() puts small on another network's TinyViT: features measured, the rest drawn afresh", async () => {
  await useEngine("onnx", { threads: 1 });
  const reports: WeightReport[] = [];
  const load = (seed: number) =>
    loadModel(fixture("tiny_vit.pth"), {
      config: shrunken,
      seed,
      onReport: (report) => reports.push(report),
    });
  using model = await load(1);
  using other = await load(2);
  const [{ unexpected, misshapen, missing }] = reports;
  assert.deepEqual([unexpected, misshapen], [[], []]);
  const frozen = new Set(published.keys());
  for (const [name, { data }] of model.weights) {
    assert.equal(frozen.has(name), !missing.includes(name), name);
    if (frozen.has(name)) assert.deepEqual(data, published.get(name)!.data);
  }
  // phantoms are measured, whatever the seed
  const name = "image_encoder.features.finer.deviation";
  assert.deepEqual(model.weights.get(name), other.weights.get(name));
  assert.ok(model.weights.get(name)!.data.every((v) => v > 0.005 && v !== 1));
  const drawn = "fusion.layers.1.weight";
  assert.notDeepEqual(model.weights.get(drawn), other.weights.get(drawn));
});

Deno.test("the encoder of a TinyViT model is one program with its weights inside, and gives the same", async () => {
  await useEngine("onnx", { threads: 1 });
  using model = new Model(
    shrunken,
    new Map([
      ...initializeWeights(shrunken, 3),
      ...published as ReturnType<typeof initializeWeights>,
    ]),
  );
  const { encode } = programsOf(model);
  const { data } = expected.get("pixels")!;
  const pixels = {
    data: data.slice(0, 24 * 24 * 3) as Float32Array,
    shape: [1, 24, 24, 3],
  };
  const weights = await model.deviceWeights();
  const { image } = await encode({ weights, pixels });
  const [{ inputs }] = encode.programs();
  assert.deepEqual(inputs, ["pixels: float32[1,24,24,3]"]);
  const asInputs = jit(
    (inputs: { weights: Weights; pixels: tf.Tensor }) => ({
      ...encodeImage(inputs.weights, shrunken, inputs.pixels),
    }),
    { name: "encode" },
  );
  const same = await asInputs({ weights, pixels });
  const error = relativeError(await image.embedding.read(), same.embedding);
  assert.ok(error < 1e-5, `${error}`);
});

Deno.test("small's weights take at most 15 MB in float16, and come back", async () => {
  const folder = await temporaryFolder();
  const { small } = presets;
  using model = new Model(small, initializeWeights(small, 1));
  const path = `${folder}/small.safetensors`;
  await saveModel(model, path);
  const { size } = await Deno.stat(path);
  assert.ok(size <= 15e6, `${size}`);
  using same = await loadModel(path);
  assert.deepEqual(same.config, small);
  for (const [name, { data }] of model.weights) {
    const rounded = Float32Array.from(new Float16Array(data));
    assert.deepEqual(same.weights.get(name)!.data, rounded, name);
  }
});

Deno.test("loadModel() names TinyViT where a file holds one of no preset", async () => {
  await assert.rejects(
    loadModel(fixture("tiny_vit.pth")),
    /tensors are those of TinyViT and of no preset/,
  );
});

Deno.test("a config with TinyViT survives JSON and names the figure that does not fit", () => {
  const { encoder } = shrunken;
  if (!("stages" in encoder)) throw new Error();
  assert.ok(isModelConfig(JSON.parse(JSON.stringify(shrunken))));
  assert.ok(isModelConfig(JSON.parse(JSON.stringify(presets["lite-medsam"]))));
  assert.ok(!isModelConfig({ ...shrunken, encoder: { ...encoder, more: 1 } }));
  assert.ok(!isModelConfig({ ...shrunken, encoder: { stages: [] } }));
  const { trunk } = encoder;
  assert.ok(
    !isModelConfig({
      ...shrunken,
      encoder: { ...encoder, trunk: { ...trunk, depth: "1" } },
    }),
  );
  const mixing = (mixing: unknown) => ({
    ...shrunken,
    feedback: { ...shrunken.feedback, mixing },
  });
  assert.ok(isModelConfig(mixing({ channels: 8, dilations: [1, 2] })));
  assert.ok(!isModelConfig(mixing({ channels: 8, dilations: ["1"] })));
  assert.ok(!isModelConfig(mixing({ channels: 8, dilations: [1], more: 1 })));
  const [first, second, third, last] = encoder.stages;
  const wrong: [ModelConfig, RegExp][] = [
    [
      {
        ...shrunken,
        encoder: {
          ...encoder,
          stages: [first, { ...second, heads: 4 }, third, last],
        },
      },
      /encoder\.stages\[1\]\.channels must be a multiple of encoder\.stages\[1\]\.heads, 4: current value is 6$/,
    ],
    [
      {
        ...shrunken,
        encoder: {
          ...encoder,
          stages: [first, second, { ...third, window: 0 }, last],
        },
      },
      /encoder\.stages\[2\]\.window must be an integer of 1\.\.8192: current value is 0$/,
    ],
    [
      { ...shrunken, patchSize: 12 },
      /patchSize must be 8 or 32 for TinyViT: current value is 12$/,
    ],
    [
      { ...shrunken, encoder: { ...encoder, trunk: undefined } },
      /encoder\.trunk must be there where sam is not, and only there: current value is undefined$/,
    ],
    [
      {
        ...shrunken,
        encoder: { ...encoder, trunk: { ...trunk!, heads: 3 } },
      },
      /encoder\.trunk\.channels must be a multiple of encoder\.trunk\.heads, 3: current value is 20$/,
    ],
    [
      mixing({ channels: 8, dilations: [1, 0] }) as ModelConfig,
      /feedback\.mixing\.dilations\[1\] must be an integer of 1\.\.8192: current value is 0$/,
    ],
    [
      { ...shrunken, sam: { window: 4, globalBlocks: [], positionSide: 4 } },
      /sam must be true for TinyViT/,
    ],
  ];
  for (const [config, message] of wrong) {
    assert.throws(() => new Model(config, new Map()), message);
  }
});
