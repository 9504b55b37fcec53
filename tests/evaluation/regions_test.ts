/** Where the network looks in an evaluation, and what its users do. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { type Dataset, joinDatasets } from "../../src/datasets/dataset.ts";
import { useEngine } from "../../src/engine/engine.ts";
import {
  evaluate,
  type EvaluateOptions,
  type TargetResult,
} from "../../src/evaluation/evaluate.ts";
import { padCases } from "../../src/evaluation/pad_cases.ts";
import {
  firstWords,
  givenRegion,
  partsOf,
} from "../../src/evaluation/targets.ts";
import { Model } from "../../src/model/model.ts";
import { createRandom } from "../../src/random.ts";
import {
  discCase,
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const [HEIGHT, WIDTH] = [20, 24];
const at = { x: 11, y: 10 };

const dataset: Dataset = {
  name: "discs",
  cases: [discCase("a", { strict: 4, wide: 7 }), discCase("b", { only: 5 })],
};
const quick = { iterations: 3, samples: 12 };
const align = (options: EvaluateOptions, data = dataset) =>
  evaluate(model, data, { ...quick, ...options });
const dices = (results: readonly TargetResult[]) =>
  results.map(({ iterations }) => iterations.map(({ dice }) => dice));

Deno.test("a given region is three times the target, and moves by a share of its side", () => {
  // columns 7..15 and rows 6..14: a box of 9 x 9 about (11, 10)
  const mask = discMask(HEIGHT, WIDTH, { ...at, radius: 4 });
  assert.deepEqual(givenRegion(mask), {
    ...{ left: -2.5, top: -3.5, right: 24.5, bottom: 23.5 },
  });
  const moved = givenRegion(mask, 0.25);
  assert.deepEqual(
    [moved.left + 2.5, moved.top + 3.5].map(Math.abs),
    [6.75, 6.75],
  );
  assert.equal(moved.right - moved.left, 27);
});

Deno.test("evaluate() looks at the region that is asked for, and says which", async () => {
  const [whole] = await align({ region: "whole" });
  assert.deepEqual(whole.region, {
    ...{ left: -0.5, top: -0.5, right: 23.5, bottom: 23.5 },
  });
  assert.deepEqual(whole.object, {
    ...{ left: 6.5, top: 5.5, right: 15.5, bottom: 14.5 },
  });
  assert.equal(whole.looks?.count, 1);
  const [given] = await align({ region: "given" });
  assert.deepEqual(
    given.region,
    givenRegion(await dataset.cases[0].readMask("strict")),
  );
  const [crop] = await align({}, { ...dataset, crops: true });
  assert.deepEqual(crop.region, whole.region);
  const [auto] = await align({});
  assert.ok(auto.looks!.count >= 1 && auto.looks!.count <= 4);
  assert.ok(auto.looks!.milliseconds > 0);
  assert.notDeepEqual(dices([given]), dices([whole]));
});

Deno.test("evaluate() starts from a box or a mask", async () => {
  const target = discMask(HEIGHT, WIDTH, { ...at, radius: 5 });
  const { box, points } = firstWords(target, createRandom(1), "box");
  assert.equal(points, undefined);
  for (const [edge, value] of Object.entries({ left: 5.5, right: 16.5 })) {
    assert.ok(Math.abs(box![edge as "left"] - value) <= 1.1, edge);
  }
  const { mask } = firstWords(target, createRandom(1), "mask", () => target);
  assert.equal(mask, target);
  const clicked = dices(await align({}));
  const boxed = dices(await align({ beginning: "box" }));
  const masked = dices(await align({ beginning: "mask" }));
  assert.notDeepEqual(boxed, clicked);
  assert.notDeepEqual(masked, clicked);
  let damaged = 0;
  const other = await align({
    beginning: "mask",
    damage: (mask) => {
      damaged++;
      return ndarray(mask.data.map((_, i) => i < 30 ? 1 : 0), [HEIGHT, WIDTH]);
    },
  });
  assert.equal(damaged, 3);
  assert.notDeepEqual(dices(other), masked);
});

Deno.test("a mixed user is never worse off after a move than one who picks or clicks", async () => {
  const first = { iterations: 2 };
  const pick = dices(await align({ ...first }));
  const click = dices(await align({ ...first, interaction: "click" }));
  const results = await align({ ...first, interaction: "mixed" });
  dices(results).forEach(([start, next], i) => {
    assert.equal(start, pick[i][0]);
    // the samples after a click and after a pick are drawn alike
    assert.equal(next, Math.max(pick[i][1], click[i][1]));
    const [{ did }, { did: last }] = results[i].iterations;
    assert.equal(did, click[i][1] > pick[i][1] ? "click" : "pick");
    assert.equal(last, undefined);
  });
});

Deno.test("evaluate() widens the region where the user clicks beside it", async () => {
  // the region holds a corner of the target alone
  const image = discImage(64, 64, { x: 40, y: 40, radius: 20 });
  const mask = discMask(64, 64, { x: 40, y: 40, radius: 20 });
  const [{ iterations, region, object }] = await align({
    interaction: "click",
    region: "given",
    shift: 0.5,
  }, {
    name: "large disc",
    cases: [{
      ...discCase("a", { only: 20 }),
      readImage: () => Promise.resolve(image),
      readMask: () => Promise.resolve(mask),
    }],
  });
  assert.equal(iterations.length, 3);
  assert.ok(
    object!.left < region!.left || object!.right > region!.right,
    "the whole target is in the region",
  );
});

Deno.test("padCases() puts an image somewhere into a canvas of its reflections", async () => {
  const [small] = dataset.cases;
  const padded = padCases(dataset, { size: 60, seed: 3 });
  assert.equal(padded.crops, false);
  const [item, other] = padded.cases;
  const image = await small.readImage(), mask = await small.readMask("wide");
  const canvas = await item.readImage(), inside = await item.readMask("wide");
  assert.deepEqual([canvas.shape, inside.shape], [[60, 60, 1], [60, 60]]);
  // the place is where the mask is: its first row and column are 3 and 4
  const rows = [...Array(60).keys()].filter((y) =>
    [...Array(60).keys()].some((x) => inside.get(y, x) > 0)
  );
  const columns = [...Array(60).keys()].filter((x) =>
    rows.some((y) => inside.get(y, x) > 0)
  );
  const top = rows[0] - 3, left = columns[0] - 4;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      assert.equal(canvas.get(y + top, x + left, 0), image.get(y, x, 0));
      assert.equal(inside.get(y + top, x + left), mask.get(y, x));
    }
  }
  const total = (data: ArrayLike<number>) =>
    Array.from(data).reduce((a, b) => a + b, 0);
  assert.equal(total(inside.data), total(mask.data)); // no mirrored objects
  for (let d = 0; d < Math.min(5, top); d++) { // the edge's own pixels first
    assert.equal(
      canvas.get(top - 1 - d, left + 7, 0),
      canvas.get(top + d, left + 7, 0),
    );
  }
  assert.notDeepEqual((await other.readMask("only")).data, inside.data);
  await assert.rejects(
    () => padCases(dataset, { size: 22 }).cases[0].readImage(),
    /^RangeError: Cannot pad the images as none may be larger than 22 x 22: current value is 20 x 24 of case a$/,
  );
  assert.throws(
    () => padCases(dataset, { size: 1.5 }),
    /size must be a positive integer: current value is 1.5$/,
  );
});

Deno.test("evaluate() takes every separate part of 30 pixels or more as a target", async () => {
  const mask = ndarray(new Uint8Array(HEIGHT * WIDTH), [HEIGHT, WIDTH]);
  const fill = (top: number, left: number, height: number, width: number) => {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) mask.set(y, x, 1);
    }
  };
  fill(1, 1, 5, 6); // 30 pixels
  fill(1, 15, 5, 8); // 40
  fill(15, 1, 2, 14); // 28: too small
  const targets = partsOf([{ name: "only", index: 0, mask }]);
  assert.deepEqual(
    targets.map(({ part, mask }) => [
      part,
      Array.from(mask.data).reduce((a, b) => a + b, 0),
    ]),
    [[1, 40], [2, 30]],
  );
  const item = {
    ...discCase("a", { only: 1 }),
    readMask: () => Promise.resolve(mask),
  };
  const told: number[] = [];
  const results = await align({
    parts: true,
    iterations: 1,
    onTarget: (_, total) => told.push(total),
  }, { name: "parts", cases: [item] });
  assert.deepEqual(
    results.map(({ rater, part, object }) => [rater, part, object?.left]),
    [["only", 1, 14.5], ["only", 2, 0.5]],
  );
  assert.deepEqual(told, [2, 2]);
  for (const { iterations: [{ dice, raters }] } of results) {
    assert.deepEqual(raters, { only: dice }); // of the part
  }
});

Deno.test("joined data sets give each case what it gets by itself", async () => {
  const other: Dataset = { name: "more", cases: [discCase("a", { x: 6 })] };
  const joined = joinDatasets([
    { folder: "data/one/val", dataset },
    { folder: "data/two/val", dataset: other },
  ]);
  assert.equal(joined.name, "discs; more");
  assert.deepEqual(
    joined.cases.map(({ id, patient, set }) => [id, patient, set]),
    [
      ["one/val/a", "one/val/a", "one/val"],
      ["one/val/b", "one/val/b", "one/val"],
      ["two/val/a", "two/val/a", "two/val"],
    ],
  );
  const results = await align({}, joined);
  assert.deepEqual(results.map(({ set }) => set), [
    ...["one/val", "one/val", "one/val", "two/val"],
  ]);
  assert.deepEqual(dices(results), [
    ...dices(await align({})),
    ...dices(await align({}, other)),
  ]);
  assert.equal(joinDatasets([{ folder: "x", dataset }]), dataset);
});
