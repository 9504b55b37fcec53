import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { extentOf } from "../../src/arrays/extent.ts";

/** A mask drawn with "#" for inside, one string a row. */
function mask(...rows: string[]) {
  const data = Uint8Array.from(rows.join(""), (c) => c === "#" ? 1 : 0);
  return ndarray(data, [rows.length, rows[0].length]);
}

Deno.test("extentOf() is the smallest part with all of a mask's pixels", () => {
  const drawn = mask(".....", "..#..", ".#...", "...#.", ".....");
  assert.deepEqual(extentOf(drawn), { x: 1, y: 1, width: 3, height: 3 });
  assert.deepEqual(extentOf(mask("#")), { x: 0, y: 0, width: 1, height: 1 });
  assert.deepEqual(extentOf(mask("..", ".#")), {
    ...{ x: 1, y: 1, width: 1, height: 1 },
  });
});

Deno.test("extentOf() of an empty mask is undefined, and views are read as they are", () => {
  assert.equal(extentOf(mask("..", "..")), undefined);
  const turned = mask("..#", "...").transpose(1, 0);
  assert.deepEqual(extentOf(turned), { x: 0, y: 2, width: 1, height: 1 });
});
