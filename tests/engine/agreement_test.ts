/** Every engine that this machine has gives the same numbers. */
import { valueAndGrads } from "../../src/engine/gradients.ts";
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { ENGINE_NAMES } from "../../src/engine/active_engine.ts";
import {
  type EngineName,
  type EngineOptions,
  useEngine,
} from "../../src/engine/engine.ts";
import { gelu, layerNorm } from "../../src/engine/fused.ts";
import { jit } from "../../src/engine/jit.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import {
  difference,
  ENGINE_OPTIONS,
  host,
  randoms,
} from "../helpers/engine_helpers.ts";

const [BATCH, TOKENS, CHANNELS, HEADS] = [2, 16, 32, 4];

/** Shapes of the block's weights. */
const SHAPES: Record<string, number[]> = {
  "norm1.weight": [CHANNELS],
  "norm1.bias": [CHANNELS],
  "attn.qkv.weight": [CHANNELS, 3 * CHANNELS],
  "attn.qkv.bias": [3 * CHANNELS],
  "attn.proj.weight": [CHANNELS, CHANNELS],
  "attn.proj.bias": [CHANNELS],
  "norm2.weight": [CHANNELS],
  "norm2.bias": [CHANNELS],
  "mlp.lin1.weight": [CHANNELS, 4 * CHANNELS],
  "mlp.lin1.bias": [4 * CHANNELS],
  "mlp.lin2.weight": [4 * CHANNELS, CHANNELS],
  "mlp.lin2.bias": [CHANNELS],
};
const NAMES = Object.keys(SHAPES);

type Weights = Record<string, tf.Tensor>;

function linear(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(x, [-1, x.shape.at(-1)!]); // [B * T, C]
  const y = tf.add(
    tf.matMul(rows, weights[`${name}.weight`]),
    weights[`${name}.bias`],
  );
  return tf.reshape(y, [...x.shape.slice(0, -1), -1]);
}

function norm(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const [gamma, beta] = [weights[`${name}.weight`], weights[`${name}.bias`]];
  return layerNorm(x, gamma, beta, 1e-6);
}

/** A transformer block, [B, T, C] to [B, T, C]. */
function block(weights: Weights, x: tf.Tensor): tf.Tensor {
  const width = CHANNELS / HEADS;
  const qkv = linear(weights, "attn.qkv", norm(weights, "norm1", x));
  const split = tf.reshape(qkv, [BATCH, TOKENS, 3, HEADS, width]);
  const [q, k, v] = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4])); // [B, H, T, w]
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width));
  const mixed = tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]);
  const heads = tf.reshape(mixed, [BATCH, TOKENS, CHANNELS]);
  const attended = tf.add(x, linear(weights, "attn.proj", heads));
  const normal = norm(weights, "norm2", attended);
  const hidden = gelu(linear(weights, "mlp.lin1", normal));
  return tf.add(attended, linear(weights, "mlp.lin2", hidden));
}

/** The block's output, a loss on it, and the loss's gradients. */
function trainingPass({ weights, x, target }: {
  weights: Weights;
  x: tf.Tensor;
  target: tf.Tensor;
}) {
  const { value, grads } = valueAndGrads((...list: tf.Tensor[]) => {
    const named = Object.fromEntries(NAMES.map((name, i) => [name, list[i]]));
    const error = tf.sub(tf.sigmoid(block(named, x)), target);
    return tf.mean(tf.square(error)) as tf.Scalar;
  })(NAMES.map((name) => weights[name]));
  return {
    output: block(weights, x),
    loss: value,
    gradients: Object.fromEntries(NAMES.map((name, i) => [name, grads[i]])),
  };
}

const inputs = {
  weights: Object.fromEntries(NAMES.map((name, i) => {
    const shape = SHAPES[name];
    const scale = shape.length === 2 ? Math.sqrt(3 / shape[0]) : 1;
    return [name, host(randoms(shape, i).map((v) => v * scale), shape)];
  })),
  x: host(randoms([BATCH, TOKENS, CHANNELS], 50), [BATCH, TOKENS, CHANNELS]),
  target: host(randoms([BATCH, TOKENS, CHANNELS], 51), [
    BATCH,
    TOKENS,
    CHANNELS,
  ]),
};

async function run(): Promise<Record<string, HostTensor>> {
  const program = jit(trainingPass, { name: "trainingPass" });
  const { output, loss, gradients } = await program(inputs);
  program.release();
  return { output, loss, ...gradients };
}

await useEngine("cpu");
const reference = await run();

const choices: { title: string; name: EngineName; options: EngineOptions }[] = [
  ...ENGINE_NAMES.filter((name) => name !== "cpu").map((name) => ({
    title: name,
    name,
    options: ENGINE_OPTIONS,
  })),
  ...(["webgpu", "cuda"] as const).map((provider) => ({
    title: `onnx on ${provider}`,
    name: "onnx" as const,
    options: { ...ENGINE_OPTIONS, provider },
  })),
];
for (const { title, name, options } of choices) {
  const missing = await useEngine(name, options).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (missing) {
    console.log(`skipped: a transformer block on ${title}: ${missing}`);
  }
  Deno.test({
    name: `${title} gives cpu's transformer block and gradients`,
    ignore: missing !== undefined,
    async fn() {
      await useEngine(name, options);
      const actual = await run();
      assert.deepEqual(Object.keys(actual), Object.keys(reference));
      for (const [name, { data, shape }] of Object.entries(actual)) {
        assert.deepEqual(shape, reference[name].shape);
        const expected = reference[name].data;
        const scale = Math.max(...expected.map(Math.abs));
        const error = difference(
          (data as Float32Array).map((v) => v / scale),
          (expected as Float32Array).map((v) => v / scale),
        );
        assert.ok(error < 1e-4, `${name} differs by ${error}`);
      }
    },
  });
}
