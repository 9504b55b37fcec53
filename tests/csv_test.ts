import assert from "node:assert/strict";
import { csvText } from "../src/csv.ts";

Deno.test("csvText() quotes fields with commas, quotes or line breaks", () => {
  assert.equal(
    csvText([["image", "Dice"], ["a, b", 0.5], ['the "second"', 1], [
      "c\nd",
      0,
    ]]),
    'image,Dice\n"a, b",0.5\n"the ""second""",1\n"c\nd",0\n',
  );
});
