import assert from "node:assert/strict";
import { averageWeights } from "../../src/training/weight_vector.ts";

const weights = (values: Record<string, number[]>) =>
  new Map(
    Object.entries(values).map(([name, data]) =>
      [name, { data: Float32Array.from(data), shape: [data.length] }] as const
    ),
  );

Deno.test("averageWeights() is the mean of every weight", () => {
  const mean = averageWeights([
    weights({ a: [1, 2], b: [0] }),
    weights({ a: [3, 2], b: [3] }),
    weights({ a: [5, -1], b: [6] }),
  ]);
  assert.deepEqual(mean, weights({ a: [3, 1], b: [3] }));
});

Deno.test("averageWeights() refuses weights of another config", () => {
  const one = weights({ a: [1, 2] });
  const rule = "Cannot average the weights as all must be of one config";
  for (
    const [other, found] of [
      [weights({ b: [1, 2] }), "a of [2] and [none]"],
      [weights({ a: [1] }), "a of [2] and [1]"],
      [weights({ a: [1, 2], b: [1] }), "1 and 2 weights"],
    ] as const
  ) {
    assert.throws(() => averageWeights([one, other]), {
      name: "RangeError",
      message: `${rule}: current value is ${found}`,
    });
  }
});
