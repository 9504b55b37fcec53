import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  expectedTargets,
  readMasks,
  targetsOf,
} from "../../src/evaluation/targets.ts";
import type { Case } from "../../src/datasets/dataset.ts";

const drawn: Record<string, number[]> = {
  1: [1, 1, 0, 0],
  2: [0, 1, 1, 0],
  3: [0, 1, 1, 1],
  4: [0, 0, 0, 0],
};

const item: Case = {
  id: "a",
  patient: "a",
  raters: Object.keys(drawn),
  readImage: () => Promise.reject(new Error("no image")),
  readMask: (rater) =>
    Promise.resolve(ndarray(Uint8Array.from(drawn[rater]), [1, 4])),
};

const shown = (targets: ReturnType<typeof targetsOf>) =>
  targets.map(({ name, index, mask }) => [name, index, ...mask.data as never]);

Deno.test("targetsOf() is every rater who drew something", async () => {
  assert.deepEqual(shown(targetsOf(item, await readMasks(item))), [
    ["1", 0, 1, 1, 0, 0],
    ["2", 1, 0, 1, 1, 0],
    ["3", 2, 0, 1, 1, 1],
  ]);
  assert.equal(expectedTargets(item), 4);
});

Deno.test("targetsOf() is the pixels of at least half of the included raters", async () => {
  const masks = await readMasks(item);
  const majority = (...include: string[]) =>
    shown(targetsOf(item, masks, include));
  assert.deepEqual(majority("1", "2", "3"), [
    ["majority of 1, 2, 3", 0, 0, 1, 1, 0],
  ]);
  assert.deepEqual(majority("1", "2"), [["majority of 1, 2", 0, 1, 1, 1, 0]]);
  // one rater's target is the same as in turn, and so are its clicks
  assert.deepEqual(majority("3"), [["3", 2, 0, 1, 1, 1]]);
  // rater 4 drew nothing here, rater 9 never saw the case
  assert.deepEqual(majority("3", "4", "9"), [
    ["majority of 3, 4, 9", 0, 0, 1, 1, 1],
  ]);
  assert.deepEqual(majority("4"), []);
  assert.equal(expectedTargets(item, ["4"]), 1);
  assert.equal(expectedTargets(item, ["9"]), 0);
});

Deno.test("targetsOf() has no target where the majority is empty", async () => {
  const apart: Record<string, number[]> = {
    a: [1, 0, 0],
    b: [0, 1, 0],
    c: [0, 0, 1],
  };
  const other: Case = {
    ...item,
    raters: ["a", "b", "c"],
    readMask: (rater) =>
      Promise.resolve(ndarray(Uint8Array.from(apart[rater]), [1, 3])),
  };
  assert.deepEqual(
    targetsOf(other, await readMasks(other), ["a", "b", "c"]),
    [],
  );
});
