import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { outline } from "../../src/figures/outline.ts";

/** A mask drawn with "#" for inside, one string a row. */
function mask(...rows: string[]) {
  const data = Uint8Array.from(rows.join(""), (c) => c === "#" ? 1 : 0);
  return ndarray(data, [rows.length, rows[0].length]);
}

Deno.test("outline() walks around one pixel clockwise", () => {
  assert.equal(outline(mask("...", "..#")), "M2 1L3 1L3 2L2 2Z");
});

Deno.test("outline() has a corner only where the boundary turns", () => {
  assert.equal(
    outline(mask("##.", "###")),
    "M0 0L2 0L2 1L3 1L3 2L0 2Z",
  );
});

Deno.test("outline() walks around a hole the other way", () => {
  assert.equal(
    outline(mask("###", "#.#", "###")),
    "M0 0L3 0L3 3L0 3ZM2 1L1 1L1 2L2 2Z",
  );
});

Deno.test("outline() begins no loop in the middle of a straight run", () => {
  assert.equal(
    outline(mask("####", "#..#", "####")),
    "M0 0L4 0L4 3L0 3ZM1 1L1 2L3 2L3 1Z",
  );
});

Deno.test("outline() keeps pixels apart that touch at a corner only", () => {
  assert.equal(
    outline(mask("#.", ".#")),
    "M0 0L1 0L1 1L0 1ZM1 1L2 1L2 2L1 2Z",
  );
});

Deno.test("outline() of a full mask is the image's frame, of an empty one nothing", () => {
  assert.equal(outline(mask("##", "##")), "M0 0L2 0L2 2L0 2Z");
  assert.equal(outline(mask("..", "..")), "");
});

Deno.test("outline() reads transposed and windowed masks", () => {
  const turned = mask("#..", "##.").transpose(1, 0); // "##", ".#", ".."
  assert.equal(outline(turned), outline(mask("##", ".#", "..")));
  const window = mask("####", "#..#", "####").lo(1, 1).hi(2, 2);
  assert.equal(outline(window), "M0 1L2 1L2 2L0 2Z");
});

Deno.test("outline() encloses as many pixels as the mask has", () => {
  const side = 40;
  let state = 7;
  const data = Uint8Array.from({ length: side * side }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 31;
  });
  // The shoelace formula; holes count negative.
  let area = 0;
  for (const loop of outline(ndarray(data, [side, side])).match(/[^Z]+/g)!) {
    const points = loop.slice(1).split("L").map((p) =>
      p.split(" ").map(Number)
    );
    points.forEach(([x, y], i) => {
      const [nextX, nextY] = points[(i + 1) % points.length];
      area += (x * nextY - nextX * y) / 2;
    });
  }
  assert.equal(area, data.reduce((sum, value) => sum + value, 0));
});
