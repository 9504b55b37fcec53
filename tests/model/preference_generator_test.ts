import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { Model } from "../../src/model/model.ts";
import { generatePreference } from "../../src/model/preference_generator.ts";
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

const { channels: L, components: M, latentChannels: d } = smallConfig;

function generate(pooled: tf.Tensor, evidence: tf.Tensor, scale = 1) {
  return tf.tidy(() => {
    const weights = asTensors(noisyWeights(smallConfig));
    const scaled = Object.fromEntries(
      Object.entries(weights).map(([name, w]) => [name, tf.mul(w, scale)]),
    );
    const { logWeights, means, deviations } = generatePreference(
      scaled,
      smallConfig,
      pooled,
      evidence,
    );
    assert.deepEqual(logWeights.shape, [2, M]);
    assert.deepEqual(means.shape, [2, M, d]);
    assert.deepEqual(deviations.shape, [2, M, d]);
    return {
      logWeights: logWeights.dataSync(),
      means: means.dataSync(),
      deviations: deviations.dataSync(),
    };
  });
}

Deno.test("generatePreference() gives weights that sum to 1 and bounded deviations", () => {
  for (const scale of [0, 1, 3, 10]) {
    const { logWeights, deviations } = generate(
      normalTensor([2, 4 * L], 1),
      tf.zeros([2, M]),
      scale,
    );
    for (const b of [0, 1]) {
      const weights = [...logWeights].slice(b * M, (b + 1) * M).map(Math.exp);
      assertClose([weights.reduce((a, c) => a + c)], [1], 1e-5);
    }
    assert.ok(deviations.every((v) => v >= 0.02 - 1e-6 && v <= 2 + 1e-6));
  }
});

Deno.test("generatePreference() moves the means as residuals around the anchors", () => {
  // all layers but the anchors zero: the means are the anchors
  const weights = Object.fromEntries(
    [...noisyWeights(smallConfig)].map(([name, { data, shape }]) => [
      name,
      name.endsWith("anchor_means")
        ? tf.tensor(data, [...shape])
        : tf.zeros([...shape]),
    ]),
  );
  const { means, logWeights } = generatePreference(
    weights,
    smallConfig,
    normalTensor([1, 4 * L], 2),
    tf.zeros([1, M]),
  );
  const name = "preference_generator.anchor_means";
  assertClose(means.dataSync(), weights[name].dataSync(), 1e-6);
  assertClose(
    logWeights.dataSync(),
    new Array(M).fill(-Math.log(M)),
    1e-6,
  );
});

Deno.test("generatePreference() adds the evidence to log pi", () => {
  const zeroed = Object.fromEntries(
    [...noisyWeights(smallConfig)].map(([name, { shape }]) => [
      name,
      tf.zeros([...shape]),
    ]),
  );
  const evidence = [...normals([M], 3)];
  const { logWeights } = generatePreference(
    zeroed,
    smallConfig,
    normalTensor([1, 4 * L], 2),
    tf.tensor(evidence, [1, M]),
  );
  const total = Math.log(evidence.reduce((sum, a) => sum + Math.exp(a), 0));
  assertClose(logWeights.dataSync(), evidence.map((a) => a - total), 1e-6);
});

Deno.test("with scalar moments all channels of a component share one mean and one deviation", () => {
  const config = { ...smallConfig, scalarMoments: true };
  const model = new Model(config, noisyWeights(config)); // its shapes fit
  assert.deepEqual(
    model.weights.get("preference_generator.anchor_means")!.shape,
    [M, 1],
  );
  const mixture = generatePreference(
    asTensors(noisyWeights(config)),
    config,
    normalTensor([2, 4 * L], 5),
    tf.zeros([2, M]),
  );
  for (const part of [mixture.means, mixture.deviations]) {
    assert.deepEqual(part.shape, [2, M, d]);
    const rows = tf.reshape(part, [2 * M, d]).arraySync() as number[][];
    for (const row of rows) assert.ok(row.every((value) => value === row[0]));
    assert.equal(new Set(rows.map(([first]) => first)).size, 2 * M);
  }
});
