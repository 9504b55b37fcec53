/** Which tables the records of an evaluation give. */
import assert from "node:assert/strict";
import { sectionsOf } from "../../src/commands/evaluate/sections.ts";
import type {
  SavedEvaluation,
  VariantName,
} from "../../src/evaluation/saved_evaluation.ts";
import {
  evaluation,
  sampleSetOf,
  targetOf,
} from "../helpers/evaluation_results.ts";

/** An evaluation of variants, each with a Dice of its own at both iterations. */
function evaluationOf(
  dices: Partial<Record<VariantName, number>>,
): SavedEvaluation {
  const { settings, ...rest } = evaluation("a", "b", "c");
  const names = Object.keys(dices) as VariantName[];
  const results = (id: string, dice: number, carried: boolean) => {
    const target = targetOf(id, [dice, dice], {
      ...{ set: id === "a" ? "one" : "two", sampleSet: sampleSetOf(dice) },
      ...(carried && id !== "a" && { carried: true }),
      ...{ looks: { count: 1, milliseconds: 5 } },
      object: { left: 0, top: 0, right: 9, bottom: 9 },
      region: { left: 0, top: 0, right: 27, bottom: 27 },
    });
    const raters = { 1: dice, 2: dice / 2 };
    const iterations = target.iterations.map((one) => ({
      ...{ ...one, raters, iou: dice, hd95: 1 },
    }));
    return { case: id, results: [{ ...target, iterations }] };
  };
  return {
    ...rest,
    settings: { ...settings, region: "auto", iterations: 2, variants: names },
    done: Object.fromEntries(
      names.map((name) => [
        name,
        ["a", "b", "c"].map((id) =>
          results(id, dices[name]!, /carried|wrong/.test(name))
        ),
      ]),
    ),
  };
}

const headings = (saved: SavedEvaluation) =>
  sectionsOf(saved).map(({ heading }) => heading);

/** The tables of one run. */
const OWN = [
  "Dice by data set and iteration",
  "Dice by the object's size",
  "What each interaction gave",
  "Where the network looked",
];
const LAST = [
  ...["The user's own mask and the others'", "Samples of the first proposal"],
];

Deno.test("one run gives every table that its records hold, whatever Dice are asked for", () => {
  const saved = evaluationOf({ both: 0.5 });
  const all = [
    ...["Dice by iteration", "IoU and HD95 by iteration", ...OWN],
    ...["Iterations to a Dice", ...LAST],
  ];
  assert.deepEqual(headings(saved), all);
  assert.deepEqual(
    headings({ ...saved, tables: { targets: [] } }),
    all.filter((heading) => heading !== "Iterations to a Dice"),
  );
});

Deno.test("an ablation gives the tables of one run as well, of the whole method", () => {
  const saved = evaluationOf({ none: 0.25, both: 0.5 });
  assert.deepEqual(headings(saved), [
    ...["Dice by iteration", "IoU and HD95 at the last iteration"],
    ...["Paired differences at the last iteration"],
    ...OWN.map((heading) => `${heading} (both)`),
    "Iterations to a Dice",
    ...LAST.map((heading) => `${heading} (both)`),
  ]);
});

Deno.test("with profiles the tables of one run are those without any, not the wrong rater's", () => {
  const saved = evaluationOf({ both: 0.5, carried: 0.75, wrong: 0.25 });
  assert.deepEqual(headings(saved), [
    "A user's profile from image to image",
    "The next rater's profile instead",
    ...[
      "First recommendation by rater",
      "First recommendation by images before",
    ],
    "IoU and HD95 at the last iteration",
    ...OWN.map((heading) => `${heading} (both)`),
    "Iterations to a Dice",
    ...LAST.map((heading) => `${heading} (both)`),
  ]);
  const sets = sectionsOf(saved).find(({ heading }) =>
    heading === "Dice by data set and iteration (both)"
  )!;
  assert.deepEqual(sets.table.rows.map(([, , first]) => first), [
    0.5,
    0.5,
    0.5,
  ]);
});
