import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { presets, type SamConfig } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import { sizeOf } from "../../src/engine/tensors.ts";
import type { HostWeights } from "../../src/model/weights.ts";
import {
  declareWeights,
  initializeWeights,
} from "../../src/model/declare_weights.ts";
import { encode } from "../../src/spa/encode.ts";
import {
  discImage,
  samConfig,
  smallConfig,
  withDecoder,
} from "../helpers/small_model.ts";

await useEngine("cpu");

const image = discImage(32, 32, { x: 16, y: 16, radius: 8 });
const weights = () => new Map(initializeWeights(smallConfig, 1));

function refuses(weights: HostWeights, message: RegExp) {
  assert.throws(
    () => new Model(smallConfig, weights),
    (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(
        error.message,
        /^Cannot build the model as its weights must be those of config "small": /,
      );
      assert.match(error.message, message);
      return true;
    },
  );
}

Deno.test("new Model() names a missing weight", () => {
  const without = weights();
  without.delete("image_encoder.pos_embed");
  refuses(without, /: 1 missing \(image_encoder\.pos_embed\)$/);
});

Deno.test("new Model() names an unexpected weight", () => {
  const more = weights();
  more.set("head.bias", { data: new Float32Array(1), shape: [1] });
  refuses(more, /: 1 unexpected \(head\.bias\)$/);
});

Deno.test("new Model() names a misshapen weight with both shapes", () => {
  const turned = weights();
  const name = "fusion.layers.0.weight";
  const { data } = turned.get(name)!;
  turned.set(name, { data, shape: [22, 16] });
  refuses(
    turned,
    /: 1 misshapen \(fusion\.layers\.0\.weight: \[22,16\] instead of \[16,22\]\)$/,
  );
});

Deno.test("new Model() names a weight whose values do not fill its shape", () => {
  const short = weights();
  const name = "fusion.layers.0.weight";
  const { data, shape } = short.get(name)!;
  short.set(name, { data: data.slice(1), shape });
  assert.throws(
    () => new Model(smallConfig, short),
    /^TypeError: Cannot build the model as weight "fusion\.layers\.0\.weight" must have the 352 values of its shape \[16,22\]: current value is 351$/,
  );
});

Deno.test("new Model() names three of each kind and counts the rest", () => {
  const count = declareWeights(smallConfig).size;
  const other = new Map([["a", { data: new Float32Array(1), shape: [1] }]]);
  refuses(
    other,
    new RegExp(
      `: ${count} missing \\([^,]+, [^,]+, [^,]+, \\.\\.\\.\\); 1 unexpected \\(a\\)$`,
    ),
  );
});

Deno.test("new Model() refuses a config that makes no network, and says which number", () => {
  const { encoder, decoder, feedback } = smallConfig;
  const sam = samConfig.sam as SamConfig;
  const cases: [Partial<typeof smallConfig>, RegExp][] = [
    [{ imageSize: 36 }, /imageSize must be a multiple of patchSize, 8.* 36$/],
    [{ generatorChannels: 8193 }, /generatorChannels must be .* 8193$/],
    [{ pixelMean: [0, NaN, 0] }, /pixelMean must be .* 0,NaN,0$/],
    [{ pixelDeviation: [1, 9e9, 1] }, /pixelDeviation must be .* 1,9.*,1$/],
    [{ imageSize: 0 }, /imageSize must be an integer of 1\.\.8192.* 0$/],
    [{ patchSize: 8.5 }, /patchSize must be an integer of 1\.\.8192.* 8\.5$/],
    [{ components: 0 }, /components must be an integer of 1\.\.8192.* 0$/],
    [{ channels: 15 }, /channels must be .*even.* 15$/],
    [
      { encoder: { ...encoder, heads: 0 } },
      /encoder\.heads must be an integer of 1\.\.8192.* 0$/,
    ],
    [
      { encoder: { ...encoder, heads: 5 } },
      /encoder\.channels must be a multiple of encoder\.heads, 5.* 24$/,
    ],
    [{ decoder: { ...decoder, heads: 3 } }, /multiple of decoder\.heads, 3/],
    [
      { decoder: { ...decoder, attentionDownsample: 5 } },
      /multiple of decoder\.attentionDownsample, 5/,
    ],
    [{ feedback: { ...feedback, heads: 7 } }, /multiple of feedback\.heads, 7/],
    [{ patchSize: 1, imageSize: 4 }, /patchSize must be even.* 1$/],
    [
      { pixelDeviation: [0.3, 0, 0.2] },
      /pixelDeviation must be > 0.* 0\.3,0,0\.2$/,
    ],
    [
      { ...samConfig, sam: { ...sam, window: 0 } },
      /sam\.window must be an integer of 1\.\.8192.* 0$/,
    ],
    [
      { ...samConfig, sam: { ...sam, positionSide: 1.5 } },
      /sam\.positionSide must be an integer of 1\.\.8192.* 1\.5$/,
    ],
    [
      { ...samConfig, sam: { ...sam, globalBlocks: [0, 2] } },
      /sam\.globalBlocks must be blocks of the encoder, 0\.\.1.* 2$/,
    ],
    [
      { ...samConfig, decoder },
      /decoder\.plainUpscaling must be false for SAM.* true$/,
    ],
    [
      { ...samConfig, decoder: { ...decoder, plainUpscaling: false } },
      /decoder\.detailChannels must be 0 for SAM.* 7$/,
    ],
    [
      withDecoder({ lastUpscaling: 3 as 4 }),
      /decoder\.lastUpscaling must be 4 or absent.* 3$/,
    ],
    [
      withDecoder({ lastUpscaling: 4, plainUpscaling: false }),
      /decoder\.plainUpscaling must be true where decoder\.lastUpscaling is 4.* false$/,
    ],
  ];
  for (const [change, message] of cases) {
    const config = { ...smallConfig, ...change };
    assert.throws(() => new Model(config, weights()), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, /^Cannot build the model as /);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("a model can be disposed twice, and not be used after", async () => {
  const model = new Model(smallConfig, weights());
  const embedding = await encode(model, image);
  assert.deepEqual(embedding.values.shape, [1, 4, 4, 16]);
  embedding.dispose();
  embedding.dispose();
  model.dispose();
  model.dispose();
  await assert.rejects(
    () => encode(model, image),
    new TypeError("Cannot use the model as it is disposed"),
  );
});

Deno.test("a model that is disposed while its weights are uploaded says so", async () => {
  const model = new Model(smallConfig, weights());
  const uploading = model.deviceWeights();
  model.dispose();
  await assert.rejects(
    uploading,
    new TypeError("Cannot use the model as it is disposed"),
  );
});

Deno.test("a model that is disposed while the first engine starts keeps nothing in it", async () => {
  // in a process of its own, where none has started
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import * as tf from "./src/engine/tf.ts";
       import { useEngine } from "./src/engine/engine.ts";
       import { Model } from "./src/model/model.ts";
       import { initializeWeights } from "./src/model/declare_weights.ts";
       import { smallConfig } from "./tests/helpers/small_model.ts";
       const started = useEngine("cpu");
       const model = new Model(smallConfig, initializeWeights(smallConfig, 1));
       const weights = model.deviceWeights();
       model.dispose();
       await weights.catch((error) => console.log(String(error)));
       await started;
       console.log(tf.memory().numTensors, "tensors");`,
    ],
    cwd: new URL("../..", import.meta.url),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(
    text(stdout),
    "TypeError: Cannot use the model as it is disposed\n0 tensors\n",
    text(stderr),
  );
});

Deno.test("a model uploads its weights once, and again to another engine", async () => {
  using model = new Model(smallConfig, weights());
  const [first, second] = await Promise.all([
    model.deviceWeights(),
    model.deviceWeights(),
  ]);
  assert.equal(first, second);
  assert.equal(await model.deviceWeights(), first);
  await useEngine("onnx");
  const moved = await model.deviceWeights();
  assert.notEqual(moved, first);
  const name = "fusion.layers.0.weight";
  assert.deepEqual(
    (await moved[name].read()).data,
    model.weights.get(name)!.data,
  );
  await assert.rejects(() => first[name].read(), /it is disposed/);
  await useEngine("cpu");
});

Deno.test("a model whose upload failed tries again, and can be disposed while it fails", async () => {
  const own = weights();
  const name = "fusion.layers.0.weight";
  const whole = own.get(name)!;
  const short = { ...whole, data: whole.data.slice(1) };
  const model = new Model(smallConfig, own);
  own.set(name, short);
  await assert.rejects(() => model.deviceWeights(), /must hold 352 values/);
  own.set(name, whole);
  assert.ok(name in await model.deviceWeights());
  model.dispose();

  const other = new Model(smallConfig, own);
  own.set(name, short);
  const failing = other.deviceWeights();
  other.dispose();
  await assert.rejects(failing, /must hold 352 values/);
});

Deno.test("initializeWeights() draws every declared weight, the same for the same seed", () => {
  const one = initializeWeights(smallConfig, 3);
  assert.deepEqual(
    [...one].map(([name, { shape }]) => [name, shape]),
    [...declareWeights(smallConfig)].map(([name, { shape }]) => [name, shape]),
  );
  assert.deepEqual(initializeWeights(smallConfig, 3), one);
  assert.notDeepEqual(initializeWeights(smallConfig, 4), one);
});

Deno.test("initializeWeights() draws with the declared mean and deviation", () => {
  const declared = declareWeights(presets.tiny);
  let checked = 0;
  for (const [name, { data }] of initializeWeights(presets.tiny, 1)) {
    if (data.length < 4096) continue;
    const { mean, deviation } = declared.get(name)!;
    const m = data.reduce((sum, v) => sum + v, 0) / data.length;
    const s = Math.sqrt(
      data.reduce((sum, v) => sum + (v - m) ** 2, 0) / data.length,
    );
    const tolerance = 6 * deviation / Math.sqrt(data.length);
    assert.ok(Math.abs(m - mean) <= tolerance, `${name}: mean ${m}`);
    assert.ok(Math.abs(s - deviation) <= tolerance, `${name}: deviation ${s}`);
    checked++;
  }
  assert.ok(checked > 20);
});

Deno.test("the tiny preset is under 8 MB at half precision", () => {
  let count = 0;
  for (const { shape } of declareWeights(presets.tiny).values()) {
    count += shape.reduce((product, side) => product * side, 1);
  }
  assert.ok(2 * count < 8e6, `${count} parameters`);
});

Deno.test("the SAM presets have as many weights as segment-anything's state dicts", () => {
  const sizes = (["sam-vit-b", "sam-vit-l", "sam-vit-h"] as const).map((name) =>
    [...declareWeights(presets[name])]
      .filter(([, { origin }]) => origin === "sam")
      .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0)
  );
  // counted by PyTorch
  assert.deepEqual(sizes, [93_735_728, 312_343_088, 641_090_864]);
});
