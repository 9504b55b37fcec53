import assert from "node:assert/strict";
import { csvText, markdownTable, type Table, textTable } from "../src/table.ts";

const TABLE: Table = {
  columns: [
    { heading: "iteration" },
    { heading: "Dice", digits: 3 },
    { heading: "choice" },
    { heading: "ms", digits: 0 },
  ],
  rows: [
    [1, 0.842, "candidate 2", 71.4],
    [10, 0.9, "accept", undefined],
  ],
};

Deno.test("textTable() aligns numbers right and text left", () => {
  assert.equal(
    textTable(TABLE),
    [
      "iteration   Dice  choice       ms",
      "---------  -----  -----------  --",
      "        1  0.842  candidate 2  71",
      "       10  0.900  accept        –",
    ].join("\n"),
  );
});

Deno.test("textTable() gives terminal colors no width", () => {
  const table = {
    columns: [{ heading: "a" }, { heading: "b" }],
    rows: [["\u001b[1mbold\u001b[0m", "x"], ["plain", "y"]],
  };
  const lines = textTable(table)
    .replace("\u001b[1m", "").replace("\u001b[0m", "").split("\n");
  assert.deepEqual(lines, ["a      b", "-----  -", "bold   x", "plain  y"]);
});

Deno.test("textTable() shows what is not known as a dash", () => {
  const table = { columns: [{ heading: "n", digits: 1 }], rows: [[NaN], [2]] };
  assert.equal(textTable(table), "  n\n---\n  –\n2.0");
});

Deno.test("markdownTable() escapes what would end a cell", () => {
  const table = { columns: [{ heading: "a|b" }], rows: [["c\\d\ne"]] };
  assert.equal(markdownTable(table), "| a\\|b |\n| --- |\n| c\\\\d e |");
  assert.equal(
    markdownTable(TABLE).split("\n")[1],
    "| --: | --: | --- | --: |",
  );
});

Deno.test("textTable() refuses a row of another length", () => {
  assert.throws(
    () => textTable({ columns: [{ heading: "a" }], rows: [[1, 2]] }),
    { name: "RangeError", message: /must have 1 cells: current value is 2/ },
  );
});

Deno.test("csvText() quotes fields with commas, quotes or line breaks", () => {
  assert.equal(
    csvText([["image", "Dice"], ["a, b", 0.5], ['the "second"', 1], [
      "c\nd",
      0,
    ]]),
    'image,Dice\n"a, b",0.5\n"the ""second""",1\n"c\nd",0\n',
  );
});
