import assert from "node:assert/strict";
import { createRandom } from "../../src/random.ts";
import { drawVariations, type Variations } from "../../src/spa/predictions.ts";
import { close } from "../helpers/close.ts";

const logit = (p: number) => Math.log(p / (1 - p));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Three samples of three open pixels, and two pixels where all agree. */
const logits = [[0, 1, -1], [2, 1, 0], [1, -2, 0.5]];
const maps = Float32Array.from(
  logits.flatMap((row) => [0.001, ...row.map(sigmoid), 1]),
);
const shares = Float64Array.of(0.2, 0.3, 0.5);
const weights = [...shares].map((share) => share / 2 + 1 / 6);

Deno.test("drawVariations() draws from the Gaussian of the samples' logits", async () => {
  const random = createRandom(1);
  const drawn: number[] = [];
  for (let batch = 0; batch < 40; batch++) {
    drawn.push(...(await drawVariations(maps, shares, 1000, random)).maps);
  }
  const count = drawn.length / 5;
  const value = (v: number, k: number) => logit(drawn[v * 5 + 1 + k]);
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

Deno.test("drawVariations() leaves pixels alone where all samples are certain of the same", async () => {
  const drawn = await drawVariations(maps, shares, 10, createRandom(2));
  for (let v = 0; v < 10; v++) {
    assert.equal(drawn.maps[v * 5], maps[0]);
    assert.equal(drawn.maps[v * 5 + 4], 1);
  }
});

Deno.test("drawVariations() of equal samples are that sample", async () => {
  const same = Float32Array.from([
    ...maps.subarray(0, 5),
    ...maps.subarray(0, 5),
  ]);
  const half = Float64Array.of(0.5, 0.5);
  const drawn = await drawVariations(same, half, 4, createRandom(3));
  for (let i = 0; i < 20; i++) {
    assert.ok(Math.abs(drawn.maps[i] - same[i % 5]) < 1e-6);
  }
});

Deno.test("drawVariations() is the same for the same stream, and names a parent", async () => {
  const draw = (seed: number) =>
    drawVariations(maps, shares, 50, createRandom(seed));
  const drawn = await draw(4);
  assert.deepEqual(await draw(4), drawn);
  assert.notDeepEqual((await draw(5)).maps, drawn.maps);
  assert.deepEqual([...new Set(drawn.parents)].sort(), [0, 1, 2]);
});

Deno.test("drawVariations() is the same in a program for more samples", async () => {
  const draw = (rows: number) =>
    drawVariations(maps, shares, 6, createRandom(7), rows);
  const [exact, padded] = [await draw(3), await draw(11)];
  close(padded.maps, exact.maps, 1e-6);
  assert.deepEqual(padded.parents, exact.parents);
  assert.equal(padded.gram.length, 9 * 9);
  const distances = ({ gram: p }: Variations) =>
    Array.from({ length: 81 }, (_, at) => {
      const i = Math.floor(at / 9), j = at % 9;
      return p[i * 9 + i] + p[j * 9 + j] - 2 * p[at];
    });
  close(distances(padded), distances(exact), 1e-5);
});

Deno.test("drawVariations() gives the Gram matrix of all maps less the samples' mean", async () => {
  const drawn = await drawVariations(maps, shares, 4, createRandom(8));
  const rows = [...maps, ...drawn.maps];
  const at = (i: number, k: number) => rows[i * 5 + k];
  const indices = [...Array(7).keys()];
  const mean = [0, 1, 2, 3, 4].map((k) =>
    [0, 1, 2].reduce((sum, i) => sum + at(i, k) / 3, 0)
  );
  const expected = indices.flatMap((i) =>
    indices.map((j) =>
      mean.reduce((sum, m, k) => sum + (at(i, k) - m) * (at(j, k) - m), 0)
    )
  );
  close(drawn.gram, expected, 1e-6);
});
