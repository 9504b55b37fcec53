import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom } from "../../src/random.ts";
import { cluster, type Proposal } from "../../src/spa/cluster.ts";
import { frameOf } from "../../src/spa/frame.ts";
import {
  candidateDice,
  clickInside,
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
