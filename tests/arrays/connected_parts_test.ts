import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { connectedParts } from "../../src/arrays/clean_mask.ts";

/** A mask drawn with # and anything else. */
function drawn(...rows: string[]): NdArray<Uint8Array> {
  const pixels = rows.flatMap((row) => [...row].map((c) => c === "#" ? 1 : 0));
  return ndarray(Uint8Array.from(pixels), [rows.length, rows[0].length]);
}

const rowsOf = ({ data, shape: [height, width] }: NdArray<Uint8Array>) =>
  Array.from(
    { length: height },
    (_, y) =>
      [...data.slice(y * width, (y + 1) * width)]
        .map((v) => v ? "#" : ".").join(""),
  );

Deno.test("connectedParts() parts a mask, the largest part first; corners touch", () => {
  const mask = drawn(
    "##...",
    "..#..",
    "....#",
    "#...#",
  );
  assert.deepEqual(connectedParts(mask).map(rowsOf), [
    ["##...", "..#..", ".....", "....."],
    [".....", ".....", "....#", "....#"],
    [".....", ".....", ".....", "#...."],
  ]);
});

Deno.test("connectedParts() leaves out parts that are too small, and finds none in an empty mask", () => {
  const mask = drawn("##.#", "....", "###.");
  assert.deepEqual(
    connectedParts(mask, { least: 2 }).map(rowsOf),
    [["....", "....", "###."], ["##..", "....", "...."]],
  );
  assert.deepEqual(connectedParts(drawn("...", "...")), []);
});

Deno.test("connectedParts() takes a view of a larger mask", () => {
  const mask = drawn("#..#", "#..#").lo(0, 1);
  assert.deepEqual(connectedParts(mask).map(rowsOf), [["..#", "..#"]]);
});
