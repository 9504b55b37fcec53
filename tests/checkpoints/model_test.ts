import assert from "node:assert/strict";
import { startCpuTime } from "../helpers/cpu_time.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { saveModel } from "../../src/checkpoints/save_model.ts";
import {
  readSafetensors,
  writeSafetensors,
} from "../../src/checkpoints/safetensors.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import { type ModelConfig, presets } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const folder = await temporaryFolder();

const weights = noisyWeights(smallConfig);
const facts = { training_data: "discs", license: "CC0", dice: "0.9" };
const model = new Model(smallConfig, weights, facts);
const config = JSON.stringify(smallConfig);

let files = 0;
/** A file of these bytes. */
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = `${folder}/${files++}.safetensors`;
  await Deno.writeFile(path, bytes);
  return path;
}

Deno.test("a model comes back exactly from a float32 file", async () => {
  const path = `${folder}/exact.safetensors`;
  await saveModel(model, path, { dtype: "float32" });
  const loaded = await loadModel(path);
  assert.deepEqual(loaded.config, smallConfig);
  assert.deepEqual(loaded.metadata, facts);
  assert.deepEqual(
    [...loaded.weights.keys()].sort(),
    [...weights.keys()].sort(),
  );
  for (const [name, { data, shape }] of weights) {
    assert.deepEqual(loaded.weights.get(name)!.data, data);
    assert.deepEqual(loaded.weights.get(name)!.shape, shape);
  }
});

Deno.test("optional parts of a config come back with a model", async () => {
  const path = `${folder}/options.safetensors`;
  const parts: Partial<ModelConfig>[] = [
    { pixelScaling: "min-max" },
    { scalarMoments: true },
  ];
  for (const part of parts) {
    const config = { ...smallConfig, ...part };
    await saveModel(new Model(config, initializeWeights(config, 1)), path);
    assert.deepEqual((await loadModel(path)).config, config);
  }
});

Deno.test("a model comes back with intensities below 0", async () => {
  const below: ModelConfig = { ...smallConfig, pixelMean: [-0.1, -0.1, -0.1] };
  const path = `${folder}/below.safetensors`;
  await saveModel(new Model(below, weights), path);
  assert.deepEqual((await loadModel(path)).config, below);
});

Deno.test("a model comes back from a float16 file, the default, rounded to the nearest", async () => {
  const path = `${folder}/half.safetensors`;
  await saveModel(model, path);
  const loaded = await loadModel(new URL(`file://${path}`));
  for (const [name, { data }] of weights) {
    const rounded = new Float32Array(Float16Array.from(data));
    assert.deepEqual(loaded.weights.get(name)!.data, rounded);
  }
  const exact = await Deno.stat(`${folder}/exact.safetensors`);
  const half = await Deno.stat(path);
  assert.ok(half.size < 0.7 * exact.size);
});

Deno.test("saveModel() makes missing folders and leaves nothing but the file", async () => {
  const path = `${folder}/new/deep/model.safetensors`;
  await saveModel(model, path);
  await saveModel(model, path); // over the old one
  const names = [...Deno.readDirSync(`${folder}/new/deep`)].map((e) => e.name);
  assert.deepEqual(names, ["model.safetensors"]);
});

Deno.test("saveModel() leaves the old file as it was when it cannot write", async () => {
  const path = `${folder}/kept.safetensors`;
  await saveModel(model, path);
  const before = await Deno.readFile(path);
  const broken = new Map(weights);
  const name = "fusion.layers.0.bias";
  broken.set(name, { data: new Float32Array(16).fill(1e6), shape: [16] });
  await assert.rejects(
    () => saveModel(new Model(smallConfig, broken), path),
    /^RangeError: Cannot write safetensors as every value of "fusion\.layers\.0\.bias" must fit float16/,
  );
  assert.deepEqual(await Deno.readFile(path), before);
  const folderOf = `${folder}/blocked`;
  await Deno.mkdir(`${folderOf}/model.safetensors/inside`, { recursive: true });
  await assert.rejects(
    () => saveModel(model, `${folderOf}/model.safetensors`),
  ); // a folder stands there
  const names = [...Deno.readDirSync(folderOf)].map((entry) => entry.name);
  assert.deepEqual(names, ["model.safetensors"]);
});

Deno.test("saveModel() puts a whole file in the old one's place: who reads the old one reads on", async () => {
  const path = `${folder}/read.safetensors`;
  await saveModel(model, path, { dtype: "float32" });
  const before = await Deno.readFile(path);
  using reader = await Deno.open(path);
  const start = new Uint8Array(100);
  await reader.read(start);
  await saveModel(model, path);
  const rest = new Uint8Array(before.length - 100);
  for (let at = 0; at < rest.length;) {
    const count = await reader.read(rest.subarray(at));
    assert.ok(count !== null, "the old file became shorter");
    at += count;
  }
  assert.deepEqual(rest, before.subarray(100));
});

/** The bytes of the model with some weights and metadata changed. */
function bytesOf(
  change: (
    tensors: Map<string, { data: Float32Array; shape: number[] }>,
  ) => void = () => {},
  metadata: Record<string, string> = { config },
): Uint8Array {
  const tensors = new Map(
    [...weights].map(([name, { data, shape }]) => [
      name,
      { data: data.slice(), shape: [...shape] },
    ]),
  );
  change(tensors);
  return writeSafetensors(tensors, metadata, { finite: false });
}

/** Expects a refusal of a file of these bytes. */
async function refuses(
  bytes: Uint8Array,
  type: typeof RangeError | typeof TypeError,
  message: RegExp,
) {
  const path = await fileOf(bytes);
  await assert.rejects(() => loadModel(path), (error) => {
    assert.ok(error instanceof type, `${error}`);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("loadModel() refuses a truncated file, wherever it ends", async () => {
  const bytes = bytesOf();
  for (const length of [0, 5, 9, 200, bytes.length >> 1, bytes.length - 1]) {
    await refuses(
      bytes.subarray(0, length),
      RangeError,
      /^Cannot read safetensors as .* must .*: current value is /,
    );
  }
});

Deno.test("loadModel() refuses a header that lies about its length", async () => {
  const bytes = bytesOf();
  new DataView(bytes.buffer).setBigUint64(0, 2n ** 40n, true);
  await refuses(bytes, RangeError, /its header must be <= 16777216 bytes/);
});

Deno.test("loadModel() refuses a header that lies about a shape", async () => {
  const bytes = bytesOf();
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf('"fusion.layers.0.weight"');
  const digits = text.indexOf("[16,22]", at);
  assert.ok(at > 0 && digits > at);
  bytes.set(new TextEncoder().encode("[96,22]"), digits);
  await refuses(
    bytes,
    RangeError,
    /"fusion\.layers\.0\.weight" must be F32 \[96,22\], 8448 bytes/,
  );
});

Deno.test("loadModel() refuses weights that are NaN or infinite, and names them", async () => {
  for (const value of [NaN, Infinity]) {
    const bytes = bytesOf((tensors) =>
      tensors.get("image_encoder.pos_embed")!.data[3] = value
    );
    await refuses(
      bytes,
      RangeError,
      new RegExp(
        `every value of "image_encoder\\.pos_embed" must be finite: current value at 3 is ${value}$`,
      ),
    );
  }
});

Deno.test("loadModel() refuses weights that are no floats", async () => {
  const whole = { data: new Int32Array(16), shape: [16] };
  const tensors = new Map<string, HostTensor>(weights);
  await refuses(
    writeSafetensors(tensors.set("fusion.layers.0.bias", whole), { config }),
    RangeError,
    /weight "fusion\.layers\.0\.bias" must be of floats: current type is int32$/,
  );
});

const noConfig =
  /as its metadata must hold its config as JSON, or the option config be given: current value is /;

Deno.test("loadModel() refuses a file without a config", async () => {
  await refuses(
    bytesOf(undefined, { note: "x" }),
    RangeError,
    /config as JSON, or the option config be given: current value is missing, and its \d+ tensors are those of ViT at 32 px and of no preset \(.*tiny/,
  );
  for (
    const text of ["", "{", "null", "[]", "5", "{}", '{"name": "tiny"}']
  ) {
    await refuses(bytesOf(undefined, { config: text }), RangeError, noConfig);
  }
});

Deno.test("loadModel() refuses a config with a part missing, added or of another type", async () => {
  const { decoder, ...rest } = smallConfig;
  const cases = [
    rest,
    { ...smallConfig, more: 1 },
    { ...smallConfig, channels: "16" },
    { ...smallConfig, decoder: { ...decoder, plainUpscaling: 1 } },
    { ...smallConfig, decoder: { ...decoder, lastUpscaling: "4" } },
    { ...smallConfig, decoder: null },
    { ...smallConfig, pixelMean: [0.4, 0.5] },
    { ...smallConfig, encoder: null },
    { ...smallConfig, pixelScaling: "other" },
    { ...smallConfig, pixelScaling: null },
    { ...smallConfig, scalarMoments: 1 },
  ];
  for (const value of cases) {
    await refuses(
      bytesOf(undefined, { config: JSON.stringify(value) }),
      RangeError,
      noConfig,
    );
  }
});

Deno.test("loadModel() refuses absurd figures in a config, before anything is made of them", async () => {
  const { encoder, decoder } = smallConfig;
  const cases = [
    { ...smallConfig, imageSize: 1e9 },
    { ...smallConfig, components: -5 },
    { ...smallConfig, encoder: { ...encoder, depth: 1e7 } },
    { ...smallConfig, encoder: { ...encoder, heads: 0 } },
    { ...smallConfig, encoder: { ...encoder, heads: 7 } },
    { ...smallConfig, patchSize: 0 },
    { ...smallConfig, patchSize: 0.001 },
    { ...smallConfig, latentChannels: 1.5 },
    { ...smallConfig, decoder: { ...decoder, upscaling: [10, 0] } },
  ];
  for (const value of cases) {
    const spent = startCpuTime();
    await refuses(
      bytesOf(undefined, { config: JSON.stringify(value) }),
      RangeError,
      /^Cannot (load|build) the model .* must .*: current value is /,
    );
    assert.ok(spent() < 5000, `${spent()} ms`);
  }
  const text = config.replace('"imageSize":32', '"imageSize":1e999');
  await refuses(
    bytesOf(undefined, { config: text }),
    RangeError,
    /imageSize must be .*: current value is Infinity/,
  );
});

Deno.test("loadModel() refuses a checkpoint of another config, naming what differs", async () => {
  const wider = { ...smallConfig, generatorChannels: 20 };
  await refuses(
    bytesOf(undefined, { config: JSON.stringify(wider) }),
    TypeError,
    /^Cannot load the model .* as its weights must be those of config "small": \d+ misshapen \(preference_generator\.moments\.layers\.0\.weight: \[18,64\] instead of \[20,64\], /,
  );
  await refuses(
    bytesOf(undefined, { config: JSON.stringify(presets.tiny) }),
    TypeError,
    /config "tiny": \d+ missing \(.+\); \d+ unexpected \(.+\); \d+ misshapen \(/,
  );
});

Deno.test("loadModel() refuses a checkpoint with names missing or unexpected", async () => {
  await refuses(
    bytesOf((tensors) => {
      const name = "prompt_encoder.no_mask_embed.weight";
      tensors.set("prompt_encoder.no_mask", tensors.get(name)!);
      tensors.delete(name);
    }),
    TypeError,
    /1 missing \(prompt_encoder\.no_mask_embed\.weight\); 1 unexpected \(prompt_encoder\.no_mask\)$/,
  );
});

Deno.test("loadModel() says which file is missing", async () => {
  const path = `${folder}/nowhere.safetensors`;
  await assert.rejects(() => loadModel(path), (error) => {
    assert.ok(error instanceof Deno.errors.NotFound);
    assert.match(error.message, /nowhere\.safetensors/);
    return true;
  });
});

Deno.test("the file says what it is: config and facts in its metadata", async () => {
  const path = `${folder}/told.safetensors`;
  await saveModel(model, path);
  const { metadata } = readSafetensors(await Deno.readFile(path));
  assert.deepEqual(metadata, { ...facts, config });
});
