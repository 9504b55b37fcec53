import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { gelu, layerNorm } from "../../src/engine/fused.ts";
import { assertClose, randoms } from "../helpers/engine_helpers.ts";
import "../helpers/gradients.ts";

tf.enableProdMode(); // or tfjs prints an advertisement
await tf.setBackend("cpu");

Deno.test("gelu() is x times the normal distribution's cdf", () => {
  const y = tf.tidy(() => gelu(tf.tensor1d([-3, -1, 0, 1, 3])).dataSync());
  // x * pnorm(x) in R
  const expected = [-0.004049694, -0.1586553, 0, 0.8413447, 2.995950306];
  assertClose(y, expected, 1e-6);
});

Deno.test("gelu() has the gradient pnorm(x) + x dnorm(x)", () => {
  const dy = tf.tidy(() =>
    tf.grad((x) => gelu(x))(tf.tensor1d([-3, -1, 0, 1, 3])).dataSync()
  );
  const expected = [-0.01194565, -0.08331547, 0.5, 1.083315, 1.011946];
  assertClose(dy, expected, 1e-6);
});

Deno.test("layerNorm() gives rows mean beta and deviation gamma", () => {
  const y = tf.tidy(() => {
    const x = tf.tensor2d([[1, 3], [10, 30]]);
    return layerNorm(x, tf.tensor1d([2, 2]), tf.tensor1d([5, 5]), 0).dataSync();
  });
  assertClose(y, [3, 7, 3, 7], 1e-6);
});

Deno.test("layerNorm() has the gradients that autodiff finds", () => {
  const composite = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-3)));
    return tf.add(tf.mul(normal, gamma), beta);
  };
  const gradients = (op: typeof composite) =>
    tf.tidy(() => {
      const inputs = [[2, 3, 8], [8], [8]].map((shape, i) =>
        tf.tensor(randoms(shape, i + 1), shape)
      );
      const weights = tf.tensor(randoms([2, 3, 8], 9), [2, 3, 8]);
      return tf.grads((x, gamma, beta) =>
        tf.sum(tf.mul(op(x, gamma, beta), weights))
      )(inputs).map((gradient) => gradient.dataSync());
    });
  const actual = gradients((x, g, b) => layerNorm(x, g, b, 1e-3));
  gradients(composite).forEach((expected, i) =>
    assertClose(actual[i], expected, 1e-5)
  );
  assert.equal(tf.memory().numTensors, 0);
});
