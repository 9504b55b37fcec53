import assert from "node:assert/strict";
import { joinRuns } from "../../src/commands/evaluate/subcommands.ts";
import { evaluation, targetOf } from "../helpers/evaluation_results.ts";

Deno.test("joinRuns() names a run after its evaluation, and its variant among several", () => {
  const one = evaluation("a", "b", "c");
  const all = ["a", "b", "c"].map((id) => targetOf(id, [0.5]));
  const both = one.done.both;
  const two = {
    ...one,
    settings: { ...one.settings, variants: ["none", "both"] as const },
    done: { none: both, both },
  };
  assert.deepEqual(joinRuns([["unet", one], ["spa", two]]), {
    unet: all,
    "spa none": all,
    "spa both": all,
  });
});

Deno.test("joinRuns() refuses other targets, a part, and the same name twice", () => {
  const one = evaluation("a", "b", "c");
  const { settings } = one;
  for (
    const [other, message] of [
      [{ ...one, dataset: "x" }, "data set, discs: current value is x"],
      [
        { ...one, cases: ["a", "b"] },
        "cases, a,b,c: current value is a,b",
      ],
      [
        { ...one, settings: { ...settings, include: ["1", "2"] } },
        "--include, none: current value is 1,2",
      ],
      [
        { ...one, settings: { ...settings, seed: 7 } },
        "--seed, 0: current value is 7",
      ],
      [
        { ...one, settings: { ...settings, iterations: 3 } },
        "--iterations, 1: current value is 3",
      ],
    ] as const
  ) {
    assert.throws(() => joinRuns([["a", one], ["b", other]]), {
      name: "RangeError",
      message:
        `Cannot compare as all evaluations must have the same ${message}`,
    });
  }
  assert.throws(() => joinRuns([["a", one], ["b", evaluation("a")]]), {
    name: "RangeError",
    message:
      "Cannot compare as all cases of b must be done: current value is 1 of 3",
  });
  assert.throws(
    () => joinRuns([["a", one], ["a", one]]),
    /^RangeError: Cannot compare as all files must have different names: current value is a twice$/,
  );
});
