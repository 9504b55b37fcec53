import assert from "node:assert/strict";
import { createRandom } from "../src/random.ts";
import { drawVariations } from "../src/spa/variations.ts";

const logit = (p: number) => Math.log(p / (1 - p));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Three samples of three open pixels, and two pixels where all agree. */
const logits = [[0, 1, -1], [2, 1, 0], [1, -2, 0.5]];
const maps = Float32Array.from(
  logits.flatMap((row) => [0.001, ...row.map(sigmoid), 1]),
);
const shares = Float64Array.of(0.2, 0.3, 0.5);
const weights = [...shares].map((share) => share / 2 + 1 / 6);

Deno.test("drawVariations() draws from the Gaussian of the samples' logits", () => {
  const count = 40000;
  const drawn = drawVariations(maps, shares, count, createRandom(1));
  const value = (v: number, k: number) => logit(drawn.maps[v * 5 + 1 + k]);
  const mean = [0, 1, 2].map((k) =>
    logits.reduce((sum, row, i) => sum + weights[i] * row[k], 0)
  );
  for (let a = 0; a < 3; a++) {
    let sum = 0;
    for (let v = 0; v < count; v++) sum += value(v, a);
    assert.ok(Math.abs(sum / count - mean[a]) < 0.05, `mean ${a}`);
    for (let b = 0; b < 3; b++) {
      let product = 0;
      for (let v = 0; v < count; v++) {
        product += (value(v, a) - mean[a]) * (value(v, b) - mean[b]) / count;
      }
      // twice as wide as the samples: four times their covariance
      const expected = 4 * logits.reduce(
        (sum, row, i) =>
          sum + weights[i] * (row[a] - mean[a]) * (row[b] - mean[b]),
        0,
      );
      assert.ok(
        Math.abs(product - expected) < 0.15,
        `covariance ${a} ${b}: ${product}, not ${expected}`,
      );
    }
  }
});

Deno.test("drawVariations() leaves pixels alone where all samples are certain of the same", () => {
  const drawn = drawVariations(maps, shares, 10, createRandom(2));
  for (let v = 0; v < 10; v++) {
    assert.equal(drawn.maps[v * 5], maps[0]);
    assert.equal(drawn.maps[v * 5 + 4], 1);
  }
});

Deno.test("drawVariations() of equal samples are that sample", () => {
  const same = Float32Array.from([
    ...maps.subarray(0, 5),
    ...maps.subarray(0, 5),
  ]);
  const half = Float64Array.of(0.5, 0.5);
  const drawn = drawVariations(same, half, 4, createRandom(3));
  for (let i = 0; i < 20; i++) {
    assert.ok(Math.abs(drawn.maps[i] - same[i % 5]) < 1e-6);
  }
});

Deno.test("drawVariations() is the same for the same stream, and names a parent", () => {
  const draw = (seed: number) =>
    drawVariations(maps, shares, 50, createRandom(seed));
  assert.deepEqual(draw(4), draw(4));
  assert.notDeepEqual(draw(4).maps, draw(5).maps);
  const parents = new Set(draw(4).parents);
  assert.deepEqual([...parents].sort(), [0, 1, 2]);
});
