import assert from "node:assert/strict";
import { frameOf } from "../../src/spa/frame.ts";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  componentDice,
  sampleSetMetrics,
} from "../../src/evaluation/sample_set.ts";
import {
  componentMeans,
  componentsTable,
} from "../../src/evaluation/sample_tables.ts";
import { targetOf } from "../helpers/evaluation_results.ts";
import { cluster } from "../../src/spa/cluster.ts";

/** An image of 2 x 2 whose maps need no resizing. */
const frame = frameOf(2, 2, 2);

const mask = (...values: number[]) => ndarray(Uint8Array.from(values), [2, 2]);

/** A proposal of two fresh samples, and of a kept one that is not measured. */
const proposal = cluster({
  probabilities: ndarray(
    Float32Array.of(1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1),
    [3, 2, 2],
  ),
  components: Int32Array.of(0, 1, 1),
  shares: Float64Array.of(0.5, 0.5, 0),
  latents: {
    values: ndarray(new Float32Array(2), [2, 1]),
    components: Int32Array.of(0, 1),
    seed: 0,
  },
  frame,
});

Deno.test("sampleSetMetrics() measures the fresh samples, by hand", () => {
  // samples: 1 and 2 pixels; raters: the same two
  const same = sampleSetMetrics(proposal, [mask(1, 0, 0, 0), mask(1, 1, 0, 0)]);
  assert.deepEqual(same, {
    energyDistance: 0,
    diceMaxOfAnnotations: 1,
    diceMaxOfSamples: 1,
    matchedDice: 1,
    diceSoft: 1,
    spread: 0.125, // 0.5 at one of four pixels
    calibrationError: 0,
  });
});

Deno.test("sampleSetMetrics() tells a missing opinion, by hand", () => {
  const metrics = sampleSetMetrics(proposal, [mask(1, 1, 0, 0)]);
  assert.equal(metrics.diceMaxOfAnnotations, 1);
  // the one-pixel sample against two pixels: 2 / 3
  assert.ok(Math.abs(metrics.diceMaxOfSamples - (2 / 3 + 1) / 2) < 1e-12);
  assert.ok(Math.abs(metrics.matchedDice - (2 / 3 + 1) / 2) < 1e-12);
  // d = 1 - IoU: 2 * (0.5 + 0) / 2 - (0 + 0.5 + 0.5 + 0) / 4 - 0
  assert.ok(Math.abs(metrics.energyDistance - 0.25) < 1e-12);
  // 0.5 where all raters say 1, at one of four pixels
  assert.equal(metrics.calibrationError, 0.125);
});

Deno.test("componentDice() says which rater each component's fresh samples are like, by hand", () => {
  const raters = new Map([
    ["part", mask(1, 0, 0, 0)],
    ["whole", mask(1, 1, 0, 0)],
  ]);
  assert.deepEqual(componentDice(proposal, raters, 3), {
    part: [1, 2 / 3, null],
    whole: [2 / 3, 1, null],
  });
});

Deno.test("the components' means are over the targets that have samples of them", () => {
  const results = [
    targetOf("a", [0.5], {
      components: { part: [1, null], whole: [0.5, null] },
    }),
    targetOf("b", [0.5], { components: { part: [0.5, 0.2], whole: [1, 0.4] } }),
    targetOf("c", [0.5]),
  ];
  assert.deepEqual(componentMeans(results), [
    { rater: "part", means: [0.75, 0.2] },
    { rater: "whole", means: [0.75, 0.4] },
  ]);
  assert.deepEqual(componentsTable(results).rows, [
    [1, 0.75, 0.75, 2],
    [2, 0.2, 0.4, 1],
  ]);
});
