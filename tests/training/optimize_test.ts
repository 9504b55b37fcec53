/** The loop of training on a network of two weights, by hand. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import { scalar } from "../../src/engine/tensors.ts";
import type { WeightDeclaration, Weights } from "../../src/model/weights.ts";
import { optimize } from "../../src/training/optimize.ts";
import { optimizerStep } from "../../src/training/step.ts";
import type { Recipe } from "../../src/training/recipe.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import { recipe } from "../helpers/small_training.ts";

await useEngine("auto", { threads: 1 });

const w: WeightDeclaration = {
  shape: [2],
  mean: 0,
  deviation: 0,
  trainable: true,
  origin: "spa",
};

/** Trains two weights on a loss of theirs; without warm-up and average. */
async function optimizeWeights(
  lossOf: (w: tf.Tensor) => tf.Tensor,
  initial: number[],
  changes: Partial<Recipe>,
): Promise<Float32Array> {
  const step = optimizerStep(
    new Map([["w", w]]),
    ({ w }: Weights, { zero }: { zero: tf.Tensor }) => ({
      loss: tf.add(tf.sum(lossOf(w)), zero) as tf.Scalar,
      outputs: {},
    }),
    {},
  );
  const trained = await optimize(
    {
      name: "two weights",
      description: {},
      declared: new Map([["w", w]]),
      step: jit(step, { name: "step", resident: ["state"] }),
      count: 1,
      draw: (_, left) => ({ left }),
      pack: () => ({ zero: scalar(0) }),
      advance: () => [],
    },
    {
      ...recipe,
      ...{ schedule: "constant", warmUp: 0, averageDecay: 0 },
      ...changes,
    },
    {
      initial: new Map([
        ["w", { data: Float32Array.from(initial), shape: [2] }],
      ]),
    },
  );
  return trained.get("w")!.data;
}

Deno.test("optimize() moves weights as Adam does, by the rate along a steady gradient, and decays them", async () => {
  const trained = await optimizeWeights(
    (w) => tf.mul(w, tf.tensor1d([0.3, -0.4])),
    [5, 7],
    { steps: 3, learningRate: 0.1 },
  );
  let [a, b] = [5, 7];
  for (let step = 0; step < 3; step++) { // m / sqrt(v) is the gradient's sign
    a -= 0.1 * (1 + 0.02 * a);
    b -= 0.1 * (-1 + 0.02 * b);
  }
  assertClose(trained, [a, b], 1e-5);
});

Deno.test("optimize() stops when the gradient is not finite, in the last step as well", async () => {
  await assert.rejects(
    // 0, with a slope that is infinite
    () => optimizeWeights((w) => tf.sqrt(w), [0, 0], { steps: 1 }),
    new RangeError(
      "Cannot go on training as the gradient's norm must be finite: current value is Infinity at step 0; a smaller learning rate may help",
    ),
  );
});

Deno.test("optimize() stops when a weight is not finite, after the last step as well", async () => {
  await assert.rejects(
    () =>
      // more than a float32 holds
      optimizeWeights((w) => w, [1, 1], { steps: 1, learningRate: 1e39 }),
    new RangeError(
      "Cannot go on training as the weights must be finite: current value is NaN at step 1; a smaller learning rate may help",
    ),
  );
});
