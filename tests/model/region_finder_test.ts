/** How large a clicked object is, by features around the click. */

import assert from "node:assert/strict";
import { type ModelConfig, presets } from "../../src/model/config.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import {
  featuresAbout,
  finderWidth,
  findObject,
  hasFinder,
  isFitted,
} from "../../src/model/region_finder.ts";
import { close } from "../helpers/close.ts";

const tensor = (side: number, values: ArrayLike<number>) => ({
  data: Float32Array.from(values),
  shape: [1, side, side, 1],
});

Deno.test("features about a place are means of squares of cells, then the place", () => {
  const features = {
    embedding: tensor(2, [1, 2, 3, 6]),
    finer: tensor(4, Array.from({ length: 16 }, (_, i) => i)),
  };
  // the upper right cell; 2 x 2 cells are all there is for every larger square
  const values = featuresAbout(features, 0.6, 0.2);
  close(
    values,
    [2, 3, 3, 3, 3, 2, (1 + 2 + 3 + 5 + 6 + 7) / 6, 7.5, 0.6, 0.2],
    1e-6,
  );
});

Deno.test("an object is two to the first output; its center is not beyond its own box", () => {
  const features = {
    embedding: tensor(1, [4]),
    finer: tensor(2, [0, 0, 0, 0]),
  };
  const F = 10;
  const weight = new Float32Array(3 * F), bias = Float32Array.of(-1, 0.25, 7);
  weight[0] = -0.25; // log2 of the side: -1 - 0.25 * 4
  const weights = new Map([
    ["region_finder.weight", { data: weight, shape: [3, F] }],
    ["region_finder.bias", { data: bias, shape: [3] }],
  ]);
  const { side, dx, dy } = findObject(weights, features, 0.5, 0.5);
  close([side, dx, dy], [0.25, 0.0625, 0.125], 1e-6);
  weight[0] = 5; // a wild guess stays within one and a half regions
  assert.equal(findObject(weights, features, 0.5, 0.5).side, 1.5);
});

Deno.test("networks on a frozen encoder have a finder; fresh ones are not fitted", () => {
  const config: ModelConfig = presets.small;
  assert.equal(hasFinder(config), true);
  assert.equal(hasFinder(presets.tiny), false);
  assert.equal(hasFinder(presets["lite-medsam"]), false);
  assert.equal(finderWidth(config), 5 * 256 + 3 * 128 + 2);
  const names = ["region_finder.weight", "region_finder.bias"];
  const weights = initializeWeights(config, 1, names);
  assert.equal(weights.size, 2);
  assert.equal(isFitted(weights), false);
});
