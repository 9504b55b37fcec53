/** Figures of an evaluation: means over targets, intervals over patients. */

import type { Table } from "../table.ts";
import { createRandom } from "../random.ts";
import type { IterationResult, TargetResult } from "./evaluate.ts";

/** Means at one iteration. */
export interface IterationSummary {
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

/** Draws of the bootstrap. */
const DRAWS = 1000;

function mean(values: readonly number[]): number {
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

/**
 * 95 % interval of the mean by a bootstrap over groups: whole patients are
 * drawn with replacement, as the targets of one patient are not independent.
 *
 * @param groups The values of each group.
 * @param seed Seed of the draws.
 */
export function bootstrapInterval(
  groups: readonly (readonly number[])[],
  seed: number,
): [number, number] {
  const random = createRandom(seed);
  const sums = groups.map((values) => mean(values) * values.length);
  const means = Array.from({ length: DRAWS }, () => {
    let sum = 0, count = 0;
    for (let i = 0; i < groups.length; i++) {
      const group = random.integer(groups.length);
      sum += sums[group];
      count += groups[group].length;
    }
    return sum / count;
  });
  return [quantile(means, 0.025), quantile(means, 0.975)];
}

/** Summarises results, iteration by iteration. */
export function summarize(
  results: readonly TargetResult[],
  seed = 0,
): IterationSummary[] {
  const iterations = results[0]?.iterations.length ?? 0;
  const patients = new Map<string, TargetResult[]>();
  for (const result of results) {
    const list = patients.get(result.patient);
    if (list) list.push(result);
    else patients.set(result.patient, [result]);
  }
  return Array.from({ length: iterations }, (_, i) => {
    const column = (key: keyof IterationResult) =>
      results.map((result) => result.iterations[i][key]);
    const groups = [...patients.values()].map((list) =>
      list.map((result) => result.iterations[i].dice)
    );
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
    rows: rows.map(({ interval: [low, high], ...row }) => [
      row.iteration,
      row.dice,
      `${low.toFixed(3)}..${high.toFixed(3)}`,
      row.best,
      row.spread,
      row.milliseconds,
    ]),
  };
}

/** The table of an ablation: Dice by iteration, a row per variant. */
export function ablationTable(
  variants: Readonly<Record<string, readonly IterationSummary[]>>,
): Table {
  const count = Math.max(
    ...Object.values(variants).map((rows) => rows.length),
  );
  return {
    columns: [
      { heading: "update" },
      ...Array.from({ length: count }, (_, i) => ({
        heading: `${i + 1}`,
        digits: 4,
      })),
      { heading: `95 % interval at ${count}` },
      { heading: `best at ${count}`, digits: 4 },
      { heading: `spread at ${count}`, digits: 4 },
    ],
    rows: Object.entries(variants).map(([name, rows]) => {
      const { interval: [low, high], best, spread } = rows[rows.length - 1];
      return [
        name,
        ...rows.map(({ dice }) => dice),
        `${low.toFixed(3)}..${high.toFixed(3)}`,
        best,
        spread,
      ];
    }),
  };
}
