import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  drawAllRaters,
  drawMajority,
  drawRater,
  drawShares,
} from "../../src/baselines/examples.ts";
import type { ExampleSource } from "../../src/baselines/method.ts";
import { createRandom } from "../../src/random.ts";
import { smallConfig } from "../helpers/small_model.ts";
import { recipe } from "../helpers/small_training.ts";

/** A mask of 32 x 32 with the columns from `from` up to `to`. */
function columns(from: number, to: number) {
  const pixels = Uint8Array.from(
    { length: 32 * 32 },
    (_, i) => i % 32 >= from && i % 32 < to ? 1 : 0,
  );
  return ndarray(pixels, [32, 32]);
}

/** Two raters drew the left half, one the right, and one nothing. */
const source: ExampleSource = {
  cases: [{
    image: ndarray(new Float32Array(32 * 32), [32, 32, 1]),
    masks: [columns(0, 16), columns(16, 32), columns(0, 16), columns(0, 0)],
  }],
  config: { method: "unet", network: smallConfig, raters: 4 },
  recipe,
};

/** That all values agree to float32. */
function assertClose(actual: Float32Array, expected: Float32Array) {
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6));
}

Deno.test("the majority is what at least half of the raters drew who drew anything", () => {
  for (const seed of [1, 2, 3]) {
    // the same seed moves the image alike
    const all = drawAllRaters(source, createRandom(seed));
    const majority = drawMajority(source, createRandom(seed));
    assert.deepEqual(majority.targets, [all.targets[0]]);
    assert.deepEqual(all.targets[2], all.targets[0]);
    assert.notDeepEqual(all.targets[1], all.targets[0]);
    const third = 1 / 3;
    const expertise = Float32Array.of(third, third, third, 0);
    assert.deepEqual(majority.expertise, expertise);
  }
});

Deno.test("a small object is shown by a region around it, as SPA's users see it", () => {
  const mask = ndarray(new Uint8Array(128 * 128), [128, 128]);
  for (let y = 90; y < 98; y++) for (let x = 20; x < 28; x++) mask.set(y, x, 1);
  const small = {
    ...source,
    cases: [{
      image: ndarray(new Float32Array(128 * 128), [128, 128, 1]),
      masks: [mask],
    }],
    recipe: { ...recipe, phantomShare: 0 },
  };
  for (const seed of [1, 2, 3, 4, 5]) {
    const { targets: [target] } = drawMajority(small, createRandom(seed));
    const share = target.reduce((a, b) => a + b) / target.length;
    // of the whole image it is 0.004; its side is 0.12 of a region's at least
    assert.ok(share > 0.01, `${share}`);
    const side = Math.sqrt(target.length);
    const middle = (side / 2) * side + side / 2;
    assert.ok(target[middle] > 0.5, "nobody clicks: it is in the middle");
  }
});

Deno.test("a rater who drew nothing has the others' mean as target", () => {
  const { targets: [left, right, , mean] } = drawAllRaters(
    source,
    createRandom(4),
  );
  assertClose(mean, left.map((value, i) => (2 * value + right[i]) / 3));
});

Deno.test("drawRater() draws every rater who drew a mask, alone", () => {
  const random = createRandom(5);
  const found = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const { expertise, targets } = drawRater(source, random);
    assert.deepEqual([...expertise].sort(), [0, 0, 0, 1]);
    assert.equal(targets.length, 1);
    found.add(expertise.indexOf(1));
  }
  assert.deepEqual([...found].sort(), [0, 1, 2]);
});

Deno.test("drawShares() learns the masks in the shares it states, half of the time one alone", () => {
  let alone = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { targets } = drawAllRaters(source, createRandom(seed));
    const { targets: [target], expertise } = drawShares(
      source,
      createRandom(seed),
    );
    assert.equal(expertise[3], 0);
    assertClose(
      Float32Array.of(expertise.reduce((a, b) => a + b)),
      Float32Array.of(1),
    );
    assertClose(
      target,
      target.map((_, i) =>
        expertise.reduce((sum, share, r) => sum + share * targets[r][i], 0)
      ),
    );
    if (expertise.includes(1)) alone++;
  }
  assert.ok(alone > 18 && alone < 42, `${alone} of 60`);
});
