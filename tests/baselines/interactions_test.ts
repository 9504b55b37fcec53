import assert from "node:assert/strict";
import { withMask } from "../../src/baselines/method.ts";
import { mapOf } from "../../src/spa/feedback.ts";
import { frameOf } from "../../src/spa/frame.ts";

Deno.test("withMask() makes the prediction the chosen mask, and keeps the one before", () => {
  const frame = frameOf(2, 2, 2);
  const maps = [0.1, 0.5, 0.9].map((p) =>
    mapOf(new Float32Array(4).fill(p), 2)
  );
  const feedback = maps.reduce(withMask, { points: [], choices: [], frame });
  assert.deepEqual(
    feedback.choices.map(({ candidates, chosen }) => candidates[chosen]),
    maps.slice(1),
  );
});
