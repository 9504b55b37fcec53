import assert from "node:assert/strict";
import { frameOf } from "../../src/spa/frame.ts";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import {
  boundingBox,
  errorClick,
  jitterBox,
  withMask,
} from "../../src/baselines/interactions.ts";
import { createRandom } from "../../src/random.ts";
import { mapOf } from "../../src/spa/feedback.ts";

/** A mask drawn with # and anything else. */
function drawn(...rows: string[]): NdArray<Uint8Array> {
  const pixels = rows.flatMap((row) => [...row].map((c) => c === "#" ? 1 : 0));
  return ndarray(Uint8Array.from(pixels), [rows.length, rows[0].length]);
}

Deno.test("errorClick() clicks positively where the largest missing region is deepest", () => {
  const target = drawn(
    "........",
    ".###....",
    ".####...",
    ".###....",
    "......##",
    "......##",
  );
  // nothing was found: a region of 10 and, apart from it, one of 4; only the
  // pixel in the middle of the 3 x 3 is two pixels from the outside
  const nothing = drawn(...new Array(6).fill("........"));
  assert.deepEqual(errorClick(nothing, target), { x: 2, y: 2, label: 1 });
  // the large region was found: the small one is left, all of it one deep
  const first = drawn(
    "........",
    ".###....",
    ".####...",
    ".###....",
    "........",
    "........",
  );
  assert.deepEqual(errorClick(first, target), { x: 6, y: 4, label: 1 });
});

Deno.test("errorClick() clicks negatively where more is too much than missing", () => {
  const target = drawn("##......", "##......", "........", "........");
  const predicted = drawn("#...###.", "##..####", "....###.", "........");
  // missing: 1 pixel; too much: 10, of which (5, 1) alone is two deep but for
  // (6, 1), whose neighbours at the right are outside diagonally
  assert.deepEqual(errorClick(predicted, target), { x: 5, y: 1, label: 0 });
});

Deno.test("errorClick() counts the image's edge as the region's border", () => {
  const target = drawn("#####", "#####", "#####", "#####", "#####");
  const nothing = drawn(...new Array(5).fill("....."));
  assert.deepEqual(errorClick(nothing, target), { x: 2, y: 2, label: 1 });
});

Deno.test("errorClick() joins pixels that touch at a corner, and no errors of both signs", () => {
  // a diagonal of 3 missing pixels beside 2 that are too much
  const target = drawn("#...", ".#..", "..#.");
  const predicted = drawn("....", "...#", "...#");
  assert.equal(errorClick(predicted, target)!.label, 1);
  // 2 missing pixels touch 3 that are too much: the larger region is negative
  const half = drawn("##..", "....", "....");
  const other = drawn("..##", "..#.", "....");
  assert.equal(errorClick(other, half)!.label, 0);
});

Deno.test("errorClick() has nothing to say where prediction and target agree", () => {
  const mask = drawn("##", "..");
  assert.equal(errorClick(mask, mask), undefined);
});

Deno.test("boundingBox() goes around the pixels' outer edges, jitterBox() moves it by up to a tenth", () => {
  const mask = drawn("........", "..####..", "...##...", "........");
  const box = boundingBox(mask);
  assert.deepEqual(box, { left: 1.5, top: 0.5, right: 5.5, bottom: 2.5 });
  const random = createRandom(1);
  const moves: number[] = [];
  for (let i = 0; i < 200; i++) {
    const moved = jitterBox(box, 4, 8, random);
    moves.push((moved.left - box.left) / 4, (moved.bottom - box.bottom) / 2);
    assert.ok(Object.values(moved).every((at) => at >= 0 && at <= 7));
    assert.ok(moved.left < moved.right && moved.top < moved.bottom);
  }
  assert.ok(Math.max(...moves) <= 0.1 && Math.max(...moves) > 0.09);
  assert.ok(Math.min(...moves) >= -0.1 && Math.min(...moves) < -0.09);
});

Deno.test("jitterBox() keeps the box of a mask that fills the image in it", () => {
  const all = drawn("##", "##");
  const box = jitterBox(boundingBox(all), 2, 2, createRandom(2));
  assert.deepEqual(box, { left: 0, top: 0, right: 1, bottom: 1 });
});

Deno.test("boundingBox() refuses an empty mask", () => {
  assert.throws(
    () => boundingBox(drawn("...", "...")),
    new RangeError(
      "Cannot draw a box around the mask as it must have pixels: current value is an empty mask of 2 x 3",
    ),
  );
});

Deno.test("withMask() makes the prediction the chosen mask, and keeps the one before", () => {
  const frame = frameOf(2, 2, 2);
  const maps = [0.1, 0.5, 0.9].map((p) =>
    mapOf(new Float32Array(4).fill(p), 2)
  );
  const feedback = maps.reduce(withMask, { points: [], choices: [], frame });
  assert.deepEqual(
    feedback.choices.map(({ candidates, chosen }) => candidates[chosen]),
    maps.slice(1),
  );
});
