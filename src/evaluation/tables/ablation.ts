import type { Table } from "../../table.ts";
import type { Runs } from "../saved_evaluation.ts";
import { formatInterval } from "../statistics.ts";
import { summarize } from "../summary.ts";

/**
 * Dice by iteration, a row per variant (the paper's Table 3); a variant may
 * have fewer iterations than another.
 */
export function ablationTable(runs: Runs, seed = 0): Table {
  const variants = Object.entries(runs).map(([name, results]) =>
    [name, summarize(results, seed)] as const
  );
  const count = Math.max(...variants.map(([, rows]) => rows.length));
  return {
    columns: [
      { heading: "variant" },
      ...Array.from({ length: count }, (_, i) => ({
        heading: `${i + 1}`,
        digits: 4,
      })),
      { heading: "95 % interval, last" },
      { heading: "best candidate, last", digits: 4 },
      { heading: "sample spread, last", digits: 4 },
    ],
    rows: variants.map(([name, rows]) => {
      const { interval, best, spread } = rows[rows.length - 1];
      return [
        name,
        ...Array.from({ length: count }, (_, i) => rows[i]?.dice),
        formatInterval(interval),
        best,
        spread,
      ];
    }),
  };
}
