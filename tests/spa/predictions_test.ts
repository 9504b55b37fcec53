import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom } from "../../src/random.ts";
import type { Choice } from "../../src/spa/feedback.ts";
import { CHOICE_SHARPNESS } from "../../src/spa/feedback_likelihood.ts";
import { weighSamples } from "../../src/spa/predictions.ts";
import { frameOf } from "../../src/spa/frame.ts";
import { close } from "../helpers/close.ts";

const map = (...values: number[]) =>
  ndarray(Float32Array.from(values), [1, values.length]);

const left = map(0.9, 0.5, 0.1, 0);
const right = map(0, 0.4, 0.6, 1);

function choice(chosen: number): Choice {
  return { recommended: map(0, 0, 0, 0), candidates: [left, right], chosen };
}

/** Shares of samples without kept ones or variations. */
async function sharesOf(
  maps: Float32Array,
  prior: number[],
  choices: Choice[],
) {
  const components = prior.map(() => 0);
  const none = { maps: new Float32Array(), components: [] };
  const random = createRandom(1);
  const weights = Float64Array.from(prior);
  const fresh = { maps, components };
  const said = { points: [], choices, frame: frameOf(1, 4, 4) };
  return (await weighSamples(fresh, weights, none, said, 0, random)).shares;
}

Deno.test("weighSamples() takes share from samples that contradict a choice", async () => {
  const maps = Float32Array.of(1, 1, 0, 0, 0, 0, 1, 1);
  const shares = await sharesOf(maps, [0.5, 0.5], [choice(0)]);
  // odds exp(sharpness * (1 - .2)) each way
  const odds = Math.exp(2 * CHOICE_SHARPNESS * 0.8);
  close(shares, [odds / (1 + odds), 1 / (1 + odds)]);
  assert.ok(shares[0] > 0.99);
  const back = await sharesOf(maps, [0.5, 0.5], [choice(0), choice(1)]);
  close(back, [0.5, 0.5]);
});

Deno.test("weighSamples() leaves the prior weights where the choices say nothing", async () => {
  const maps = new Float32Array(12).fill(0.5); // as near to one as to the other
  const prior = [1 / 8, 2 / 8, 5 / 8];
  close(await sharesOf(maps, prior, []), prior);
  close(await sharesOf(maps, prior, [choice(0)]), prior);
});

Deno.test("weighSamples() gives shares that sum to 1 after any number of choices", async () => {
  const maps = Float32Array.of(1, 1, 0, 0, 0, 0, 1, 1);
  const many = new Array(1000).fill(choice(1));
  close(await sharesOf(maps, [0.9, 0.1], many), [0, 1]);
});

Deno.test("weighSamples() joins fresh samples, kept ones and variations, in this order", async () => {
  const fresh = {
    maps: Float32Array.of(0.9, 0.8, 0.1, 0.1, 0.7, 0.9, 0.2, 0.1),
    components: [3, 1],
  };
  const kept = {
    maps: Float32Array.of(0.9, 0.9, 0.6, 0.1),
    components: Int32Array.of(2),
  };
  const { maps, components, shares } = await weighSamples(
    fresh,
    Float64Array.of(0.5, 0.5),
    kept,
    { points: [], choices: [], frame: frameOf(2, 2, 2) },
    20,
    createRandom(5),
  );
  assert.equal(shares.length, 23);
  assert.deepEqual([...maps.subarray(0, 8)], [...fresh.maps]);
  assert.deepEqual([...maps.subarray(8, 12)], [...kept.maps]);
  assert.deepEqual([...components.subarray(0, 3)], [3, 1, 2]);
  for (const m of components.subarray(3)) assert.ok([1, 2, 3].includes(m));
  // one kept sample weighs as much as eight fresh, five variations as one
  close([shares[2] / shares[0], shares[3] / shares[0]], [8, 0.2]);
  close([shares.reduce((a, b) => a + b)], [1]);
});
