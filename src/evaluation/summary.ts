/** Dice by iteration (the paper's Table 1): means over targets, intervals over patients. */

import type { Table } from "../table.ts";
import type { TargetResult } from "./evaluate.ts";
import {
  bootstrapInterval,
  byPatient,
  formatInterval,
  mean,
  quantile,
} from "./statistics.ts";

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
