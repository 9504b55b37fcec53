/** The losses against plain numbers, by the formulas of the method. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  alignmentLoss,
  defaultLoss,
  type LossOptions,
} from "../../src/training/loss.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import { normals } from "../helpers/small_model.ts";
import "../helpers/gradients.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

const [B, N, pixels] = [2, 3, 12];
const logits = normals([B, N, pixels], 1);
const raw = normals([B, N], 2);
const target = normals([B, pixels], 3).map((value) => Number(value > 0));

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const sum = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => a + b, 0);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** log pi, normalized. */
const logWeights = range(B).flatMap((b) => {
  const row = [...raw.subarray(b * N, (b + 1) * N)];
  const total = Math.log(sum(row.map(Math.exp)));
  return row.map((value) => value - total);
});

const bernoulli = (p: number, y: number) =>
  -(y * Math.log(p) + (1 - y) * Math.log(1 - p));

/** Everything the losses are made of, for one image. */
function termsOf(b: number, { dice, temperature }: LossOptions) {
  const y = range(pixels).map((i) => target[b * pixels + i]);
  const maps = range(N).map((n) =>
    range(pixels).map((i) => sigmoid(logits[(b * N + n) * pixels + i]))
  );
  const pi = range(N).map((n) => Math.exp(logWeights[b * N + n]));
  const entropyOf = (p: number[]) =>
    sum(p.map((v, i) => bernoulli(v, y[i]))) / pixels;
  const costOf = (p: number[]) => {
    const overlap = sum(p.map((v, i) => v * y[i]));
    const softDice = (2 * overlap + 1) / (sum(p) + sum(y) + 1);
    return entropyOf(p) + dice * (1 - softDice);
  };
  const costs = maps.map(costOf);
  const mean = range(pixels).map((i) => sum(maps.map((p, n) => pi[n] * p[i])));
  const exponent = temperature * pixels;
  const likelihoods = costs.map((c) => Math.exp(-exponent * c));
  const joint = likelihoods.map((l, n) => pi[n] * l);
  const explained = maps.map((p, n) =>
    pi[n] * Math.exp(-exponent * entropyOf(p))
  );
  return {
    pi,
    costs,
    ofMean: costOf(mean),
    meanEntropy: entropyOf(mean),
    exponent,
    evidence: Math.log(sum(joint)),
    posterior: joint.map((v) => v / sum(joint)),
    responsibilities: explained.map((v) => v / sum(explained)),
  };
}

function lossOf(options: LossOptions): number {
  return tf.tidy(() =>
    alignmentLoss(
      tf.tensor(logits, [B, N, pixels]),
      tf.tensor(logWeights, [B, N]),
      tf.tensor(target, [B, pixels]),
      options,
    ).dataSync()[0]
  );
}

Deno.test("the marginal loss is the tempered log-likelihood of the whole mask, with its small terms", () => {
  for (
    const options of [
      defaultLoss,
      { ...defaultLoss, mean: 0, each: 0, dice: 0 },
      { ...defaultLoss, temperature: 1, mean: 1, each: 0.5, dice: 0.7 },
    ]
  ) {
    const images = range(B).map((b) => termsOf(b, options));
    const expected = sum(images.map(({ costs, ofMean, exponent, evidence }) =>
      -evidence / exponent + options.mean * ofMean +
      options.each * sum(costs) / N
    )) / B;
    assertClose([lossOf(options)], [expected], 1e-5);
  }
});

Deno.test("the paper's loss is cross-entropy of the mean and squared error of pi", () => {
  for (const temperature of [0.15, 1]) {
    const options: LossOptions = { ...defaultLoss, kind: "paper", temperature };
    const images = range(B).map((b) => termsOf(b, options));
    const expected = sum(images.map(({ pi, meanEntropy, responsibilities }) =>
      meanEntropy + sum(pi.map((p, n) =>
          (p - responsibilities[n]) ** 2
        )) / N
    )) / B;
    assertClose([lossOf(options)], [expected], 1e-5);
  }
});

/** Gradient with respect to the logits of pi. */
function gradientOfPi(options: LossOptions): Float32Array {
  return tf.tidy(() =>
    tf.grad((x) =>
      alignmentLoss(
        tf.tensor(logits, [B, N, pixels]),
        tf.logSoftmax(x),
        tf.tensor(target, [B, pixels]),
        options,
      )
    )(tf.tensor(raw, [B, N])).dataSync()
  ) as Float32Array;
}

Deno.test("the likelihood's gradient with respect to pi's logits is pi - responsibility", () => {
  const options = { ...defaultLoss, temperature: 0.5, mean: 0, each: 0 };
  const expected = range(B).flatMap((b) => {
    const { pi, posterior, exponent } = termsOf(b, options);
    return pi.map((p, n) => (p - posterior[n]) / (B * exponent));
  });
  assert.ok(Math.max(...expected.map(Math.abs)) > 1e-3);
  assertClose(gradientOfPi(options), expected, 1e-6);
});

Deno.test("the paper's responsibilities are a fixed target: no gradient flows through them", () => {
  const options: LossOptions = { ...defaultLoss, kind: "paper" };
  // with respect to the masks' logits only the mean's cross-entropy counts
  const gradient = (kind: "paper" | "mean") =>
    tf.tidy(() =>
      tf.grad((x) => {
        const y = tf.tensor(target, [B, pixels]);
        if (kind === "paper") {
          return alignmentLoss(x, tf.tensor(logWeights, [B, N]), y, options);
        }
        const pi = tf.tensor(logWeights.map(Math.exp), [B, N, 1]);
        const mean = tf.sum(tf.mul(tf.sigmoid(x), pi), 1);
        return tf.neg(tf.mean(tf.add(
          tf.mul(y, tf.log(mean)),
          tf.mul(tf.sub(1, y), tf.log(tf.sub(1, mean))),
        )));
      })(tf.tensor(logits, [B, N, pixels])).dataSync()
    );
  assertClose(gradient("paper"), gradient("mean"), 1e-6);
});

Deno.test("in the paper's loss nothing but the squared error moves pi", () => {
  const options: LossOptions = { ...defaultLoss, kind: "paper" };
  const expected = range(B).flatMap((b) => {
    const { pi, responsibilities } = termsOf(b, options);
    const errors = pi.map((p, n) => 2 * (p - responsibilities[n]) / (B * N));
    const along = sum(errors.map((error, n) => error * pi[n]));
    return pi.map((p, n) => p * (errors[n] - along)); // through the softmax
  });
  assert.ok(Math.max(...expected.map(Math.abs)) > 1e-3);
  assertClose(gradientOfPi(options), expected, 1e-6);
});

Deno.test("the losses stay finite for masks that are certain and wrong", () => {
  for (const kind of ["marginal", "paper"] as const) {
    const [value, gradient] = tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((x) =>
        alignmentLoss(
          x,
          tf.log(tf.tensor([[0.5, 0.5]])),
          tf.tensor([[1, 0, 1, 0]]),
          { ...defaultLoss, kind, temperature: 1000 },
        )
      )(tf.tensor([[[-200, 200, -200, 200], [200, -200, 200, -200]]]));
      return [value.dataSync()[0], grad.dataSync()];
    });
    assert.ok(Number.isFinite(value), `${kind}: ${value}`);
    assert.ok((gradient as Float32Array).every(Number.isFinite), kind);
  }
});
