import type { Table } from "../../table.ts";
import type { Runs } from "../saved_evaluation.ts";
import { formatInterval, quantile } from "../statistics.ts";

/**
 * How long an iteration took: the median and the quartiles over all iterations
 * of all targets. Times are a machine's: those of evaluations that ran on
 * different ones, or with other threads, do not compare.
 *
 * @param runs Results by variant or method; a row each.
 */
export function secondsTable(runs: Runs): Table {
  return {
    columns: [
      { heading: "variant" },
      { heading: "s per iteration, median", digits: 3 },
      { heading: "quartiles" },
      { heading: "iterations" },
    ],
    rows: Object.entries(runs).map(([name, results]) => {
      const times = results.flatMap(({ iterations }) =>
        iterations.map(({ milliseconds }) => milliseconds / 1000)
      );
      const at = (share: number) => quantile(times, share);
      const quartiles = formatInterval([at(0.25), at(0.75)]);
      return [name, at(0.5), quartiles, times.length];
    }),
  };
}
