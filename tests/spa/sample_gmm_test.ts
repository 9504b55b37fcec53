import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom } from "../../src/random.ts";
import {
  type GaussianMixture,
  logSumExp,
  normalizeLogWeights,
} from "../../src/spa/mixture.ts";
import { drawComponents, sampleGMM } from "../../src/spa/sample_gmm.ts";

const mixture: GaussianMixture = {
  logWeights: Float64Array.of(0.5, 0.3, 0.2).map(Math.log),
  means: ndarray(Float32Array.of(-3, 0, 10, 1, 2, -7), [3, 2]),
  deviations: ndarray(Float32Array.of(0.1, 2, 1, 0.5, 0.02, 3), [3, 2]),
};

function countsOf(components: Int32Array, M: number): number[] {
  const counts = new Array(M).fill(0);
  for (const m of components) counts[m]++;
  return counts;
}

function close(actual: number, expected: number, tolerance: number) {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${actual} is not ${expected} within ${tolerance}`,
  );
}

Deno.test("sampleGMM() draws components in proportion to their weights, to less than one draw", () => {
  const random = createRandom(1);
  for (let trial = 0; trial < 300; trial++) {
    const M = 2 + random.integer(15);
    const logits = Array.from({ length: M }, () => 2 * random.normal());
    const logWeights = normalizeLogWeights(logits);
    const N = 1 + random.integer(96);
    const counts = countsOf(drawComponents(logWeights, N, random), M);
    assert.equal(counts.reduce((a, b) => a + b), N);
    counts.forEach((count, m) => {
      const expected = N * Math.exp(logWeights[m]);
      assert.ok(
        count > expected - 1 - 1e-9 && count < expected + 1 + 1e-9,
        `${count} draws of ${expected}`,
      );
    });
  }
});

Deno.test("sampleGMM() draws every component as often as its weight says on average", () => {
  const trials = 4000;
  const sums = [0, 0, 0];
  for (let seed = 0; seed < trials; seed++) {
    const { components } = sampleGMM(mixture, { samples: 7, seed });
    countsOf(components, 3).forEach((count, m) => sums[m] += count);
  }
  // 7 * (0.5, 0.3, 0.2); the mean of the draws' fraction deviates by < 0.01
  [3.5, 2.1, 1.4].forEach((expected, m) =>
    close(sums[m] / trials, expected, 0.03)
  );
});

Deno.test("sampleGMM() draws with each component's means and deviations, channels apart", () => {
  const count = 60_000;
  const { values, components } = sampleGMM(mixture, {
    samples: count,
    seed: 3,
  });
  assert.deepEqual(values.shape, [count, 2]);
  assert.deepEqual(countsOf(components, 3), [30_000, 18_000, 12_000]);
  for (let m = 0; m < 3; m++) {
    const rows: number[][] = [];
    components.forEach((component, n) => {
      if (component === m) rows.push([values.get(n, 0), values.get(n, 1)]);
    });
    const mean = [0, 1].map((i) =>
      rows.reduce((sum, row) => sum + row[i], 0) / rows.length
    );
    const covariance = (i: number, j: number) =>
      rows.reduce(
        (sum, row) => sum + (row[i] - mean[i]) * (row[j] - mean[j]),
        0,
      ) / rows.length;
    const sigma = [mixture.deviations.get(m, 0), mixture.deviations.get(m, 1)];
    const four = 4 / Math.sqrt(rows.length); // four standard errors
    for (const i of [0, 1]) {
      close(mean[i], mixture.means.get(m, i), four * sigma[i]);
      close(covariance(i, i), sigma[i] ** 2, Math.SQRT2 * four * sigma[i] ** 2);
    }
    close(covariance(0, 1), 0, four * sigma[0] * sigma[1]);
  }
});

Deno.test("sampleGMM() never draws a component without weight", () => {
  for (const [weights, only] of [[[0, 1, 0], 1], [[1, 0, 0], 0]] as const) {
    const logWeights = Float64Array.from(weights, Math.log);
    for (let seed = 0; seed < 50; seed++) {
      const { components } = sampleGMM({ ...mixture, logWeights }, { seed });
      assert.deepEqual(countsOf(components, 3)[only], 48);
    }
  }
});

Deno.test("sampleGMM() gives the same samples for the same seed, 48 by default", () => {
  const one = sampleGMM(mixture, { seed: 5 });
  const same = sampleGMM(mixture, { seed: 5 });
  const other = sampleGMM(mixture, { seed: 6 });
  assert.equal(one.components.length, 48);
  assert.deepEqual(one.values.data, same.values.data);
  assert.deepEqual(one.components, same.components);
  assert.notDeepEqual(one.values.data, other.values.data);
});

Deno.test("sampleGMM() refuses a count that is no positive integer", () => {
  for (const count of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(
      () => sampleGMM(mixture, { samples: count }),
      new RangeError(
        `Cannot sample the mixture as samples must be a positive integer: current value is ${count}`,
      ),
    );
  }
});

Deno.test("logSumExp() neither overflows nor underflows", () => {
  close(logSumExp([1000, 1000]), 1000 + Math.LN2, 1e-9);
  close(logSumExp([-1e6, -1e6 + Math.log(3)]), -1e6 + Math.log(4), 1e-9);
  close(logSumExp([0, -Infinity]), 0, 0);
  assert.equal(logSumExp([-Infinity, -Infinity]), -Infinity);
});

Deno.test("normalizeLogWeights() makes the weights sum to 1 and keeps their ratios", () => {
  const weights = normalizeLogWeights([5000, 5000 + Math.log(3)]).map(Math.exp);
  close(weights[0], 0.25, 1e-9);
  close(weights[1], 0.75, 1e-9);
});
