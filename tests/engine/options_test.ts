/** What useEngine() is told about GPUs and TensorFlow, and what it refuses. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  availableEngines,
  currentEngine,
  type EngineOptions,
  type Provider,
  useEngine,
} from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import {
  assertClose,
  ENGINE_OPTIONS,
  host,
  randoms,
} from "../helpers/engine_helpers.ts";

Deno.test("useEngine() refuses an unknown provider", async () => {
  await assert.rejects(
    useEngine("onnx", { provider: "metal" as Provider }),
    new RangeError(
      "Cannot use an engine as its provider must be one of cpu, webgpu, cuda: " +
        'current value is "metal"',
    ),
  );
});

Deno.test("useEngine() takes the CPU for ONNX Runtime unless told otherwise", async () => {
  const { provider } = await useEngine("onnx", { threads: 1 });
  assert.equal(provider, "cpu");
  assert.equal(currentEngine()?.provider, "cpu");
});

Deno.test("a provider that is missing leaves the engine in use", async () => {
  await useEngine("cpu");
  const asked = useEngine("auto", { provider: "cuda" });
  try {
    await asked;
    console.log("skipped: ONNX Runtime has its CUDA provider; no error of it");
  } catch (error) {
    assert.match(
      (error as Error).message,
      /Cannot use the engine "onnx" with provider "cuda" as ONNX Runtime does not run on it: .*deno install --allow-scripts=npm:onnxruntime-node@/s,
    );
    assert.equal(currentEngine()?.name, "cpu");
  }
});

Deno.test("without tfjs-node in a folder, tensorflow names it and npm install", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { tensorflow = "" } = await availableEngines({
      tensorflowFolder: folder,
    });
    assert.ok(tensorflow.includes(`not installed in ${folder}`), tensorflow);
    assert.match(tensorflow, /npm install --prefix FOLDER @tensorflow\//);
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("a tfjs-node that does not load gives its own error", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const place = `${folder}/node_modules/@tensorflow/tfjs-node`;
    await Deno.mkdir(place, { recursive: true });
    await Deno.writeTextFile(
      `${place}/index.js`,
      'throw new Error("libtensorflow is missing");',
    );
    await assert.rejects(
      useEngine("tensorflow", { tensorflowFolder: folder }),
      /tfjs-node does not load: libtensorflow is missing\. To install it/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the options of an engine are read only", () => {
  const options: EngineOptions = {};
  // @ts-expect-error: as of all options
  void (() => options.threads = 2);
  // @ts-expect-error: of this one too
  void (() => options.provider = "cuda");
  // @ts-expect-error: and of those for the other engines
  void (() => options.allowSoftware = true);
  // @ts-expect-error: both of them
  void (() => options.tensorflowFolder = "/nowhere");
});

const adapter = await navigator.gpu?.requestAdapter();
const { webgpu } = await availableEngines(ENGINE_OPTIONS);
if (webgpu) console.log(`skipped: WebGPU's own tests: ${webgpu}`);

Deno.test({
  name: "a software adapter is refused unless it is allowed",
  ignore: !adapter?.info.isFallbackAdapter,
  async fn() {
    for (
      const [name, options] of [["webgpu", {}], ["onnx", {
        provider: "webgpu",
      }]] as const
    ) {
      await assert.rejects(
        useEngine(name, options),
        /only a software adapter, "\D.*" \(in code, useEngine\(\) takes it with allow/,
      );
    }
  },
});

/** Shapes and pads of five and six axes, which the backend cannot do itself. */
const pads: [number[], [number, number][]][] = [
  [[1, 2, 3, 2, 2], [[1, 2], [0, 0], [0, 0], [0, 0], [0, 0]]],
  [[2, 1, 3, 2, 2], [[0, 0], [2, 0], [0, 0], [0, 1], [1, 1]]],
  [[2, 1, 2, 2, 1, 2], [[0, 0], [0, 0], [1, 1], [0, 0], [0, 3], [2, 0]]],
  [[2, 1, 2, 2, 2], [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]],
  [[2, 3], [[1, 0], [0, 2]]],
];
for (const [shape, paddings] of pads) {
  Deno.test({
    name: `webgpu pads [${shape}] by [${paddings}] as cpu does`,
    ignore: webgpu !== undefined,
    async fn() {
      const pad = jit(
        ({ x }: { x: tf.Tensor }) => ({ y: tf.pad(x, paddings, 0.5) }),
        { name: "pad" },
      );
      const x = host(randoms(shape), shape);
      await useEngine("cpu");
      const expected = await pad({ x });
      await useEngine("webgpu", ENGINE_OPTIONS);
      const before = tf.memory().numDataBuffers;
      const actual = await pad({ x });
      assert.deepEqual(actual.y.shape, expected.y.shape);
      assertClose(actual.y.data as Float32Array, expected.y.data, 0);
      assert.equal(tf.memory().numDataBuffers, before);
    },
  });
}

Deno.test({
  name: "an error of the GPU is thrown, once",
  ignore: webgpu !== undefined,
  async fn() {
    await useEngine("webgpu", ENGINE_OPTIONS);
    const { device } = tf.backend() as unknown as { device: GPUDevice };
    let code = "no shader";
    const negate = jit(({ x }: { x: tf.Tensor }) => {
      device.createShaderModule({ code });
      return { y: tf.neg(x) };
    }, { name: "negate" });
    const x = host(Float32Array.of(1, 2), [2]);
    await assert.rejects(
      negate({ x }),
      /Cannot run on the engine "webgpu": .*shader/is,
    );
    code = "";
    assert.deepEqual([...(await negate({ x })).y.data], [-1, -2]);
    await useEngine("cpu");
  },
});
