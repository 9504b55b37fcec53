import assert from "node:assert/strict";
import {
  bootstrapInterval,
  byPatient,
  formatInterval,
  inOther,
  pairedDifference,
  quantile,
} from "../../src/evaluation/statistics.ts";
import type { TargetResult } from "../../src/evaluation/evaluate.ts";
import { targetOf } from "../helpers/evaluation_results.ts";

Deno.test("quantile() interpolates between sorted values", () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([4, 1, 3, 2], 0), 1);
  assert.equal(quantile([4, 1, 3, 2], 1), 4);
  assert.equal(quantile([7], 0.3), 7);
});

Deno.test("bootstrapInterval() draws patients, not targets", () => {
  // two patients: a draw is all of a, all of b, or one of each
  const interval = bootstrapInterval([[0, 0, 0, 0], [1]], 3);
  assert.deepEqual(interval, [0, 1]);
  // many patients: about mean +- 1.96 standard errors
  const groups = Array.from({ length: 400 }, (_, i) => [i % 2]);
  const [low, high] = bootstrapInterval(groups, 3);
  assert.ok(Math.abs(low - (0.5 - 1.96 * 0.025)) < 0.01, `${low}`);
  assert.ok(Math.abs(high - (0.5 + 1.96 * 0.025)) < 0.01, `${high}`);
  assert.deepEqual(bootstrapInterval(groups, 3), [low, high]);
});

Deno.test("an interval of nothing, or of one patient alone, is a dash in a table", () => {
  assert.equal(formatInterval(bootstrapInterval([], 3)), undefined);
  // drawn with replacement it would be of no width, as if it were certain
  assert.equal(formatInterval(bootstrapInterval([[0.2, 0.8]], 3)), undefined);
  assert.equal(formatInterval([0.25, 0.5], 2), "0.25..0.50");
});

Deno.test("byPatient() groups the values there are", () => {
  const results = [
    targetOf("a", [0.5]),
    targetOf("b", [0.75]),
    targetOf("a", [0.25]),
    targetOf("c", []),
  ];
  assert.deepEqual(
    byPatient(results, ({ iterations }) => iterations[0]?.dice),
    [[0.5, 0.25], [0.75]],
  );
});

const dice = ({ iterations }: TargetResult) => iterations[0].dice;

Deno.test("pairedDifference() pairs the same targets and tests patients", () => {
  const base = ["a", "b", "c"].flatMap((patient) => [
    targetOf(patient, [0.5]),
    targetOf(patient, [0.25], { rater: "2" }),
  ]);
  const other = [
    targetOf("c", [0.75]), // + 0.25
    targetOf("a", [0.75]), // + 0.25
    targetOf("a", [0.625], { rater: "2" }), // + 0.375
    targetOf("b", [1]), // + 0.5
    targetOf("d", [0]), // no partner
  ];
  const paired = pairedDifference(base, dice, inOther(other, dice), 1);
  assert.equal(paired.pairs, 4);
  assert.equal(paired.first, (0.5 + 0.25 + 0.5 + 0.5) / 4);
  assert.equal(paired.second, (0.75 + 0.625 + 1 + 0.75) / 4);
  assert.equal(paired.difference, 1.375 / 4);
  // three patients, all better: 2 of 8 sign patterns are as one-sided
  assert.equal(paired.p, 0.25);
  const [low, high] = paired.interval;
  assert.deepEqual([low, high], [0.25, 0.5]); // all draws of c, and of b
});

Deno.test("pairedDifference() of no pairs is unknown", () => {
  const { pairs, p, interval } = pairedDifference([], dice, dice);
  assert.equal(pairs, 0);
  assert.ok([p, ...interval].every(Number.isNaN));
});
