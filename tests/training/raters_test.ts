import assert from "node:assert/strict";
import { createRandom } from "../../src/random.ts";
import { drawRaters, weightedMajority } from "../../src/training/raters.ts";

Deno.test("users want one rater's mask half of the time, else a weighted majority", () => {
  // nested masks of one, two and three pixels
  const masks = new Map([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]].map((
    values,
  ) => [`${values.indexOf(0)}`, Uint8Array.from(values)]));
  const random = createRandom(6);
  const counts = [0, 0, 0, 0];
  const trials = 12_000;
  for (let i = 0; i < trials; i++) {
    const weights = drawRaters([...masks.keys()], random);
    const target = weightedMajority(masks, weights)!;
    const area = target.reduce((a, b) => a + b);
    assert.deepEqual([...target], [0, 1, 2, 3].map((k) => Number(k < area)));
    counts[area]++;
  }
  // one rater: 1/3 each. Dirichlet(1, 1, 1): one rater has more than half of
  // the weight with probability 1/4; the largest needs that for its third
  // pixel, the smallest to keep the second one out: 1/4, 1/2, 1/4
  const expected = [0, 1 / 6 + 1 / 8, 1 / 6 + 1 / 4, 1 / 6 + 1 / 8];
  counts.forEach((count, k) =>
    assert.ok(
      Math.abs(count / trials - expected[k]) < 0.02,
      `${counts} of ${trials}`,
    )
  );
});

Deno.test("weightedMajority() is of those who drew a mask, and never empty", () => {
  const masks = new Map([
    ["a", Uint8Array.of(255, 0, 0)],
    ["b", Uint8Array.of(255, 255, 0)],
  ]);
  const of = (weights: Record<string, number>) => {
    const majority = weightedMajority(masks, weights);
    return majority && [...majority];
  };
  assert.deepEqual(of({ a: 0.6, b: 0.4 }), [1, 0, 0]);
  assert.deepEqual(of({ a: 0.5, b: 0.5 }), [1, 1, 0]);
  assert.deepEqual(of({ a: 1, b: 2, c: 9 }), [1, 1, 0]); // c drew none
  assert.equal(of({ a: 0, b: 0, c: 1 }), undefined);
  const apart = new Map(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((v, i) =>
      [`${i}`, Uint8Array.from(v)] as const
    ),
  );
  assert.equal(weightedMajority(apart, { 0: 1, 1: 1, 2: 1 }), undefined);
});
