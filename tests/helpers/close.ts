import assert from "node:assert/strict";

/** Checks that numbers differ from the expected ones by `tolerance` at most. */
export function close(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-6,
) {
  assert.equal(actual.length, expected.length);
  Array.from(expected).forEach((value, i) =>
    assert.ok(
      Math.abs(actual[i] - value) <= tolerance,
      `${i}: ${actual[i]} is not ${value} within ${tolerance}`,
    )
  );
}
