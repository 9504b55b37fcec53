import assert from "node:assert/strict";
import { wilcoxonSignedRank } from "../../src/evaluation/statistics.ts";

/** Agrees to 9 decimals. */
function assertClose(value: number, expected: number) {
  assert.ok(
    Math.abs(value - expected) < 1e-9,
    `${value} is not ${expected}`,
  );
}

Deno.test("wilcoxonSignedRank() counts sign patterns, by hand", () => {
  // three positive differences: 1 of 8 patterns, on either side
  assert.equal(wilcoxonSignedRank([1, 2, 3]), 2 / 8);
  // W- = 1: the patterns with sums 0 and 1
  assert.equal(wilcoxonSignedRank([-1, 2, 3]), 4 / 8);
  assert.equal(wilcoxonSignedRank([1, -1]), 1);
});

Deno.test("wilcoxonSignedRank() drops differences of 0", () => {
  assert.equal(wilcoxonSignedRank([0, 1, 0, 2, 3]), 2 / 8);
  assert.equal(wilcoxonSignedRank([0, 0]), 1);
  assert.equal(wilcoxonSignedRank([]), 1);
});

// p-values of scipy.stats.wilcoxon, SciPy 1.17.1, method="auto"
Deno.test("wilcoxonSignedRank() agrees with SciPy's exact distribution", () => {
  assertClose(
    wilcoxonSignedRank([1.1, -0.4, 2.3, 0.7, -1.9, 3.2, 0.6]),
    0.21875,
  );
  assertClose(
    wilcoxonSignedRank([0.8, -0.3, 0.5, 1.2, -0.1, 0.9, 1.4, -0.7, 0.2, 1.0]),
    0.064453125,
  );
  assertClose(wilcoxonSignedRank([0, 0, 1, -2, 3, 4, 5, -1.5]), 0.3125);
});

Deno.test("wilcoxonSignedRank() agrees with SciPy's permutations where ranks tie", () => {
  assertClose(wilcoxonSignedRank([1, 1, -1, 2, 3, -2, 4, 2]), 0.1640625);
});

Deno.test("wilcoxonSignedRank() agrees with SciPy's normal approximation", () => {
  const many = Array.from(
    { length: 60 },
    (_, i) => Number((((i * 37) % 61) / 61 - 0.42).toFixed(6)),
  );
  assertClose(wilcoxonSignedRank(many), 0.07603895013142359);
  // with ties, and zeros dropped: 55 are left
  const ties = Array.from({ length: 60 }, (_, i) => ((i * 7) % 13) - 4);
  assertClose(wilcoxonSignedRank(ties), 0.0006293732731367145);
});
