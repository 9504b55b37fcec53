/**
 * Dice by iteration (the paper's Table 1), means, quantiles, intervals over patients, and paired differences with
 * Wilcoxon's signed-rank test.
 */

import { createRandom } from "../random.ts";
import type { TargetResult } from "./evaluate.ts";
import type { Cell, Column, Table } from "../table.ts";

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

/** The value of a result in a table; undefined leaves it out. */
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
  if (groups.length < 2) return [NaN, NaN]; // one patient gives no interval
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

/** Cells of a table: the mean of a value, its interval, and their number. */
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

/** Columns of a table, one for each iteration. */
export function iterationColumns(count: number, digits: number) {
  return Array.from({ length: count }, (_, i) => ({
    heading: `${i + 1}`,
    digits,
  }));
}

/** An interval as a cell of a table; undefined, a dash there, where it is NaN. */
export function formatInterval(
  [low, high]: readonly [number, number],
  digits = 3,
): string | undefined {
  if (Number.isNaN(low)) return undefined;
  return `${low.toFixed(digits)}..${high.toFixed(digits)}`;
}

/** Differences up to which the null distribution is counted out. */
const EXACT = 50;

/**
 * The two-sided p-value of Wilcoxon's signed-rank test: how likely differences
 * as one-sided as these are if their signs were tosses of a coin. Differences
 * of 0 are dropped. Up to 50 of the others the null distribution is exact, ties
 * included; above, it is normal, with the correction of the variance for ties
 * and none for continuity, as in SciPy.
 *
 * @param differences One per independent unit, such as a patient.
 * @returns 0..1; 1 where no difference is left.
 */
export function wilcoxonSignedRank(differences: readonly number[]): number {
  const left = differences.filter((value) => value !== 0);
  const n = left.length;
  if (n === 0) return 1;
  const { ranks, ties } = doubledRanks(left.map(Math.abs));
  const total = n * (n + 1); // sum of the doubled ranks
  const positive = ranks.reduce(
    (sum, rank, i) => left[i] > 0 ? sum + rank : sum,
    0,
  );
  const smaller = Math.min(positive, total - positive);
  if (n <= EXACT) {
    // ways[s]: the share of sign patterns whose positive ranks sum to s
    const ways = new Float64Array(total + 1);
    ways[0] = 1;
    for (const rank of ranks) {
      for (let s = total; s >= 0; s--) {
        ways[s] = (ways[s] + (s >= rank ? ways[s - rank] : 0)) / 2;
      }
    }
    const tail = ways.subarray(0, smaller + 1).reduce((a, b) => a + b, 0);
    return Math.min(1, 2 * tail);
  }
  const variance = (total * (2 * n + 1) - ties / 2) / 24;
  return twoSidedNormal((smaller - total / 2) / 2 / Math.sqrt(variance));
}

/** Twice the ranks, so that those of ties are whole; and the sum of t^3 - t over ties. */
function doubledRanks(
  values: readonly number[],
): { ranks: number[]; ties: number } {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  let ties = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = from + 1 + to;
    ties += (to - from) ** 3 - (to - from);
  }
  return { ranks, ties };
}

/** P(|Z| >= |z|) of a standard normal Z, by Simpson's rule on its density. */
function twoSidedNormal(z: number): number {
  const from = Math.abs(z), to = from + 12, steps = 2400;
  const width = (to - from) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((from + i * width) ** 2) / 2);
  }
  return 2 * sum * width / 3 / Math.sqrt(2 * Math.PI);
}

/** Two figures of the same targets, before and after, or of two methods. */
export interface PairedDifference {
  /** Targets that have both. */
  readonly pairs: number;
  /** Mean of the first figure over them. */
  readonly first: number;
  /** Mean of the second. */
  readonly second: number;
  /** Mean of the second minus the first. */
  readonly difference: number;
  /** 95 % interval of it: a bootstrap over patients. */
  readonly interval: readonly [number, number];
  /** Two-sided p of Wilcoxon's signed-rank test over patients' mean differences. */
  readonly p: number;
}

/**
 * Compares two figures of one list of results.
 *
 * @param results Those that lack either figure are left out.
 * @param first The figure to compare with.
 * @param second The figure that is compared.
 * @param seed Seed of the bootstrap.
 */
export function pairedDifference(
  results: readonly TargetResult[],
  first: Figure,
  second: Figure,
  seed = 0,
): PairedDifference {
  const groups = byPatient(results, (result) => {
    const one = first(result), two = second(result);
    return one === undefined || two === undefined ? undefined : { one, two };
  });
  const pairs = groups.flat();
  const differences = groups.map((group) =>
    group.map(({ one, two }) => two - one)
  );
  return {
    pairs: pairs.length,
    first: mean(pairs.map(({ one }) => one)),
    second: mean(pairs.map(({ two }) => two)),
    difference: mean(differences.flat()),
    interval: bootstrapInterval(differences, seed),
    p: pairs.length === 0 ? NaN : wilcoxonSignedRank(differences.map(mean)),
  };
}

/** A key of a target, the same in all evaluations. */
export function targetKey(
  { case: id, rater, part }: Pick<TargetResult, "case" | "rater" | "part">,
): string {
  return JSON.stringify([id, rater, part ?? 0]);
}

/**
 * Finds the results of the same targets in another evaluation, to read a figure
 * there.
 */
export function inOther(
  other: readonly TargetResult[],
  figure: Figure,
): Figure {
  const found = new Map(other.map((result) => [targetKey(result), result]));
  return (result) => {
    const partner = found.get(targetKey(result));
    return partner && figure(partner);
  };
}

/** The columns of a paired difference, under the two figures' names. */
export function pairedColumns(first: string, second: string): Column[] {
  return [
    { heading: first, digits: 4 },
    { heading: second, digits: 4 },
    { heading: "difference", digits: 4 },
    { heading: "95 % interval" },
    { heading: "p", align: "right" },
    { heading: "targets" },
  ];
}

/** A paired difference as the cells of those columns. */
export function pairedCells(paired: PairedDifference): Cell[] {
  const { first, second, difference, interval, p, pairs } = paired;
  return [
    ...[first, second, difference, formatInterval(interval, 4)],
    ...[formatChance(p), pairs],
  ];
}

/** A p-value as a cell; undefined, a dash there, where it is NaN. */
export function formatChance(p: number): string | undefined {
  if (Number.isNaN(p)) return undefined;
  return p < 0.0001 ? "< 0.0001" : p.toFixed(4);
}

/** Means at one iteration. */
interface IterationSummary {
  /** Counted from 1. */
  readonly iteration: number;
  /** Mean Dice of the recommendation. */
  readonly dice: number;
  /** 95 % interval of it: a bootstrap over patients. */
  readonly interval: readonly [number, number];
  /** Mean Dice of the best candidate. */
  readonly best: number;
  /** Mean sample spread. */
  readonly spread: number;
  /** Median milliseconds. */
  readonly milliseconds: number;
}

/** Summarizes results, iteration by iteration. */
export function summarize(
  results: readonly TargetResult[],
  seed = 0,
): IterationSummary[] {
  const iterations = results[0]?.iterations.length ?? 0;
  return Array.from({ length: iterations }, (_, i) => {
    const column = (key: "dice" | "best" | "spread" | "milliseconds") =>
      results.map((result) => result.iterations[i][key]);
    const groups = byPatient(results, ({ iterations }) => iterations[i].dice);
    return {
      iteration: i + 1,
      dice: mean(column("dice")),
      interval: bootstrapInterval(groups, seed),
      best: mean(column("best")),
      spread: mean(column("spread")),
      milliseconds: quantile(column("milliseconds"), 0.5),
    };
  });
}

/** The table of one evaluation. */
export function summaryTable(rows: readonly IterationSummary[]): Table {
  return {
    columns: [
      { heading: "iteration" },
      { heading: "Dice", digits: 4 },
      { heading: "95 % interval" },
      { heading: "best candidate", digits: 4 },
      { heading: "sample spread", digits: 4 },
      { heading: "ms", digits: 0 },
    ],
    rows: rows.map(({ interval, ...row }) => [
      row.iteration,
      row.dice,
      formatInterval(interval),
      row.best,
      row.spread,
      row.milliseconds,
    ]),
  };
}
