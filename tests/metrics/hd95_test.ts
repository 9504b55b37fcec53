import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { hd95 } from "../../src/metrics/hd95.ts";
import { createRandom } from "../../src/random.ts";

/** A mask from rows of 0 and 1: `mask("010", "111")`. */
const mask = (...rows: string[]) =>
  ndarray(Uint8Array.from(rows.join(""), Number), [
    rows.length,
    rows[0].length,
  ]);

function close(actual: number, expected: number, tolerance = 1e-6) {
  assert.ok(
    Math.abs(actual - expected) < tolerance,
    `${actual} is not ${expected}`,
  );
}

Deno.test("hd95() of two pixels is their distance, in millimetres by the spacing", () => {
  const one = mask("10000", "00000", "00000", "00000");
  const other = mask("00000", "00000", "00000", "00001");
  close(hd95(one, other), 5);
  close(hd95(one, other, { spacing: 0.7 }), 3.5);
});

Deno.test("hd95() of a square and its copy two pixels aside is 2", () => {
  // Borders of 8 pixels; distances 0, 0, 0, 1, 1, 2, 2, 2; 95 % at 6.65
  const square = mask("11100", "11100", "11100");
  const moved = mask("00111", "00111", "00111");
  close(hd95(square, moved), 2);
});

Deno.test("hd95() interpolates at the 95th percentile, of the worse direction", () => {
  // 10 pixels at distance 0 and one at 9: 95 % lies at index 9.5, so at 4.5
  const rows = (
    last: string,
  ) => ["1".repeat(10), ...Array(8).fill("0".repeat(10)), last];
  const line = mask(...rows("0000000000"));
  const dotted = mask(...rows("1000000000"));
  close(hd95(line, dotted), 4.5);
  close(hd95(dotted, line), 4.5);
});

Deno.test("hd95() of empty masks is 0, and the diagonal if one is empty", () => {
  const empty = mask("0000", "0000", "0000");
  assert.equal(hd95(empty, empty), 0);
  close(hd95(empty, mask("0000", "0100", "0000"), { spacing: 2 }), 10);
});

Deno.test("hd95() is the same wherever in an image the masks lie", () => {
  // a column of 2 and a pixel, 3 rows and 2 columns from the nearer end of it
  const spacing = [0.5, 2] as const;
  const far = Math.hypot(4 * 0.5, 2 * 2), near = Math.hypot(3 * 0.5, 2 * 2);
  for (const [top, left] of [[0, 0], [0, 35], [200, 0], [117, 23]]) {
    const draw = (...pixels: number[][]) => {
      const data = new Uint8Array(300 * 40);
      for (const [y, x] of pixels) data[(top + y) * 40 + left + x] = 1;
      return ndarray(data, [300, 40]);
    };
    const found = hd95(draw([0, 0], [1, 0]), draw([4, 2]), { spacing });
    close(found, near + 0.95 * (far - near), 1e-12);
  }
});

Deno.test("hd95() gives what measuring every pair of border pixels gives", () => {
  const random = createRandom(4);
  const border = (m: ReturnType<typeof mask>) => {
    const pixels: [number, number][] = [];
    const at = (y: number, x: number) =>
      y >= 0 && x >= 0 && y < 18 && x < 25 && m.get(y, x) === 1;
    for (let y = 0; y < 18; y++) {
      for (let x = 0; x < 25; x++) {
        const inner = at(y - 1, x) && at(y + 1, x) && at(y, x - 1) &&
          at(y, x + 1);
        if (at(y, x) && !inner) pixels.push([y, x]);
      }
    }
    return pixels;
  };
  for (const share of [0.02, 0.3, 0.9]) {
    const draw = () =>
      ndarray(
        Uint8Array.from(
          { length: 450 },
          () => random.uniform() < share ? 1 : 0,
        ),
        [18, 25],
      );
    const [a, b] = [draw(), draw()];
    const directed = (from: [number, number][], to: [number, number][]) => {
      const nearest = from.map(([y, x]) =>
        Math.min(...to.map(([v, u]) => Math.hypot(y - v, x - u)))
      ).sort((p, q) => p - q);
      const position = 0.95 * (nearest.length - 1);
      const low = nearest[Math.floor(position)];
      const high = nearest[Math.ceil(position)];
      return low + (position % 1) * (high - low);
    };
    const expected = Math.max(
      directed(border(a), border(b)),
      directed(border(b), border(a)),
    );
    close(hd95(a, b), expected, 1e-9);
  }
});
