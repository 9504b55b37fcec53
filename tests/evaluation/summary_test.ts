import assert from "node:assert/strict";
import { summarize, summaryTable } from "../../src/evaluation/statistics.ts";
import { targetOf } from "../helpers/evaluation_results.ts";

Deno.test("summarize() averages over targets, iteration by iteration", () => {
  const rows = summarize([
    targetOf("a", [0.5, 0.75]),
    targetOf("a", [0.75, 0.75]),
    targetOf("b", [1, 0.75]),
  ]);
  assert.equal(rows.length, 2);
  assert.equal(rows[0].iteration, 1);
  assert.equal(rows[0].dice, 0.75);
  assert.ok(Math.abs(rows[0].best - 0.85) < 1e-12);
  assert.equal(rows[0].spread, 0.04);
  assert.equal(rows[1].milliseconds, 20);
  assert.deepEqual(rows[1].interval, [0.75, 0.75]);
});

Deno.test("summaryTable() has a row per iteration", () => {
  const rows = summarize([targetOf("a", [0.5, 0.75])]);
  assert.deepEqual(summaryTable(rows).rows[1].slice(0, 3), [
    2,
    0.75,
    undefined,
  ]);
});
