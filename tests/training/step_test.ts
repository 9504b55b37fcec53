/** Which weights a step's gradients reach, before a choice and after one. */
import { valueAndGrads } from "../../src/engine/gradients.ts";
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { MASK_CHANNELS } from "../../src/model/config.ts";
import { keepChoice } from "../../src/model/mask_decoder.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import {
  alignmentLoss,
  defaultLoss,
  type LossOptions,
} from "../../src/training/loss.ts";
import { forward, type StepBatch } from "../../src/training/step.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import {
  asTensors,
  noisyWeights,
  normals,
  normalTensor,
  smallConfig,
} from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

const { components: M, latentChannels: d } = smallConfig;
const [B, side] = [2, 16];
const pixels = side * side;
const weights = asTensors(noisyWeights(smallConfig));
const target = tf.tensor2d(
  normals([B, pixels], 4).map((value) => Number(value > 0.5)),
  [B, pixels],
);

/** Two users of one image, both with a click, and with a choice or without. */
function batchOf(hasMask: 0 | 1): StepBatch {
  return {
    pixels: normalTensor([1, 32, 32, 3], 1),
    points: tf.tensor3d([[[9, 20]], [[12, 7]]]),
    labels: tf.ones([B, 1]),
    mask: tf.mul(normalTensor([B, side, side, MASK_CHANNELS], 2), hasMask),
    clicks: normalTensor([B, side, side, 1], 3),
    choice: normalTensor([B, side, side], 5),
    hasMask: tf.fill([B], hasMask),
    evidence: normalTensor([B, M], 6),
    profile: tf.zeros([B, M]),
    noise: normalTensor([B, M, d], 7),
    target: tf.reshape(target, [B, side, side]),
  };
}

type Outputs = ReturnType<typeof forward>;

/** Gradients of a function of the step's outputs, by the weights' names. */
function gradientsOf(
  kind: LossOptions["kind"],
  hasMask: 0 | 1,
  f: (outputs: Outputs) => tf.Tensor,
): [name: string, gradient: Float32Array][] {
  const names = Object.keys(weights);
  return tf.tidy(() => {
    const { grads } = valueAndGrads((...tensors) => {
      const own = Object.fromEntries(
        names.map((name, i) => [name, tensors[i]]),
      );
      // as tfjs has no gradient, and not one of 0, for what is out of reach
      const sums = tensors.map((x) => tf.sum(x));
      const nothing = tf.mul(sums.reduce((a, b) => tf.add(a, b)), 0);
      const outputs = forward(own, smallConfig, batchOf(hasMask), kind);
      return tf.add(f(outputs), nothing);
    })(Object.values(weights));
    return names.map((name, i) => [
      name,
      grads[i].dataSync() as Float32Array,
    ]);
  });
}

const isOfPi = (name: string) =>
  name.startsWith("preference_generator.weights");

/** The largest gradient of the network of pi, and that of all other weights. */
function reach(...what: Parameters<typeof gradientsOf>) {
  const most = { pi: 0, rest: 0 };
  for (const [name, gradient] of gradientsOf(...what)) {
    const part = isOfPi(name) ? "pi" : "rest";
    most[part] = Math.max(most[part], ...gradient.map(Math.abs));
  }
  return most;
}

const ofMasks = ({ logits }: Outputs) =>
  tf.mean(tf.mul(tf.sigmoid(logits), normalTensor([B, M, pixels], 8)));
const ofPi = ({ mixture }: Outputs) =>
  tf.sum(tf.mul(tf.exp(mixture.logWeights), normalTensor([B, M], 9)));

for (const hasMask of [0, 1] as const) {
  const when = hasMask ? "after a choice" : "before a choice";

  Deno.test(`for the paper's loss the masks move all but the network of pi, ${when}`, () => {
    const { pi, rest } = reach("paper", hasMask, ofMasks);
    assert.equal(pi, 0);
    assert.ok(rest > 1e-3, `${rest}`);
  });

  Deno.test(`for the paper's loss pi moves its own network alone, ${when}`, () => {
    const { pi, rest } = reach("paper", hasMask, ofPi);
    assert.ok(pi > 1e-3, `${pi}`);
    assert.equal(rest, 0);
  });
}

Deno.test("for the marginal loss pi moves the encoders, and the masks move pi after a choice", () => {
  assert.ok(reach("marginal", 0, ofPi).rest > 1e-3);
  assert.equal(reach("marginal", 0, ofMasks).pi, 0);
  assert.ok(reach("marginal", 1, ofMasks).pi > 1e-6);
});

Deno.test("the paper's loss of a step moves pi as its squared error does, after a choice", () => {
  const loss: LossOptions = { ...defaultLoss, kind: "paper" };
  const whole = gradientsOf(
    "paper",
    1,
    ({ logits, mixture }) =>
      alignmentLoss(logits, mixture.logWeights, target, loss),
  );
  const exponent = loss.temperature * pixels;
  const { logits, mixture } = forward(
    weights,
    smallConfig,
    batchOf(1),
    "paper",
  );
  const y = tf.reshape(target, [B, 1, pixels]);
  const entropy = tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, y)), 2);
  const responsibilities = tf.softmax(
    tf.sub(mixture.logWeights, tf.mul(entropy, exponent)),
  );
  // nothing stops in the marginal loss's step, and nothing but pi is in the error
  const alone = gradientsOf(
    "marginal",
    1,
    ({ mixture }) =>
      tf.mean(
        tf.squaredDifference(tf.exp(mixture.logWeights), responsibilities),
      ),
  );
  const values = (all: typeof whole) =>
    all.flatMap(([name, gradient]) => isOfPi(name) ? [...gradient] : []);
  const expected = values(alone);
  assert.ok(Math.max(...expected.map(Math.abs)) > 1e-3);
  assertClose(values(whole), expected, 1e-6);
});

Deno.test("a step's values do not depend on where gradients stop", () => {
  const values = (kind: LossOptions["kind"]) => {
    const { logits, mixture } = forward(weights, smallConfig, batchOf(1), kind);
    return [logits, ...Object.values(mixture)].map((part) => part.dataSync());
  };
  assert.deepEqual(values("paper"), values("marginal"));
});

Deno.test("fresh weights keep 0.85 of a choice", () => {
  const fresh = asTensors(initializeWeights(smallConfig, 1));
  const kept = keepChoice(
    fresh,
    tf.zeros([1, 3, 4]),
    tf.ones([1, 2, 2]),
    tf.ones([1]),
    tf.fill([1, 3], 1 / 3),
  );
  assertClose(kept.dataSync(), new Array(12).fill(0.85), 1e-6);
});

Deno.test("samples of drawn components have these components' masks, and shares that sum to 1", () => {
  const batch = batchOf(0);
  const all = forward(weights, smallConfig, batch, "marginal");
  const drawn = [[2, 0], [1, 3]]; // of the first user, of the second
  const rows = tf.cast(
    tf.stack(drawn.map((own) => tf.oneHot(tf.tensor1d(own, "int32"), M))),
    "float32",
  );
  const noise = tf.matMul(rows, batch.noise);
  const some = forward(
    weights,
    smallConfig,
    { ...batch, drawn: rows, noise },
    "marginal",
  );
  assert.deepEqual(some.logits.shape, [B, 2, pixels]);
  assertClose(
    some.logits.dataSync(),
    tf.matMul(rows, all.logits).dataSync(),
    1e-4,
  );
  const [pi, shares] = [all.mixture.logWeights, some.logShares]
    .map((log) => tf.exp(log).arraySync() as number[][]);
  drawn.forEach((own, b) => {
    const sum = own.reduce((sum, m) => sum + pi[b][m], 0);
    assertClose(shares[b], own.map((m) => pi[b][m] / sum), 1e-5);
  });
  assertClose(
    some.mixture.logWeights.dataSync(),
    all.logShares.dataSync(),
    1e-6,
  );
});
