import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Choice } from "../../src/spa/feedback.ts";
import {
  boxLogLikelihood,
  choiceLogLikelihood,
  CLICK_ERROR,
  clickLogLikelihood,
  feedbackLogLikelihood,
} from "../../src/spa/feedback_likelihood.ts";
import { frameOf } from "../../src/spa/frame.ts";
import { close } from "../helpers/close.ts";

const map = (...values: number[]) =>
  ndarray(Float32Array.from(values), [1, values.length]);

const left = map(0.9, 0.5, 0.1, 0);
const right = map(0, 0.4, 0.6, 1);

function choice(chosen: number): Choice {
  return { recommended: map(0, 0, 0, 0), candidates: [left, right], chosen };
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

Deno.test("choiceLogLikelihood() counts a choice by its weight", () => {
  const same = Float32Array.of(1, 1, 0, 0);
  const whole = choiceLogLikelihood(same, 1, [choice(1)], 5)[0];
  const faded = { ...choice(1), weight: 0.25 };
  close(choiceLogLikelihood(same, 1, [faded], 5), [0.25 * whole]);
  close(
    choiceLogLikelihood(same, 1, [faded, choice(1)], 5),
    [1.25 * whole],
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

/** A map of side 4 that is 1 in some columns and rows, else 0. */
function block(columns: [number, number], rows: [number, number]) {
  return Float32Array.from({ length: 16 }, (_, i) => {
    const x = i % 4, y = Math.floor(i / 4);
    const inside = x >= columns[0] && x <= columns[1] && y >= rows[0] &&
      y <= rows[1];
    return inside ? 1 : 0;
  });
}

Deno.test("clickLogLikelihood() is the chance of the click, by the map where it is", () => {
  const upper = block([0, 3], [0, 1]);
  const maps = new Float32Array([...upper, ...new Array(16).fill(0.25)]);
  const chance = (p: number) =>
    Math.log(CLICK_ERROR + (1 - 2 * CLICK_ERROR) * p);
  const frame = frameOf(4, 4, 4);
  const at = (y: number, label?: 0 | 1) =>
    clickLogLikelihood(maps, 2, [{ x: 2, y, label }], frame);
  close(at(0), [chance(1), chance(0.25)]);
  close(at(0, 0), [chance(0), chance(0.75)]);
  close(at(3, 1), [chance(0), chance(0.25)]);
  close(at(1.5), [chance(0.5), chance(0.25)]); // between two rows
  const both = [{ x: 2, y: 0 }, { x: 0, y: 3, label: 0 as const }];
  close(clickLogLikelihood(maps, 2, both, frame), [
    2 * chance(1),
    chance(0.25) + chance(0.75),
  ]);
});

Deno.test("clickLogLikelihood() finds the click in an image of another size", () => {
  // 8 x 4 pixels in a square of 16: the image is the map's upper half
  const maps = block([3, 3], [1, 1]);
  const frame = frameOf(4, 8, 16);
  const [inside] = clickLogLikelihood(maps, 1, [{ x: 6.5, y: 2.5 }], frame);
  close([inside], [Math.log(1 - CLICK_ERROR)]);
  const [beside] = clickLogLikelihood(maps, 1, [{ x: 2.5, y: 2.5 }], frame);
  close([beside], [Math.log(CLICK_ERROR)]);
});

Deno.test("boxLogLikelihood() is 0 where the sample fills the box, lower the less it does", () => {
  const frame = frameOf(4, 4, 4);
  const box = { left: 1, top: 0, right: 2, bottom: 1 };
  const exact = block([1, 2], [0, 1]); // the box's 4 pixels
  const larger = block([1, 2], [0, 3]); // 8, of which 4 are shared
  const beside = block([3, 3], [3, 3]);
  const nothing = new Float32Array(16);
  const maps = new Float32Array([...exact, ...larger, ...beside, ...nothing]);
  close(boxLogLikelihood(maps, 4, box, frame), [0, -10, -20, -20]);
});

Deno.test("feedbackLogLikelihood() adds choices, the box and all clicks but the first", () => {
  const maps = new Float32Array([
    ...block([0, 1], [0, 1]),
    ...block([1, 3], [1, 3]),
  ]);
  const candidates = [block([0, 1], [0, 1]), block([2, 3], [2, 3])].map((m) =>
    ndarray(m, [4, 4])
  );
  const choices = [{ recommended: candidates[0], candidates, chosen: 1 }];
  const box = { left: 0, top: 0, right: 3, bottom: 3 };
  const frame = frameOf(4, 4, 4);
  const points = [{ x: 0, y: 0 }, { x: 3, y: 3 }, { x: 2, y: 0, label: 0 }];
  const actual = feedbackLogLikelihood(maps, 2, {
    points: points as { x: number; y: number; label?: 0 }[],
    box,
    choices,
    frame,
  });
  const parts = [
    choiceLogLikelihood(maps, 2, choices),
    clickLogLikelihood(maps, 2, [{ x: 3, y: 3 }], frame),
    clickLogLikelihood(maps, 2, [{ x: 2, y: 0, label: 0 }], frame),
    boxLogLikelihood(maps, 2, box, frame),
  ];
  close(actual, [0, 1].map((i) => parts.reduce((sum, p) => sum + p[i], 0)));
  assert.ok(actual[1] > actual[0]);
  const first = { points: points.slice(0, 1), choices: [], frame };
  close(feedbackLogLikelihood(maps, 2, first as never), [0, 0]);
});
