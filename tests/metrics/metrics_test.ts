import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { hd95 } from "../../src/metrics/surface.ts";
import { iterationsToTarget } from "../../src/metrics/iterations_to_target.ts";
import { dice, diceSoft, iou, meanMask } from "../../src/metrics/overlap.ts";
import {
  assign,
  diceMax,
  expectedCalibrationError,
  generalizedEnergyDistance,
  hungarianMatchedDice,
  sampleSpread,
} from "../../src/metrics/sample_set.ts";
import { createRandom } from "../../src/random.ts";

/** A mask from rows of 0 and 1: `mask("010", "111")`. */
const mask = (...rows: string[]) =>
  ndarray(Uint8Array.from(rows.join(""), Number), [
    rows.length,
    rows[0].length,
  ]);

const map = (...values: number[]) =>
  ndarray(Float32Array.from(values), [1, values.length]);

function close(actual: number, expected: number, tolerance = 1e-6) {
  assert.ok(
    Math.abs(actual - expected) < tolerance,
    `${actual} is not ${expected}`,
  );
}

Deno.test("dice() is twice the overlap over both areas", () => {
  close(dice(mask("110", "100"), mask("100", "110")), 4 / 6);
  close(dice(mask("11"), mask("11")), 1);
  close(dice(mask("10"), mask("01")), 0);
});

Deno.test("iou() is the overlap over the union", () => {
  close(iou(mask("110", "100"), mask("100", "110")), 2 / 4);
  close(iou(mask("10"), mask("01")), 0);
});

Deno.test("dice() and iou() score two empty masks 1, and one empty mask 0", () => {
  assert.equal(dice(mask("00"), mask("00")), 1);
  assert.equal(iou(mask("00"), mask("00")), 1);
  assert.equal(dice(mask("00"), mask("01")), 0);
  assert.equal(iou(mask("00"), mask("01")), 0);
});

Deno.test("dice() takes 255 for inside, and views", () => {
  const bytes = ndarray(Uint8Array.of(255, 0, 255, 0), [2, 2]);
  assert.equal(dice(bytes, mask("10", "10")), 1);
  assert.equal(dice(bytes.transpose(1, 0), mask("11", "00")), 1);
});

Deno.test("generalizedEnergyDistance() is 0 for equal sets and 2 for strangers", () => {
  const [a, b] = [mask("10"), mask("01")];
  close(generalizedEnergyDistance([a, b], [b, a]), 0);
  close(generalizedEnergyDistance([a], [b]), 2);
});

Deno.test("generalizedEnergyDistance() counts a missed opinion", () => {
  // 2 E d(S, Y) = 2 * 1/2, E d(S, S') = 0, E d(Y, Y') = (0 + 1 + 1 + 0) / 4
  const [a, b] = [mask("10"), mask("01")];
  close(generalizedEnergyDistance([a], [a, b]), 0.5);
});

Deno.test("diceMax() looks for the best match both ways", () => {
  const [a, b] = [mask("1100"), mask("0011")];
  const { ofAnnotations, ofSamples } = diceMax([a, b], [a]);
  close(ofAnnotations, 1); // the one opinion is found
  close(ofSamples, 0.5); // but b is nobody's
  const both = diceMax([a], [a, mask("1111")]);
  close(both.ofAnnotations, (1 + 2 / 3) / 2);
  close(both.ofSamples, 1);
});

Deno.test("hungarianMatchedDice() matches one to one, for the best sum", () => {
  const [a, b] = [mask("10"), mask("01")];
  close(hungarianMatchedDice([a, a, b], [a, b, b]), 2 / 3);
  // Taking the equal pair first would leave 1 + 0; 0.8 + 0.4 is more.
  close(
    hungarianMatchedDice([mask("1100"), mask("1110")], [
      mask("1110"),
      mask("0011"),
    ]),
    (0.8 + 0.4) / 2,
  );
});

Deno.test("hungarianMatchedDice() repeats sets of unequal number", () => {
  const [a, b] = [mask("10"), mask("01")];
  close(hungarianMatchedDice([a], [a, b]), 0.5);
  close(hungarianMatchedDice([a, b], [b, a, a]), 5 / 6);
});

Deno.test("assign() finds the assignment that trying all finds", () => {
  const random = createRandom(9);
  const permutations = (items: number[]): number[][] =>
    items.length === 0
      ? [[]]
      : items.flatMap((item) =>
        permutations(items.filter((other) => other !== item))
          .map((rest) => [item, ...rest])
      );
  for (let trial = 0; trial < 20; trial++) {
    const costs = Array.from(
      { length: 6 },
      () => Array.from({ length: 6 }, () => random.uniform()),
    );
    const total = (columns: ArrayLike<number>) =>
      costs.reduce((sum, row, k) => sum + row[columns[k]], 0);
    const best = Math.min(...permutations([0, 1, 2, 3, 4, 5]).map(total));
    const found = assign(6, (row, column) => costs[row][column]);
    assert.deepEqual(found.toSorted(), Int32Array.of(0, 1, 2, 3, 4, 5));
    close(total(found), best, 1e-12);
  }
});

Deno.test("diceSoft() is the mean Dice over nine thresholds", () => {
  // At 0.1: 3 pixels against 2, Dice 4/5; from 0.2 on equal
  close(
    diceSoft(map(0.95, 0.55, 0.15, 0), map(1, 0.55, 0, 0)),
    (4 / 5 + 8) / 9,
  );
  close(diceSoft(map(0, 0), map(0, 0)), 1);
});

Deno.test("diceSoft() counts what lies exactly at a threshold as in", () => {
  const masks = Array.from({ length: 10 }, (_, k) => mask(k < 7 ? "1" : "0"));
  const share = meanMask(masks); // 0.7
  close(diceSoft(map(0.705), share), 1);
});

Deno.test("meanMask() is the share of raters, and takes views", () => {
  const square = mask("11", "01");
  const share = meanMask([square, square.transpose(1, 0), mask("00", "00")]);
  assert.deepEqual(share.shape, [2, 2]);
  const third = Math.fround(1 / 3);
  assert.deepEqual([...share.data], [
    Math.fround(2 / 3),
    third,
    third,
    Math.fround(2 / 3),
  ]);
});

Deno.test("sampleSpread() is the mean over pixels of the standard deviation", () => {
  const two = ndarray(Float32Array.of(0, 1, 1, 1), [2, 1, 2]);
  close(sampleSpread(two), 0.25); // 0.5 at the first pixel, 0 at the second
  const alike = ndarray(new Float32Array(12).fill(0.3), [3, 2, 2]);
  close(sampleSpread(alike), 0);
});

Deno.test("expectedCalibrationError() weighs each bin's gap by its pixels", () => {
  // |0.1 - 0| for half of the pixels, |0.9 - 0.5| for the other half
  close(expectedCalibrationError(map(0.1, 0.1, 0.9, 0.9), mask("0010")), 0.25);
  close(expectedCalibrationError(map(0, 1, 1), mask("011")), 0);
  // In one bin the gaps cancel: mean 0.5, half of the pixels inside
  close(expectedCalibrationError(map(0, 1), mask("10"), { bins: 1 }), 0);
});

Deno.test("iterationsToTarget() means over successes and reports the failures", () => {
  const curves = [[0.5, 0.8, 0.9], [0.9], [0.1, 0.2, 0.3]];
  assert.deepEqual(iterationsToTarget(curves, 0.8), {
    target: 0.8,
    cap: 3,
    cases: 3,
    failureRate: 1 / 3,
    mean: 1.5,
    penalizedMean: (2 + 1 + 10) / 3,
    penalty: 10,
  });
  const early = iterationsToTarget(curves, 0.8, { cap: 1, penalty: 7 });
  assert.equal(early.mean, 1);
  assert.equal(early.failureRate, 2 / 3);
  assert.equal(early.penalizedMean, 5);
  assert.ok(Number.isNaN(iterationsToTarget(curves, 1).mean));
  // a failure never counts less than a success
  const long = new Array(14).fill(0.1).concat(0.9);
  const { penalty, penalizedMean } = iterationsToTarget([long, [0.1]], 0.8);
  assert.deepEqual([penalty, penalizedMean], [16, (15 + 16) / 2]);
});

Deno.test("every metric refuses arrays of different shapes, naming both", () => {
  const [a, b] = [mask("10", "01"), mask("100", "010")];
  const metrics = [
    () => dice(a, b),
    () => iou(a, b),
    () => hd95(a, b),
    () => generalizedEnergyDistance([a], [b]),
    () => diceMax([a], [b]),
    () => hungarianMatchedDice([a], [b]),
    () => meanMask([a, b]),
    () => diceSoft(meanMask([a]), meanMask([b])),
    () => expectedCalibrationError(meanMask([a]), b),
  ];
  for (const metric of metrics) {
    assert.throws(
      metric,
      /RangeError: Cannot compute .* as both arrays must have the same shape: current value is \[2,2\] and \[2,3\]/,
    );
  }
});

Deno.test("metrics refuse empty lists and options out of range", () => {
  const a = mask("10");
  const refused: [() => unknown, RegExp][] = [
    [() => diceMax([], [a]), /as samples must hold at least one mask/],
    [() => diceMax([a], []), /as annotations must hold at least one mask/],
    [() => meanMask([]), /as masks must hold at least one/],
    [
      () => hd95(a, a, { spacing: 0 }),
      /as spacing must be a positive number or 2: current value is 0/,
    ],
    [
      () => hd95(a, a, { spacing: [1, -2] }),
      /as spacing must be a positive number or 2: current value is 1,-2/,
    ],
    [
      () => hd95(a.pick(0), a.pick(0)),
      /as the masks' shape must be \[H, W\] or \[D, H, W\]: current value is \[2\]/,
    ],
    [
      () => sampleSpread(map(1)),
      /as the shape must be \[N, H, W\], not empty: current value is \[1,1\]/,
    ],
    [
      () => expectedCalibrationError(map(1.5, 0), a),
      /as probabilities must be in 0\.\.1: current value is 1\.5/,
    ],
    [
      () => expectedCalibrationError(map(1, 0), a, { bins: 0 }),
      /as bins must be a whole number >= 1/,
    ],
    [
      () => iterationsToTarget([], 0.8),
      /as curves must hold at least one case/,
    ],
    [
      () => iterationsToTarget([[1]], 80),
      /as target must be in 0\.\.1: current value is 80/,
    ],
    [
      () => iterationsToTarget([[]], 0.8),
      /as cap must be a whole number >= 1: current value is 0/,
    ],
    [
      () => iterationsToTarget([[0.1]], 0.8, { cap: 6, penalty: 6 }),
      /as penalty must be above the cap, 6: current value is 6/,
    ],
  ];
  for (const [run, message] of refused) assert.throws(run, message);
});
