import assert from "node:assert/strict";
import {
  gainsTable,
  regionsTable,
  setsTable,
  sizesTable,
} from "../../src/evaluation/interaction_tables.ts";
import { targetOf } from "../helpers/evaluation_results.ts";

Deno.test("setsTable() has a row for each data set and the mean of the sets", () => {
  const table = setsTable([
    targetOf("a", [0.5, 0.75], { set: "cells" }),
    targetOf("b", [0.25, 0.5], { set: "nerves" }),
    targetOf("c", [0.75, 1], { set: "nerves" }),
  ]);
  assert.deepEqual(table.columns.map(({ heading }) => heading), [
    ...["data set", "targets", "1", "2", "95 % interval, last"],
  ]);
  const [cells, nerves, mean] = table.rows;
  assert.deepEqual(cells, ["cells", 1, 0.5, 0.75, undefined]);
  assert.deepEqual(nerves.slice(0, 4), ["nerves", 2, 0.5, 0.75]);
  assert.match(`${nerves[4]}`, /^0\.500\.\.1\.000$/);
  assert.deepEqual(mean, ["mean of the sets", 3, 0.5, 0.75, undefined]);
});

Deno.test("sizesTable() has a row for each size that an object has", () => {
  const box = (width: number, height: number) => ({
    object: { left: 9.5, top: 3.5, right: 9.5 + width, bottom: 3.5 + height },
  });
  const { rows, columns } = sizesTable([
    targetOf("a", [0.25, 0.5], box(7, 2)),
    targetOf("b", [0.5, 0.75], box(3, 8)),
    targetOf("c", [0.75, 1], box(15, 15)),
    targetOf("d", [0.5, 0.5], box(128, 40)),
  ]);
  assert.deepEqual(columns.map(({ heading }) => heading), [
    ...["object's longer side, px", "targets", "1", "2"],
  ]);
  assert.deepEqual(rows, [
    ["0 to 7", 1, 0.25, 0.5],
    ["8 to 15", 2, 0.625, 0.875],
    ["128 or more", 1, 0.5, 0.5],
  ]);
});

Deno.test("gainsTable() tells how many rose and fell, and who clicked", () => {
  const moved = [
    targetOf("a", [0.5, 0.75, 0.75]),
    targetOf("b", [0.5, 0.375, 0.5]),
    targetOf("c", [0.5, 0.75, 0.875]),
    targetOf("d", [0.5, 0.625, 0.625]),
  ];
  const { rows } = gainsTable(moved);
  assert.deepEqual(rows.map((row) => [...row.slice(0, 4), row[5]]), [
    [1, "75.0 %", "25.0 %", 0.125, 4],
    [2, "50.0 %", "0.0 %", 0.0625, 4],
  ]);
  const mixed = moved.map((result, i) => ({
    ...result,
    iterations: result.iterations.map((iteration, at) => ({
      ...iteration,
      did: i > at ? "click" as const : "pick" as const,
    })),
  }));
  assert.deepEqual(gainsTable(mixed).rows.map((row) => row[5]), [
    ...["75.0 %", "50.0 %"],
  ]);
});

Deno.test("regionsTable() compares the region with the object", () => {
  const object = { left: 10.5, top: 10.5, right: 20.5, bottom: 15.5 };
  const region = (left: number, side: number) => ({
    left,
    top: 0.5,
    right: left + side,
    bottom: 0.5 + side,
  });
  const looks = (count: number) => ({ count, milliseconds: 40 * count });
  const { rows, columns } = regionsTable([
    targetOf("a", [0.5], { object, region: region(0.5, 30), looks: looks(1) }),
    targetOf("b", [0.5], { object, region: region(12.5, 20), looks: looks(3) }),
    targetOf("c", [0.5], { object, region: region(0.5, 40), looks: looks(2) }),
    targetOf("d", [0.5]), // saved before
  ]);
  assert.equal(columns.length, 6);
  assert.deepEqual(rows, [[2, 80, 3, "2.50..3.50", "66.7 %", 3]]);
});
