import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  orderCases,
  type TrainingCase,
  withNeighbors,
} from "../../src/training/training_case.ts";
import { discMask } from "../helpers/small_model.ts";
import { discs } from "../helpers/small_training.ts";

const disc = discs[0]; // [30, 32, 1], three masks
const [height, width] = disc.image.shape;

/** An image of these sides, all 0.5 but for its last value. */
function imageOf(shape: number[], last = 0.5): TrainingCase["image"] {
  const size = shape.reduce((product, side) => product * side, 1);
  const data = new Float32Array(size).fill(0.5);
  data[size - 1] = last;
  return ndarray(data, shape);
}

const small = discMask(16, 16, { x: 8, y: 8, radius: 5 });

for (
  const [what, change, rule] of [
    [
      "without channels",
      { image: imageOf([height, width]) },
      `image must be [H, W, 1] or [H, W, 3]: current value is [30,32]`,
    ],
    [
      "of two channels",
      { image: imageOf([height, width, 2]) },
      `image must be [H, W, 1] or [H, W, 3]: current value is [30,32,2]`,
    ],
    [
      "with a pixel that is no number",
      { image: imageOf([height, width, 3], NaN) },
      "image must be finite: current value is NaN",
    ],
    [
      "with an infinite pixel",
      { image: imageOf([height, width, 1], -Infinity) },
      "image must be finite: current value is -Infinity",
    ],
    [
      "with a mask of another size",
      { masks: [disc.masks[0], small] },
      "masks[1] must be of its image's size, [30,32]: current value is [16,16]",
    ],
    [
      "with too few raters",
      { raters: ["a", "b"] },
      "raters must be as many as its masks, 3: current value is 2",
    ],
    [
      "with a rater twice",
      { raters: ["a", "b", "a"] },
      "raters must be distinct: current value is a twice",
    ],
  ] as [string, Partial<TrainingCase>, string][]
) {
  Deno.test(`orderCases() refuses a case ${what}, by its place`, () => {
    assert.throws(
      () => orderCases([disc, { ...disc, ...change }]),
      new RangeError(`Cannot train as cases[1].${rule}`),
    );
  });
}

Deno.test("orderCases() takes gray and color, values beyond 0..1, and cases without names", () => {
  const named = { ...disc, raters: ["a", "b", "c"] };
  const dark = { ...disc, image: imageOf([height, width, 3], -2) };
  assert.equal(orderCases([disc, named, dark]).length, 3);
  assert.deepEqual(orderCases([]), []);
});

Deno.test("withNeighbors() tells slices what lies at most three beside, in their own volume", () => {
  const item = (name: string) => ({ ...disc, raters: [name] });
  const cases = withNeighbors([
    { item: item("a1"), slice: { volume: "a", index: 1 } },
    { item: item("b2"), slice: { volume: "b", index: 2 } },
    { item: item("flat"), slice: undefined },
    { item: item("a4"), slice: { volume: "a", index: 4 } },
    { item: item("a5"), slice: { volume: "a", index: 5 } },
  ]);
  assert.deepEqual(
    cases.map(({ neighbors }) => neighbors?.map(({ raters }) => raters![0])),
    [["a4"], [], undefined, ["a1", "a5"], ["a4"]],
  );
  assert.equal(cases[0].neighbors![0].masks, disc.masks);
});
