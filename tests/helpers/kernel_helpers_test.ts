import assert from "node:assert/strict";
import { Figure } from "../../src/figures/figure.ts";
import { svgDocument } from "../../src/figures/svg.ts";
import { type Output, slimmed } from "./kernel_helpers.ts";

Deno.test("slimmed() keeps a picture's PNG, and what it shows in words", async () => {
  const alt = 'Dice of "a" & <b>: 0.9';
  const figure = new Figure({
    ...{ width: 40, height: 30, alt },
    draw: () => svgDocument(40, 30, "", ""),
  });
  const data = await figure.toBundle() as Output["data"];
  const output: Output = { output_type: "display_data", data, metadata: {} };
  const saved = slimmed(output);
  assert.deepEqual(Object.keys(saved.data!).sort(), [
    "image/png",
    "text/plain",
  ]);
  assert.deepEqual(saved.metadata, { "image/png": { alt } });
});

Deno.test("slimmed() leaves what is no picture as it is", () => {
  const table: Output = {
    output_type: "display_data",
    data: { "text/html": "<table></table>" },
  };
  assert.equal(slimmed(table), table);
  const bare: Output = {
    output_type: "display_data",
    data: { "image/png": "iVBO" },
  };
  assert.deepEqual(slimmed(bare), bare);
});
