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
 * @param at Which iteration; the last is that of each variant.
 * @param seed Seed of the bootstrap.
 */
export function comparisonTable(
  runs: Runs,
  at: "first" | "last",
  seed = 0,
): Table {
  const names = Object.keys(runs);
  const dice = ({ iterations }: TargetResult) =>
    iterations.at(at === "first" ? 0 : -1)?.dice;
  return {
    columns: [
      { heading: "A" },
      { heading: "B" },
      ...pairedColumns(`Dice of A, ${at} iteration`, "of B"),
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
