import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { adamStep, biasCorrections } from "../../src/training/optimizer.ts";
import { learningRateAt } from "../../src/training/optimize.ts";
import { defaultRecipe } from "../../src/training/recipe.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import { normals } from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

const P = 5;

/** Five steps of adamStep on these gradients: the states and the norms. */
function steps(
  gradients: readonly Float32Array[],
  options: Parameters<typeof adamStep>[3],
  { rate = 0.1, decay = 0.9 }: { rate?: number; decay?: number } = {},
) {
  return tf.tidy(() => {
    const { beta1 = 0.9, beta2 = 0.98 } = options ?? {};
    let state = {
      parameters: tf.tensor1d(normals([P], 1)) as tf.Tensor,
      firstMoment: tf.zeros([P]) as tf.Tensor,
      secondMoment: tf.zeros([P]) as tf.Tensor,
      average: tf.tensor1d(normals([P], 1)) as tf.Tensor,
    };
    const norms: number[] = [];
    gradients.forEach((gradient, t) => {
      const next = adamStep(state, tf.tensor1d(gradient), {
        learningRate: tf.scalar(rate),
        firstCorrection: tf.scalar(1 - beta1 ** (t + 1)),
        secondCorrection: tf.scalar(1 - beta2 ** (t + 1)),
        averageDecay: tf.scalar(decay),
      }, options);
      state = { ...next.state };
      norms.push(next.norm.dataSync()[0]);
    });
    return {
      parameters: [...state.parameters.dataSync()],
      average: [...state.average.dataSync()],
      norms,
    };
  });
}

/** Adam as its authors write it, one number at a time. */
function adamByHand(
  gradients: readonly Float32Array[],
  { beta1, beta2, weightDecay, clipNorm }: Record<string, number>,
  rate: number,
  decay: number,
) {
  const theta = [...normals([P], 1)];
  const average = [...theta];
  const m = new Array(P).fill(0), v = new Array(P).fill(0);
  const norms: number[] = [];
  gradients.forEach((raw, t) => {
    const norm = Math.hypot(...raw);
    norms.push(norm);
    const g = [...raw].map((value) =>
      norm > clipNorm ? value * clipNorm / norm : value
    );
    for (let i = 0; i < P; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2;
      const mHat = m[i] / (1 - beta1 ** (t + 1));
      const vHat = v[i] / (1 - beta2 ** (t + 1));
      theta[i] -= rate *
        (mHat / (Math.sqrt(vHat) + 1e-8) + weightDecay * theta[i]);
      average[i] = decay * average[i] + (1 - decay) * theta[i];
    }
  });
  return { parameters: theta, average, norms };
}

const small = Array.from(
  { length: 5 },
  (_, t) => normals([P], 10 + t).map((value) => 0.1 * value),
);
const large = small.map((gradient, t) =>
  gradient.map((value) => value * 10 ** t)
);
const defaults = { beta1: 0.9, beta2: 0.98, weightDecay: 0.02, clipNorm: 1 };

for (
  const [what, gradients, options, rate, decay] of [
    ["as it is by default", small, {}, 0.1, 0.9],
    ["with gradients that are clipped", large, {}, 0.1, 0.9],
    ["with weight decay", small, { weightDecay: 0.3 }, 0.1, 0.9],
    ["with other betas", small, { beta1: 0.5, beta2: 0.9 }, 0.01, 0.99],
    ["with another clip", large, { clipNorm: 0.05 }, 0.1, 0],
  ] as const
) {
  Deno.test(`adamStep() is Adam by hand over five steps, ${what}`, () => {
    const actual = steps(gradients, options, { rate, decay });
    const expected = adamByHand(
      gradients,
      { ...defaults, ...options },
      rate,
      decay,
    );
    assertClose(actual.parameters, expected.parameters, 1e-5);
    assertClose(actual.average, expected.average, 1e-5);
    assertClose(actual.norms, expected.norms, 1e-5);
  });
}

Deno.test("adamStep() keeps the latest parameters as the average where nothing old is kept", () => {
  const { parameters, average } = steps(small, {}, { decay: 0 });
  assert.deepEqual(average, parameters);
});

Deno.test("biasCorrections() follows the betas, by default those of adamStep()", () => {
  const of = (...args: Parameters<typeof biasCorrections>) =>
    Object.values(biasCorrections(...args));
  assertClose(of(1), [0.1, 0.02], 1e-12);
  assertClose(of(2), [0.19, 0.0396], 1e-12);
  assertClose(of(3, { beta1: 0.5, beta2: 0.2 }), [0.875, 0.992], 1e-12);
});

Deno.test("learningRateAt() warms up, and falls as a cosine to 2 %", () => {
  const recipe = {
    ...defaultRecipe,
    steps: 1000,
    warmUp: 100,
    learningRate: 2e-3,
  };
  assertClose([learningRateAt(recipe, 0)], [2e-3 / 100], 1e-8);
  assertClose([learningRateAt(recipe, 49)], [1e-3 * 0.9942], 1e-6);
  // half way: (.02 + 1) / 2
  assertClose([learningRateAt(recipe, 500)], [2e-3 * 0.51], 1e-9);
  assertClose([learningRateAt(recipe, 1000)], [2e-3 * 0.02], 1e-9);
  const rates = Array.from(
    { length: 1000 },
    (_, t) => learningRateAt(recipe, t),
  );
  const top = rates.indexOf(Math.max(...rates));
  assert.ok(top >= 98 && top <= 100);
  for (let t = 1; t < 1000; t++) {
    assert.equal(rates[t] > rates[t - 1], t <= top);
  }
});

Deno.test("learningRateAt() of a constant schedule warms up, and stays", () => {
  const recipe = {
    ...defaultRecipe,
    ...{ schedule: "constant" as const, steps: 1000 },
    ...{ learningRate: 2e-3, warmUp: 100 },
  };
  assertClose([learningRateAt(recipe, 0)], [2e-3 / 100], 1e-12);
  for (const step of [99, 100, 500, 999]) {
    assert.equal(learningRateAt(recipe, step), 2e-3);
  }
});
