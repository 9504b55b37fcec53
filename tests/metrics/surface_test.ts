import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { hd95, surfaceDice } from "../../src/metrics/surface.ts";
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

Deno.test("hd95() of two pixels is their distance, in millimeters by the spacing", () => {
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

/** A volume [D, H, W] with ones at some [slice, row, column]. */
const volume = (shape: number[], ...voxels: number[][]) => {
  const mask = ndarray(new Uint8Array(shape[0] * shape[1] * shape[2]), shape);
  for (const [d, h, w] of voxels) mask.set(d, h, w, 1);
  return mask;
};

Deno.test("hd95() of two voxels is their distance in space, by the spacing of each dimension", () => {
  const one = volume([4, 5, 6], [0, 1, 1]);
  const other = volume([4, 5, 6], [1, 3, 4]);
  close(hd95(one, other), Math.hypot(1, 2, 3));
  close(hd95(one, other, { spacing: [6.5, 0.5, 2] }), Math.hypot(6.5, 1, 6));
});

Deno.test("the border of a volume is what one of six neighbors is outside of", () => {
  // A cube of 3: its middle is no border. Against its shell all distances are
  // 0 but the shell's inner voxel's, which is not there: both borders are equal.
  const cube = ndarray(new Uint8Array(125), [5, 5, 5]);
  for (let i = 0; i < 27; i++) {
    cube.set(1 + Math.floor(i / 9), 1 + Math.floor(i / 3) % 3, 1 + i % 3, 1);
  }
  const shell = ndarray(cube.data.slice(), [5, 5, 5]);
  shell.set(2, 2, 2, 0);
  close(hd95(cube, shell), 0);
  assert.equal(surfaceDice(cube, shell, 0), 1);
});

Deno.test("hd95() in space equals a search of all pairs of voxels", () => {
  const random = createRandom(7);
  const shape = [6, 7, 5], spacing = [3, 0.8, 1.1];
  const draw = () =>
    ndarray(
      Uint8Array.from({ length: 210 }, () => random.uniform() < 0.2 ? 1 : 0),
      shape,
    );
  const border = (mask: ReturnType<typeof draw>) => {
    const voxels: number[][] = [];
    const inside = (d: number, h: number, w: number) =>
      d >= 0 && h >= 0 && w >= 0 && d < 6 && h < 7 && w < 5 &&
      mask.get(d, h, w) > 0;
    for (let d = 0; d < 6; d++) {
      for (let h = 0; h < 7; h++) {
        for (let w = 0; w < 5; w++) {
          const whole = inside(d - 1, h, w) && inside(d + 1, h, w) &&
            inside(d, h - 1, w) && inside(d, h + 1, w) &&
            inside(d, h, w - 1) && inside(d, h, w + 1);
          if (inside(d, h, w) && !whole) voxels.push([d, h, w]);
        }
      }
    }
    return voxels;
  };
  const [a, b] = [draw(), draw()];
  const distances = (from: number[][], to: number[][]) =>
    from.map((p) =>
      Math.min(
        ...to.map((q) =>
          Math.hypot(...p.map((x, i) => (x - q[i]) * spacing[i]))
        ),
      )
    ).sort((p, q) => p - q);
  const there = distances(border(a), border(b));
  const back = distances(border(b), border(a));
  const percentile = (sorted: number[]) => {
    const position = 0.95 * (sorted.length - 1);
    const [low, high] = [Math.floor(position), Math.ceil(position)];
    return sorted[low] + (position % 1) * (sorted[high] - sorted[low]);
  };
  close(
    hd95(a, b, { spacing }),
    Math.max(percentile(there), percentile(back)),
    1e-9,
  );
  const near = (sorted: number[]) => sorted.filter((d) => d <= 1.1).length;
  close(
    surfaceDice(a, b, 1.1, { spacing }),
    (near(there) + near(back)) / (there.length + back.length),
    1e-9,
  );
});

Deno.test("surfaceDice() is the share of both borders within the tolerance", () => {
  // Lines of 4 and of 2 pixels in a row: of the longer one 2 lie on the other,
  // one is a pixel away and one two; all of the shorter one lie on the longer.
  const long = mask("111100"), short = mask("110000");
  close(surfaceDice(long, short, 0), (2 + 2) / 6);
  close(surfaceDice(long, short, 1), (3 + 2) / 6);
  close(surfaceDice(long, short, 1, { spacing: 2 }), (2 + 2) / 6);
  close(surfaceDice(long, short, 2), 1);
});

Deno.test("surfaceDice() of empty masks is 1, and 0 if one is empty", () => {
  const empty = mask("000", "000"), full = mask("111", "111");
  assert.equal(surfaceDice(empty, empty, 1), 1);
  assert.equal(surfaceDice(empty, full, 100), 0);
});

Deno.test("surfaceDice() refuses a negative tolerance and a spacing of another rank", () => {
  const one = mask("010");
  assert.throws(() => surfaceDice(one, one, -1), {
    name: "RangeError",
    message: /tolerance must be at least 0: current value is -1/,
  });
  assert.throws(() => surfaceDice(one, one, 1, { spacing: [1, 1, 1] }), {
    name: "RangeError",
    message: /spacing must be a positive number or 2: current value is 1,1,1/,
  });
});
