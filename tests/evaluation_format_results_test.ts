import assert from "node:assert/strict";
import { formatResults } from "../src/evaluation/format_results.ts";

const results = {
  both: [{
    case: 'lobe, "left"',
    patient: "p1",
    rater: "2",
    iterations: [
      { dice: 0.75, best: 0.8125, spread: 0.02, milliseconds: 41.239 },
      { dice: 0.875, best: 0.9, spread: 0.01, milliseconds: 40 },
    ],
  }],
};

Deno.test("formatResults() writes a row of CSV per target and iteration", () => {
  assert.equal(
    formatResults("a.csv", results, ""),
    [
      "update,case,patient,rater,iteration,dice,best,spread,ms",
      'both,"lobe, ""left""",p1,2,1,0.750000,0.812500,0.020000,41.24',
      'both,"lobe, ""left""",p1,2,2,0.875000,0.900000,0.010000,40.00',
      "",
    ].join("\n"),
  );
});

Deno.test("formatResults() writes the table as .md and everything as JSON", () => {
  assert.equal(formatResults("a.md", results, "| a |"), "| a |\n");
  assert.deepEqual(JSON.parse(formatResults("a.json", results, "")), results);
});
