/** A network on a frozen encoder learns how large a clicked object is. */

import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import { isFitted } from "../../src/model/region_finder.ts";
import { Model } from "../../src/model/model.ts";
import { createRandom } from "../../src/random.ts";
import { encode } from "../../src/spa/encode.ts";
import { fitFinder, solvePositive } from "../../src/training/fit_finder.ts";
import type { TrainingCase } from "../../src/training/training_case.ts";
import { close } from "../helpers/close.ts";
import { discImage, discMask, tinyVitConfig } from "../helpers/small_model.ts";

await useEngine("onnx", { threads: 1 });
const config = tinyVitConfig(32);
// a random encoder's features differ little: small deviations standardize them
const weights = new Map([...initializeWeights(config, 1)].map((
  [name, { data, shape }],
) => [name, {
  data: name.endsWith(".deviation") ? data.map(() => 0.02) : data,
  shape,
}]));

/** A disc of any size anywhere in an image of 128 x 128. */
function drawDisc(seed: number) {
  const random = createRandom(seed, 3);
  const radius = 3 * 8 ** random.uniform();
  const at = () => 26 + 76 * random.uniform();
  return { x: at(), y: at(), radius };
}
const caseOf = (seed: number): TrainingCase => ({
  image: discImage(128, 128, drawDisc(seed)),
  masks: [discMask(128, 128, drawDisc(seed))],
});
const cases = Array.from({ length: 40 }, (_, seed) => caseOf(seed));

Deno.test("solvePositive() solves for several right-hand sides", () => {
  // [[4, 2], [2, 3]] times (1, -1) and (0.5, 2)
  const columns = [Float64Array.of(2, -1), Float64Array.of(6, 7)];
  solvePositive(Float64Array.of(4, 2, 2, 3), 2, columns);
  close(columns[0], [1, -1], 1e-12);
  close(columns[1], [0.5, 2], 1e-12);
});

Deno.test("after the fit one click finds a region of about three times the disc", async () => {
  const fitted = await fitFinder(config, weights, cases, 1);
  assert.equal(isFitted(fitted), true);
  using model = new Model(config, fitted);
  const wanted: number[] = [], found: number[] = [];
  for (let seed = 100; seed < 116; seed++) {
    const disc = drawDisc(seed);
    const points = [{ x: Math.round(disc.x), y: Math.round(disc.y) }];
    using embedding = await encode(model, discImage(128, 128, disc), {
      points,
    });
    assert.ok(embedding.looks.count >= 1 && embedding.looks.count <= 3);
    const { left, right } = embedding.region;
    wanted.push(Math.log2(Math.min(128, 6 * disc.radius)));
    found.push(Math.log2(right - left));
  }
  // the middle size is the best guess of who does not look
  const middle = wanted.toSorted((a, b) => a - b)[8];
  const mean = (values: number[]) =>
    values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  const off = mean(found.map((side, i) => side - wanted[i]));
  const guess = mean(wanted.map((side) => middle - side));
  console.log(`octaves off: ${off.toFixed(2)}; one side: ${guess.toFixed(2)}`);
  assert.ok(off < 0.7 * guess);
});

Deno.test("the same seed fits the same; cases without masks change nothing", async () => {
  const few = cases.slice(0, 2);
  const first = await fitFinder(config, weights, few, 5);
  assert.deepEqual(await fitFinder(config, weights, few, 5), first);
  assert.notDeepEqual(await fitFinder(config, weights, few, 6), first);
  const unmarked = few.map((item) => ({ ...item, masks: [] }));
  assert.equal(await fitFinder(config, weights, unmarked, 5), weights);
  for (const [name, { data }] of first) {
    if (name.startsWith("region_finder.")) continue;
    assert.equal(data, weights.get(name)!.data);
  }
});
