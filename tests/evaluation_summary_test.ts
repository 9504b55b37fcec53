import assert from "node:assert/strict";
import type { TargetResult } from "../src/evaluation/evaluate.ts";
import {
  ablationTable,
  bootstrapInterval,
  quantile,
  summarize,
  summaryTable,
} from "../src/evaluation/summary.ts";

function target(patient: string, dices: number[]): TargetResult {
  return {
    case: patient,
    patient,
    rater: "1",
    iterations: dices.map((dice, i) => ({
      dice,
      best: dice + 0.1,
      spread: 0.04 / (i + 1),
      milliseconds: 10 * (i + 1),
    })),
  };
}

Deno.test("quantile() interpolates between sorted values", () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([4, 1, 3, 2], 0), 1);
  assert.equal(quantile([4, 1, 3, 2], 1), 4);
  assert.equal(quantile([7], 0.3), 7);
});

Deno.test("summarize() averages over targets, iteration by iteration", () => {
  const rows = summarize([
    target("a", [0.5, 0.75]),
    target("a", [0.75, 0.75]),
    target("b", [1, 0.75]),
  ]);
  assert.equal(rows.length, 2);
  assert.equal(rows[0].iteration, 1);
  assert.equal(rows[0].dice, 0.75);
  assert.ok(Math.abs(rows[0].best - 0.85) < 1e-12);
  assert.equal(rows[0].spread, 0.04);
  assert.equal(rows[1].milliseconds, 20);
  assert.deepEqual(rows[1].interval, [0.75, 0.75]);
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

Deno.test("the tables have a row per iteration and per variant", () => {
  const rows = summarize([target("a", [0.5, 0.75])]);
  assert.deepEqual(summaryTable(rows).rows[1].slice(0, 3), [
    2,
    0.75,
    "0.750..0.750",
  ]);
  const { columns, rows: variants } = ablationTable({ none: rows, both: rows });
  assert.deepEqual(columns.map(({ heading }) => heading), [
    "update",
    "1",
    "2",
    "95 % interval at 2",
    "best at 2",
    "spread at 2",
  ]);
  assert.deepEqual(variants.map(([name]) => name), ["none", "both"]);
});
