import assert from "node:assert/strict";
import {
  DOUBT,
  type SliceState,
  suggest,
} from "../../src/volumes/suggestions.ts";

const aligned: SliceState = { area: 100, aligned: true, confidence: 1 };
const walked = (confidence: number): SliceState => ({
  ...{ area: 100, aligned: false, confidence },
});

Deno.test("a look helps most where most pixels are expected to be wrong, here and beside", () => {
  const found = suggest([aligned, walked(0.9), walked(0.8)]);
  assert.deepEqual(found.map(({ slice }) => slice), [2, 1]);
  // 10 and 20 pixels; what is wrong beside fades by 1/e in three slices
  const beside = Math.exp(-1 / DOUBT.reach);
  assert.ok(Math.abs(found[0].gain - (20 + 10 * beside)) < 1e-9);
  assert.ok(Math.abs(found[1].gain - (10 + 20 * beside)) < 1e-9);
  assert.deepEqual(found[0].doubts, ["unsure"]);
});

Deno.test("a look helps up to the next aligned slice, and not beyond", () => {
  const [{ slice, gain }] = suggest([walked(0.5), aligned, walked(0.4)]);
  assert.equal(slice, 2);
  assert.ok(Math.abs(gain - 60) < 1e-9);
});

Deno.test("walks that disagree and areas that jump count beside the map's own doubt", () => {
  const [{ gain, doubts }] = suggest([
    aligned,
    { ...walked(0.9), area: 140, disagreement: 0.5 },
    aligned,
  ]);
  // 0.1 of 140, half of 0.5 of 140, half of the 40 beyond both neighbors
  assert.ok(Math.abs(gain - (14 + 35 + 20)) < 1e-9);
  assert.deepEqual(doubts, ["walks disagree", "area jumps", "unsure"]);
});

Deno.test("where a walk ended the object may go on", () => {
  const end: SliceState = { ...walked(0), area: 0, beyond: 12 };
  const [{ slice, gain, doubts }] = suggest([aligned, end]);
  assert.equal(slice, 1);
  assert.equal(gain, DOUBT.end * 100); // more than the 12 that were left
  assert.deepEqual(doubts, ["may go on here"]);
});

Deno.test("an aligned slice needs no look, nor does one of which a walk is sure", () => {
  assert.deepEqual(suggest([aligned, walked(1), aligned]), []);
});
