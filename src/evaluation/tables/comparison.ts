import type { Table } from "../../table.ts";
import type { TargetResult } from "../evaluate.ts";
import {
  inOther,
  pairedCells,
  pairedColumns,
  pairedDifference,
} from "../paired.ts";
import type { Runs } from "../saved_evaluation.ts";

/**
 * Every two variants on the same targets: Dice of both at an iteration, the
 * mean difference with its interval, and a signed-rank test over patients.
 *
 * @param runs Results of two variants or more.
 * @param iteration From 1.
 * @param seed Seed of the bootstrap.
 */
export function comparisonTable(
  runs: Runs,
  iteration: number,
  seed = 0,
): Table {
  const names = Object.keys(runs);
  const dice = ({ iterations }: TargetResult) => iterations[iteration - 1].dice;
  return {
    columns: [
      { heading: "first" },
      { heading: "second" },
      ...pairedColumns("Dice of the first", "of the second"),
    ],
    rows: names.flatMap((second, s) =>
      names.slice(0, s).map((first) => [
        first,
        second,
        ...pairedCells(
          pairedDifference(
            runs[first],
            dice,
            inOther(runs[second], dice),
            seed,
          ),
        ),
      ])
    ),
  };
}
