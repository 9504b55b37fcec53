import assert from "node:assert/strict";
import { htmlTable } from "../../src/figures/report.ts";

Deno.test("htmlTable() escapes cells and marks numbers", () => {
  const table = {
    columns: [{ heading: "a" }, { heading: "<b>" }],
    rows: [["&", 3]],
  };
  assert.equal(
    htmlTable(table),
    '<table><thead><tr><th>a</th><th class="number">&lt;b&gt;</th></tr></thead>' +
      '<tbody><tr><td>&amp;</td><td class="number">3</td></tr></tbody></table>',
  );
});
