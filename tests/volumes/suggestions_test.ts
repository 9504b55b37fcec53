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

Deno.test("far from an aligned slice the map is not believed", () => {
  const slices = [aligned, ...Array.from({ length: 8 }, () => walked(0.9))];
  const alone = suggest(slices.slice(0, 3)).find(({ slice }) => slice === 2)!;
  assert.ok(
    Math.abs(alone.gain - 10 * (1 + Math.exp(-1 / DOUBT.reach))) < 1e-9,
  );
  // 0.04 for each of six slices, instead of 0.1
  const sure = suggest([
    aligned,
    ...Array.from({ length: 8 }, () => walked(1)),
  ]);
  const last = sure.find(({ slice }) => slice === 8)!;
  const beside = [24, 20, 16, 12, 8, 4].reduce(
    (sum, wrong, i) => sum + wrong * Math.exp(-i / DOUBT.reach),
    0,
  );
  assert.ok(Math.abs(last.gain - beside) < 1e-9);
  assert.ok(!sure.some(({ slice }) => slice === 0));
  // every slice far away is all wrong, not more
  const long = suggest([
    aligned,
    ...Array.from({ length: 40 }, () => walked(1)),
  ]);
  assert.ok(long[0].gain <= 610);
});
