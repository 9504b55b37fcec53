import assert from "node:assert/strict";
import {
  ablationTable,
  carryTable,
  comparisonTable,
  diceTargetsTable,
  overlapTable,
  ratersTable,
  savingsTable,
  secondsTable,
} from "../../src/evaluation/tables.ts";
import { sampleSetTable } from "../../src/evaluation/sample_tables.ts";
import type { Table } from "../../src/table.ts";
import {
  sampleSetOf,
  targetOf,
  targetOfOverlap,
  targetOfRaters,
} from "../helpers/evaluation_results.ts";

const headings = ({ columns }: Table) => columns.map(({ heading }) => heading);

Deno.test("ablationTable() has a row per variant", () => {
  const table = ablationTable({
    none: [targetOf("a", [0.5, 0.75])],
    both: [targetOf("a", [0.5, 1])],
  });
  assert.deepEqual(headings(table), [
    "variant",
    "1",
    "2",
    "95 % interval, last",
    "best candidate, last",
    "sample spread, last",
  ]);
  assert.deepEqual(table.rows, [
    ["none", 0.5, 0.75, undefined, 0.85, 0.02],
    ["both", 0.5, 1, undefined, 1.1, 0.02],
  ]);
});

Deno.test("comparisonTable() has every pair of variants on the same targets", () => {
  const { rows } = comparisonTable({
    none: [targetOf("a", [0.5]), targetOf("b", [0.5])],
    moments: [targetOf("a", [0.75]), targetOf("b", [0.75])],
    both: [targetOf("a", [1]), targetOf("b", [1])],
  }, "first");
  assert.deepEqual(rows, [
    ["none", "moments", 0.5, 0.75, 0.25, "0.2500..0.2500", "0.5000", 2],
    ["none", "both", 0.5, 1, 0.5, "0.5000..0.5000", "0.5000", 2],
    ["moments", "both", 0.75, 1, 0.25, "0.2500..0.2500", "0.5000", 2],
  ]);
});

Deno.test("variants of fewer iterations are compared at their own last", () => {
  const runs = {
    unet: [targetOf("a", [0.5])],
    spa: [targetOf("a", [0.25, 0.75])],
  };
  const [unet, spa] = ablationTable(runs).rows;
  assert.deepEqual(unet.slice(0, 4), ["unet", 0.5, undefined, undefined]);
  assert.deepEqual(spa.slice(0, 3), ["spa", 0.25, 0.75]);
  const [first] = comparisonTable(runs, "first").rows;
  const [last] = comparisonTable(runs, "last").rows;
  assert.deepEqual([first[4], last[4]], [-0.25, 0.25]);
});

Deno.test("diceTargetsTable() tells means of successes, failures and the cap", () => {
  const results = [
    targetOf("a", [0.5, 0.7, 0.9]), // 0.7 at iteration 2
    targetOf("b", [0.8, 0.6, 0.6]), // at 1
    targetOf("c", [0.1, 0.2, 0.3]), // never
    targetOf("d", [0.5, 0.6, 0.7]), // at 3
  ];
  const { columns, rows } = diceTargetsTable({ both: results }, [0.7, 0.95]);
  const headings = columns.map(({ heading }) => heading);
  assert.equal(headings[1], "iterations of those that reach it");
  assert.equal(headings[6], "iterations of all, a failure as 10");
  assert.deepEqual(rows, [
    [0.7, 2, "1.00..3.00", "25.0 %", 4, 3, (2 + 1 + 3 + 10) / 4],
    [0.95, NaN, undefined, "100.0 %", 4, 3, 10],
  ]);
  const two = diceTargetsTable({ none: results, both: results }, [0.7]);
  assert.deepEqual(two.rows.map(([name]) => name), ["none", "both"]);
  assert.equal(two.columns.length, two.rows[0].length);
});

Deno.test("overlapTable() has IoU and HD95 by iteration, and its unit", () => {
  const table = overlapTable({
    both: [
      targetOfOverlap("a", [[0.25, 4], [0.5, 2]], 0.7),
      targetOfOverlap("b", [[0.75, 3], [1, 0]], [0.5, 2]),
      targetOf("c", [0.5, 0.5]), // saved before they were measured
    ],
  });
  assert.deepEqual(headings(table), [
    ...["iteration", "IoU", "95 % interval"],
    ...["HD95 (mm)", "95 % interval", "targets"],
  ]);
  assert.deepEqual(table.rows, [
    [1, 0.5, "0.2500..0.7500", 3.5, "3.00..4.00", 2],
    [2, 0.75, "0.5000..1.0000", 1, "0.00..2.00", 2],
  ]);
});

Deno.test("overlapTable() never averages millimeters and pixels", () => {
  const table = overlapTable({
    both: [
      targetOfOverlap("a", [[0.25, 4]], 0.7),
      targetOfOverlap("b", [[0.75, 6]]),
      targetOfOverlap("c", [[0.5, 9]]),
    ],
  });
  assert.deepEqual(headings(table).filter((name) => name.startsWith("HD95")), [
    "HD95 (mm)",
    "HD95 (px)",
  ]);
  const [[, iou, , mm, , px, interval, targets]] = table.rows;
  assert.deepEqual([iou, mm, px, interval, targets], [
    ...[0.5, 4, 7.5, "6.00..9.00", 3],
  ]);
});

Deno.test("overlapTable() has a row for each of several runs, at its last iteration", () => {
  const { rows } = overlapTable({
    unet: [targetOfOverlap("a", [[0.25, 4]])],
    spa: [targetOfOverlap("a", [[0.25, 4], [0.5, 3]])],
  });
  assert.deepEqual(rows, [
    ["unet", 0.25, undefined, 4, undefined, 1],
    ["spa", 0.5, undefined, 3, undefined, 1],
  ]);
});

Deno.test("ratersTable() tells included raters from excluded ones", () => {
  const results = [
    targetOfRaters("a", "majority of 1, 2", [
      { 1: 0.5, 2: 0.75, 10: 0.5 },
      { 1: 0.75, 2: 1, 10: 0.25 },
    ]),
    targetOfRaters("b", "majority of 1, 2", [{ 1: 0.5 }, { 1: 0.625 }]),
  ];
  const { rows } = ratersTable(results, ["1", "2"]);
  assert.deepEqual(rows, [
    ["1", "yes", 0.5, 0.6875, 0.1875, "0.1250..0.2500", "0.5000", 2],
    ["2", "yes", 0.75, 1, 0.25, undefined, "1.0000", 1],
    ["10", "no", 0.5, 0.25, -0.25, undefined, "1.0000", 1],
    [
      "all included",
      "yes",
      0.5625,
      0.75,
      0.1875,
      "0.1250..0.2500",
      "0.5000",
      2,
    ],
    ["all excluded", "no", 0.5, 0.25, -0.25, undefined, "1.0000", 1],
  ]);
});

Deno.test("ratersTable() tells each user's own mask from the others'", () => {
  const { rows } = ratersTable([
    targetOfRaters("a", "1", [{ 1: 0.5, 2: 0.5 }, { 1: 1, 2: 0.25 }]),
    targetOfRaters("a", "2", [{ 1: 0.5, 2: 0.25 }, { 1: 0.5, 2: 0.5 }]),
  ]);
  assert.deepEqual(rows.map((row) => row.slice(0, 5)), [
    ["1", "own mask", 0.5, 1, 0.5],
    ["1", "the others", 0.5, 0.25, -0.25],
    ["2", "own mask", 0.25, 0.5, 0.25],
    ["2", "the others", 0.5, 0.5, 0],
  ]);
});

Deno.test("carryTable() compares the targets that had a profile", () => {
  const { rows } = carryTable(
    [targetOf("a", [0.25, 0.5]), targetOf("b", [0.5, 0.75])],
    [
      targetOf("a", [0.25, 0.5]), // the first image: none yet
      targetOf("b", [0.75, 0.75], { carried: true }),
    ],
  );
  assert.deepEqual(rows, [
    [1, 0.5, 0.75, 0.25, undefined, "1.0000", 1],
    [2, 0.75, 0.75, 0, undefined, "1.0000", 1],
  ]);
});

Deno.test("sampleSetTable() has the mean of every metric", () => {
  const { rows } = sampleSetTable([
    targetOf("a", [0.5], { sampleSet: sampleSetOf(0.25) }),
    targetOf("b", [0.5], { sampleSet: sampleSetOf(0.75) }),
  ]);
  assert.deepEqual(rows[0], [
    "generalized energy distance",
    0.5,
    "0.2500..0.7500",
    2,
  ]);
  assert.deepEqual(rows.map(([, value]) => value).slice(1, 3), [0.9, 0.8]);
  assert.equal(rows.length, 7);
});

Deno.test("savingsTable() tells how many fewer interactions one method needs than another", () => {
  const { rows } = savingsTable({
    spa: [targetOf("a", [0.9, 0.9]), targetOf("b", [0.5, 0.9])], // 1, 2
    click: [targetOf("b", [0.5, 0.7]), targetOf("a", [0.7, 0.8])], // 10, 2
  }, [0.8, 0.95]);
  // 3 instead of 12; patients drawn: twice a 2 of 4, twice b 4 of 20
  const [reached, never] = rows;
  assert.deepEqual(reached, [
    ...["spa", "click", 0.8, 1.5, 6, "75.0 %", "50.0 %..80.0 %"],
    ...["0.5000", 2],
  ]);
  assert.deepEqual(never.slice(3), [
    ...[10, 10, "0.0 %", "0.0 %..0.0 %", "1.0000", 2],
  ]);
  const one = { spa: [targetOf("a", [0.9])], click: [targetOf("a", [0.5])] };
  assert.deepEqual(savingsTable(one, [0.8]).rows[0].slice(5), [
    ...["90.0 %", undefined, "1.0000", 1],
  ]);
});

Deno.test("secondsTable() has the median and the quartiles of all iterations", () => {
  const { rows } = secondsTable({
    spa: [targetOf("a", [0.5, 0.5]), targetOf("b", [0.5, 0.5, 0.5])],
    unet: [targetOf("a", [])],
  });
  assert.deepEqual(rows, [ // 10, 10, 20, 20, 30 ms
    ["spa", 0.02, "0.010..0.020", 5],
    ["unet", NaN, undefined, 0],
  ]);
});
