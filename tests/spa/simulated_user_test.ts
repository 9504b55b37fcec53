import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { createRandom } from "../../src/random.ts";
import { cluster, type Proposal } from "../../src/spa/cluster.ts";
import { frameOf } from "../../src/spa/frame.ts";
import {
  boundingBox,
  candidateDice,
  clickInside,
  errorClick,
  jitterBox,
  nearestUser,
  noisyUser,
  randomUser,
} from "../../src/spa/simulated_user.ts";

const mask = (...rows: string[]) =>
  ndarray(Uint8Array.from(rows.join(""), Number), [
    rows.length,
    rows[0].length,
  ]);

/** A proposal of four candidates: the quarters of a row of four pixels. */
const proposal: Proposal = (() => {
  const maps = Float32Array.from({ length: 64 }, (_, i) => {
    const [sample, row, column] = [i >> 4, (i >> 2) & 3, i & 3];
    return row === 0 && column <= sample ? 0.9 : 0.05;
  });
  const components = new Int32Array(4);
  return cluster({
    probabilities: ndarray(maps, [4, 4, 4]),
    components,
    shares: Float64Array.of(0.4, 0.3, 0.2, 0.1),
    latents: {
      values: ndarray(new Float32Array(), [0, 1]),
      components,
      seed: 0,
    },
    frame: frameOf(4, 4, 4),
  });
})();
const target = mask("1110", "0000", "0000", "0000");

Deno.test("candidateDice() is the Dice of each candidate's mask", () => {
  // 1, 2, 3 and 4 pixels against three: 2 * n / (n + 3), 2 * 3 / 7
  assert.deepEqual(candidateDice(proposal, target), [2 / 4, 4 / 5, 1, 6 / 7]);
});

Deno.test("nearestUser() picks the candidate with the highest Dice", () => {
  const random = createRandom(1);
  assert.equal(nearestUser(target)(proposal, random), 2);
  const other = mask("1000", "0000", "0000", "0000");
  assert.equal(nearestUser(other)(proposal, random), 0);
});

/** How often each candidate is picked in 4000 proposals. */
function picks(
  user: ReturnType<typeof randomUser>,
  seed = 1,
): { counts: number[]; sequence: string } {
  const random = createRandom(seed);
  const counts = [0, 0, 0, 0];
  let sequence = "";
  for (let i = 0; i < 4000; i++) {
    const choice = user(proposal, random);
    counts[choice]++;
    sequence += choice;
  }
  return { counts, sequence };
}

Deno.test("noisyUser() never errs at 0, and picks at random at 1", () => {
  assert.deepEqual(picks(noisyUser(target, 0)).counts, [0, 0, 4000, 0]);
  for (const count of picks(noisyUser(target, 1)).counts) {
    assert.ok(Math.abs(count - 1000) < 110, `${count}`); // 4 deviations
  }
});

Deno.test("noisyUser() errs as often as its rate says", () => {
  // of 20 % random picks a quarter is right by chance
  const { counts } = picks(noisyUser(target, 0.2));
  assert.ok(Math.abs(counts[2] - 3400) < 90, `${counts}`);
  for (const k of [0, 1, 3]) {
    assert.ok(Math.abs(counts[k] - 200) < 60, `${counts}`);
  }
});

Deno.test("randomUser() picks every candidate equally often", () => {
  for (const count of picks(randomUser()).counts) {
    assert.ok(Math.abs(count - 1000) < 110, `${count}`);
  }
});

Deno.test("simulated users pick the same for the same seed", () => {
  for (const user of [randomUser(), noisyUser(target, 0.5)]) {
    assert.equal(picks(user, 3).sequence, picks(user, 3).sequence);
    assert.notEqual(picks(user, 3).sequence, picks(user, 4).sequence);
  }
});

Deno.test("noisyUser() refuses an error rate outside 0 to 1", () => {
  for (const rate of [-0.1, 1.1, NaN]) {
    assert.throws(
      () => noisyUser(target, rate),
      new RangeError(
        `Cannot simulate a user as errorRate must be in 0..1: current value is ${rate}`,
      ),
    );
  }
});

Deno.test("a simulated user refuses a mask of another size than the image", () => {
  assert.throws(
    () => nearestUser(mask("111", "000"))(proposal, createRandom(1)),
    /^RangeError: Cannot compute Dice as both arrays must have the same shape: current value is \[4,4\] and \[2,3\]$/,
  );
});

Deno.test("clickInside() clicks every pixel of a mask equally often, and no other", () => {
  const shape = mask("0010", "1100");
  const random = createRandom(5);
  const counts = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const { x, y, label } = clickInside(shape, random);
    assert.equal(label ?? 1, 1);
    counts.set(`${x},${y}`, (counts.get(`${x},${y}`) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ["0,1", "1,1", "2,0"]);
  for (const count of counts.values()) {
    assert.ok(Math.abs(count - 1000) < 110, `${count}`);
  }
});

Deno.test("clickInside() refuses an empty mask", () => {
  assert.throws(
    () => clickInside(mask("000", "000"), createRandom(1)),
    new RangeError(
      "Cannot click inside the mask as it must have pixels: current value is an empty mask of 2 x 3",
    ),
  );
});

/** A mask drawn with # and anything else. */
function drawn(...rows: string[]): NdArray<Uint8Array> {
  const pixels = rows.flatMap((row) => [...row].map((c) => c === "#" ? 1 : 0));
  return ndarray(Uint8Array.from(pixels), [rows.length, rows[0].length]);
}

Deno.test("errorClick() clicks positively where the largest missing region is deepest", () => {
  const target = drawn(
    "........",
    ".###....",
    ".####...",
    ".###....",
    "......##",
    "......##",
  );
  // nothing was found: a region of 10 and, apart from it, one of 4; only the
  // pixel in the middle of the 3 x 3 is two pixels from the outside
  const nothing = drawn(...new Array(6).fill("........"));
  assert.deepEqual(errorClick(nothing, target), { x: 2, y: 2, label: 1 });
  // the large region was found: the small one is left, all of it one deep
  const first = drawn(
    "........",
    ".###....",
    ".####...",
    ".###....",
    "........",
    "........",
  );
  assert.deepEqual(errorClick(first, target), { x: 6, y: 4, label: 1 });
});

Deno.test("errorClick() clicks negatively where more is too much than missing", () => {
  const target = drawn("##......", "##......", "........", "........");
  const predicted = drawn("#...###.", "##..####", "....###.", "........");
  // missing: 1 pixel; too much: 10, of which (5, 1) alone is two deep but for
  // (6, 1), whose neighbors at the right are outside diagonally
  assert.deepEqual(errorClick(predicted, target), { x: 5, y: 1, label: 0 });
});

Deno.test("errorClick() counts the image's edge as the region's border", () => {
  const target = drawn("#####", "#####", "#####", "#####", "#####");
  const nothing = drawn(...new Array(5).fill("....."));
  assert.deepEqual(errorClick(nothing, target), { x: 2, y: 2, label: 1 });
});

Deno.test("errorClick() joins pixels that touch at a corner, and no errors of both signs", () => {
  // a diagonal of 3 missing pixels beside 2 that are too much
  const target = drawn("#...", ".#..", "..#.");
  const predicted = drawn("....", "...#", "...#");
  assert.equal(errorClick(predicted, target)!.label, 1);
  // 2 missing pixels touch 3 that are too much: the larger region is negative
  const half = drawn("##..", "....", "....");
  const other = drawn("..##", "..#.", "....");
  assert.equal(errorClick(other, half)!.label, 0);
});

Deno.test("errorClick() has nothing to say where prediction and target agree", () => {
  const mask = drawn("##", "..");
  assert.equal(errorClick(mask, mask), undefined);
});

Deno.test("boundingBox() goes around the pixels' outer edges, jitterBox() moves it by up to a tenth", () => {
  const mask = drawn("........", "..####..", "...##...", "........");
  const box = boundingBox(mask);
  assert.deepEqual(box, { left: 1.5, top: 0.5, right: 5.5, bottom: 2.5 });
  const random = createRandom(1);
  const moves: number[] = [];
  for (let i = 0; i < 200; i++) {
    const moved = jitterBox(box, 4, 8, random);
    moves.push((moved.left - box.left) / 4, (moved.bottom - box.bottom) / 2);
    assert.ok(Object.values(moved).every((at) => at >= 0 && at <= 7));
    assert.ok(moved.left < moved.right && moved.top < moved.bottom);
  }
  assert.ok(Math.max(...moves) <= 0.1 && Math.max(...moves) > 0.09);
  assert.ok(Math.min(...moves) >= -0.1 && Math.min(...moves) < -0.09);
});

Deno.test("jitterBox() keeps the box of a mask that fills the image in it", () => {
  const all = drawn("##", "##");
  const box = jitterBox(boundingBox(all), 2, 2, createRandom(2));
  assert.deepEqual(box, { left: 0, top: 0, right: 1, bottom: 1 });
});

Deno.test("boundingBox() refuses an empty mask", () => {
  assert.throws(
    () => boundingBox(drawn("...", "...")),
    new RangeError(
      "Cannot draw a box around the mask as it must have pixels: current value is an empty mask of 2 x 3",
    ),
  );
});

Deno.test("errorClick() refuses a prediction of another size", () => {
  assert.throws(
    () => errorClick(drawn("..", ".."), drawn("...", "...")),
    new RangeError(
      "Cannot click at the largest error as the prediction must be of the target's size, 2 x 3: current value is 2 x 2",
    ),
  );
});
