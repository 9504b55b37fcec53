/** Means, quantiles, and intervals over patients. */

import { createRandom } from "../random.ts";
import type { TargetResult } from "./evaluate.ts";

/** Draws of the bootstrap. */
const DRAWS = 1000;

/** The arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The value that a share of sorted values does not exceed, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** What a result stands for in a table; undefined leaves it out. */
export type Figure = (result: TargetResult) => number | undefined;

/** A value of every result that has it, grouped by patient. */
export function byPatient<Result extends { patient: string }, T>(
  results: readonly Result[],
  valueOf: (result: Result) => T | undefined,
): T[][] {
  const groups = new Map<string, T[]>();
  for (const result of results) {
    const value = valueOf(result);
    if (value === undefined) continue;
    const group = groups.get(result.patient);
    if (group) group.push(value);
    else groups.set(result.patient, [value]);
  }
  return [...groups.values()];
}

/**
 * 95 % interval of the mean by a bootstrap over groups: whole patients are
 * drawn with replacement, as the targets of one patient are not independent.
 *
 * @param groups The values of each group; fewer than two give NaN.
 * @param seed Seed of the draws.
 */
export function bootstrapInterval(
  groups: readonly (readonly number[])[],
  seed: number,
): [number, number] {
  return bootstrapRatio(
    groups.map((values) => values.map((value) => [value, 1] as const)),
    seed,
  );
}

/**
 * 95 % interval of the mean of one value over the mean of another, by the same
 * bootstrap.
 *
 * @param groups Pairs of values of each group; fewer than two give NaN.
 */
export function bootstrapRatio(
  groups: readonly (readonly (readonly [number, number])[])[],
  seed: number,
): [number, number] {
  if (groups.length < 2) return [NaN, NaN]; // one patient tells of no other
  const random = createRandom(seed);
  const sums = groups.map((pairs) =>
    [0, 1].map((i) => pairs.reduce((sum, pair) => sum + pair[i], 0))
  );
  const ratios = Array.from({ length: DRAWS }, () => {
    let one = 0, other = 0;
    for (let i = 0; i < groups.length; i++) {
      const sum = sums[random.integer(groups.length)];
      one += sum[0];
      other += sum[1];
    }
    return one / other;
  });
  return [quantile(ratios, 0.025), quantile(ratios, 0.975)];
}

/** Cells of a table: the mean of a value, its interval, and of how many. */
export function meanCells<Result extends { patient: string }>(
  results: readonly Result[],
  valueOf: (result: Result) => number | undefined,
  seed: number,
  digits?: number,
) {
  const groups = byPatient(results, valueOf);
  const values = groups.flat();
  const interval = bootstrapInterval(groups, seed);
  return [mean(values), formatInterval(interval, digits), values.length];
}

/** An interval as a cell of a table; undefined, a dash there, where it is NaN. */
export function formatInterval(
  [low, high]: readonly [number, number],
  digits = 3,
): string | undefined {
  if (Number.isNaN(low)) return undefined;
  return `${low.toFixed(digits)}..${high.toFixed(digits)}`;
}
