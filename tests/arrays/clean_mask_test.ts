import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { cleanMask } from "../../src/arrays/clean_mask.ts";

const drawing = [
  "##...#",
  "#.#...",
  "###...",
  "....##",
  "....##",
];
const mask = ndarray(
  Uint8Array.from(drawing.join(""), (c) => c === "#" ? 255 : 0),
  [5, 6],
);

/** What is left, as it was drawn. */
function draw(cleaning: Parameters<typeof cleanMask>[1], given = mask) {
  const cleaned = cleanMask(given, cleaning);
  return [...Array(cleaned.shape[0]).keys()].map((y) =>
    [...Array(cleaned.shape[1]).keys()]
      .map((x) => cleaned.get(y, x) === 1 ? "#" : ".").join("")
  );
}

Deno.test("cleanMask() does nothing unless it is asked to, and gives 0 and 1", () => {
  assert.deepEqual(draw({}), drawing);
  assert.equal(mask.get(0, 0), 255);
});

Deno.test("cleanMask() keeps the largest part", () => {
  assert.deepEqual(draw({ largestComponent: true }), [
    "##....",
    "#.#...",
    "###...",
    "......",
    "......",
  ]);
});

Deno.test("cleanMask() drops parts that are too small", () => {
  assert.deepEqual(draw({ minimumSize: 2 }), [
    "##....",
    "#.#...",
    "###...",
    "....##",
    "....##",
  ]);
  assert.deepEqual(draw({ minimumSize: 8 }), draw({ minimumSize: 99 }));
});

Deno.test("cleanMask() fills what the mask encloses, diagonals included", () => {
  assert.deepEqual(draw({ fillHoles: true }), [
    "##...#",
    "###...",
    "###...",
    "....##",
    "....##",
  ]);
});

Deno.test("cleanMask() takes a view", () => {
  const turned = draw({ fillHoles: true }, mask.transpose(1, 0));
  assert.deepEqual(turned[1], "###..");
});

Deno.test("cleanMask() refuses a size that is none", () => {
  for (const minimumSize of [-1, NaN]) {
    assert.throws(
      () => cleanMask(mask, { minimumSize }),
      new RangeError(
        `Cannot clean the mask as minimumSize must be a number >= 0: current value is ${minimumSize}`,
      ),
    );
  }
});
