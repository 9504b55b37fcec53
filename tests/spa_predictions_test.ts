import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Choice } from "../src/spa/feedback.ts";
import {
  CHOICE_SHARPNESS,
  choiceLogLikelihood,
  choiceShares,
} from "../src/spa/predictions.ts";

const map = (...values: number[]) =>
  ndarray(Float32Array.from(values), [1, values.length]);

const left = map(0.9, 0.5, 0.1, 0);
const right = map(0, 0.4, 0.6, 1);

function choice(chosen: number): Choice {
  return { recommended: map(0, 0, 0, 0), candidates: [left, right], chosen };
}

function close(
  actual: ArrayLike<number>,
  expected: number[],
  tolerance = 1e-6,
) {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(
      Math.abs(actual[i] - value) <= tolerance,
      `${i}: ${actual[i]} is not ${value}`,
    )
  );
}

Deno.test("choiceLogLikelihood() is the log softmax of the Dice with what was shown", () => {
  // The candidates' masks are the first two pixels and the last two. Dice with
  // one added above and below: (2 * 2 + 1) / (2 + 2 + 1) = 1 and 1 / 5.
  const same = Float32Array.of(1, 1, 0, 0);
  close(
    choiceLogLikelihood(same, 1, [choice(0)], 5),
    [-Math.log(1 + Math.exp(5 * (0.2 - 1)))],
  );
  close(
    choiceLogLikelihood(same, 1, [choice(1)], 5),
    [-Math.log(1 + Math.exp(5 * (1 - 0.2)))],
  );
  // one pixel and three: (2 + 1) / (2 + 1 + 1) and (4 + 1) / (2 + 3 + 1)
  const unequal: Choice = {
    recommended: left,
    candidates: [map(0.9, 0, 0, 0), map(0.9, 0.9, 0.9, 0)],
    chosen: 0,
  };
  close(
    choiceLogLikelihood(same, 1, [unequal], 5),
    [-Math.log(1 + Math.exp(5 * (5 / 6 - 3 / 4)))],
  );
  // a soft map: overlaps .8 + .6 and .2, sum 1.6: 3.8 / 4.6 and 1.4 / 4.6
  close(
    choiceLogLikelihood(Float32Array.of(0.8, 0.6, 0.2, 0), 1, [choice(0)], 5),
    [-Math.log(1 + Math.exp(5 * (1.4 - 3.8) / 4.6))],
  );
});

Deno.test("choiceLogLikelihood() adds the choices up, and is 0 without any", () => {
  const maps = Float32Array.of(1, 1, 0, 0, 0, 0, 1, 1);
  close(choiceLogLikelihood(maps, 2, []), [0, 0]);
  const once = choiceLogLikelihood(maps, 2, [choice(0)], 3);
  const thrice = choiceLogLikelihood(
    maps,
    2,
    [choice(0), choice(1), choice(0)],
    3,
  );
  close(thrice, [2 * once[0] + once[1], 2 * once[1] + once[0]]);
});

Deno.test("choiceShares() takes share from samples that contradict a choice", () => {
  const maps = Float32Array.of(1, 1, 0, 0, 0, 0, 1, 1);
  const prior = Float64Array.of(0.5, 0.5);
  const shares = choiceShares(maps, prior, [choice(0)]);
  // odds exp(sharpness * (1 - .2)) each way
  const odds = Math.exp(2 * CHOICE_SHARPNESS * 0.8);
  close(shares, [odds / (1 + odds), 1 / (1 + odds)]);
  assert.ok(shares[0] > 0.99);
  const back = choiceShares(maps, prior, [choice(0), choice(1)]);
  close(back, [0.5, 0.5]);
});

Deno.test("choiceShares() are the prior weights, normalised, where the choices say nothing", () => {
  const maps = new Float32Array(12).fill(0.5); // as near to one as to the other
  const prior = Float64Array.of(1, 2, 5);
  close(choiceShares(maps, prior, []), [1 / 8, 2 / 8, 5 / 8]);
  close(choiceShares(maps, prior, [choice(0)]), [1 / 8, 2 / 8, 5 / 8]);
});

Deno.test("choiceShares() sum to 1 after any number of choices", () => {
  const maps = Float32Array.of(1, 1, 0, 0, 0, 0, 1, 1);
  const many = new Array(1000).fill(choice(1));
  const shares = choiceShares(maps, Float64Array.of(0.9, 0.1), many);
  close(shares, [0, 1]);
});
