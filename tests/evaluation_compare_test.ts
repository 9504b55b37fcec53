import assert from "node:assert/strict";
import { joinRuns } from "../src/evaluation/compare.ts";
import { evaluation, targetOf } from "./_evaluation_results.ts";

Deno.test("joinRuns() names a run after its evaluation, and its variant among several", () => {
  const one = evaluation("a");
  const both = one.done.both;
  const two = {
    ...evaluation("a", "b"),
    settings: { ...one.settings, variants: ["none", "both"] as const },
    done: { none: [], both },
  };
  assert.deepEqual(joinRuns([["unet", one], ["spa", two]]), {
    unet: [targetOf("a", [0.5])],
    "spa none": [],
    "spa both": [targetOf("a", [0.5])],
  });
});

Deno.test("joinRuns() refuses other data and the same name twice", () => {
  assert.throws(
    () =>
      joinRuns([["a", evaluation()], ["b", { ...evaluation(), dataset: "x" }]]),
    /^RangeError: Cannot compare as all evaluations must be of discs: current value is x$/,
  );
  assert.throws(
    () => joinRuns([["a", evaluation()], ["a", evaluation()]]),
    /^RangeError: Cannot compare as all files must have different names: current value is a twice$/,
  );
});
