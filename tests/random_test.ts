import assert from "node:assert/strict";
import { createRandom } from "../src/random.ts";

const take = (seed: number, ...path: number[]) => {
  const random = createRandom(seed, ...path);
  return Array.from({ length: 20_000 }, () => random.uniform());
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  const along = (x: readonly number[], mx: number) =>
    Math.sqrt(mean(x.map((value) => (value - mx) ** 2)));
  const together = mean(a.map((value, i) => (value - ma) * (b[i] - mb)));
  return together / (along(a, ma) * along(b, mb));
}

function close(actual: number, expected: number, tolerance: number) {
  assert.ok(
    Math.abs(actual - expected) < tolerance,
    `${actual} is not ${expected} within ${tolerance}`,
  );
}

Deno.test("createRandom() gives the same stream for the same seed and path", () => {
  assert.deepEqual(take(7), take(7));
  assert.deepEqual(take(7, 3, 1), take(7, 3, 1));
});

Deno.test("createRandom() gives independent streams for other seeds and paths", () => {
  const streams = [[7], [8], [7, 0], [7, 3], [3, 7], [7, 4], [-7], [7.5], [0]]
    .map(([seed, ...path]) => take(seed, ...path));
  streams.forEach((a, i) =>
    streams.forEach((b, j) => {
      // 1 / sqrt(20000) is .007
      if (i !== j) close(correlation(a, b), 0, 0.04);
    })
  );
});

Deno.test("createRandom() spreads the first numbers of neighboring seeds", () => {
  const bins = new Array(16).fill(0);
  for (let seed = 0; seed < 16_000; seed++) {
    bins[Math.floor(16 * createRandom(seed).uniform())]++;
  }
  const chiSquare = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 45, `chi square ${chiSquare} of 15 degrees of freedom`);
});

Deno.test("uniform() has the moments of the uniform distribution", () => {
  const values = take(1);
  assert.ok(values.every((value) => value >= 0 && value < 1));
  close(mean(values), 1 / 2, 0.01);
  close(mean(values.map((v) => (v - 0.5) ** 2)), 1 / 12, 0.003);
  close(correlation(values.slice(1), values.slice(0, -1)), 0, 0.03);
});

Deno.test("normal() has the moments of the standard normal distribution", () => {
  const random = createRandom(2);
  const values = Array.from({ length: 100_000 }, () => random.normal());
  close(mean(values), 0, 0.015);
  close(mean(values.map((v) => v ** 2)), 1, 0.02);
  close(mean(values.map((v) => v ** 3)), 0, 0.05);
  close(mean(values.map((v) => v ** 4)), 3, 0.15);
  // pnorm(1) - pnorm(-1) and pnorm(2) - pnorm(-2) in R
  close(mean(values.map((v) => Number(Math.abs(v) < 1))), 0.6826895, 0.006);
  close(mean(values.map((v) => Number(Math.abs(v) < 2))), 0.9544997, 0.003);
  close(correlation(values.slice(1), values.slice(0, -1)), 0, 0.015);
});

Deno.test("integer() draws every number below its bound equally often", () => {
  const random = createRandom(3);
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
  assert.equal(counts.length, 7);
  for (const count of counts) close(count, 10_000, 400); // 4 deviations
});

Deno.test("createRandom() refuses a seed that is no finite number", () => {
  for (const seed of [NaN, Infinity, -Infinity]) {
    assert.throws(
      () => createRandom(seed),
      new RangeError(
        `Cannot create a random stream as seed must be a finite number: current value is ${seed}`,
      ),
    );
    assert.throws(() => createRandom(1, seed), RangeError);
  }
});
