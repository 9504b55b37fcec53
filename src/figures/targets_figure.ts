import type { TargetResult } from "../evaluation/evaluate.ts";
import { reachTarget } from "../evaluation/tables/dice_targets.ts";
import { barsFigure } from "./bars_figure.ts";
import type { Figure } from "./figure.ts";

/**
 * How many iterations it takes to reach a Dice: mean over the targets that
 * reach it, with 95 % intervals (a bootstrap over patients), and above each bar
 * the share that does not within the iterations that were run.
 *
 * @param runs Results of `evaluate` by name, at least one of each.
 * @param dices Dice to reach, 0..1.
 * @param options.title One line above.
 * @throws {RangeError} When a run has no results, or a Dice is not in 0..1.
 */
export function targetsFigure(
  runs: Readonly<Record<string, readonly TargetResult[]>>,
  dices: readonly number[],
  { title = "Iterations to a Dice; above each bar, the share that fails" }: {
    title?: string;
  } = {},
): Figure {
  return barsFigure({
    title,
    groups: dices.map(String),
    series: Object.entries(runs).map(([name, results]) => {
      const found = dices.map((dice) => reachTarget(results, dice));
      return {
        name,
        values: found.map(({ mean }) => mean),
        intervals: found.map(({ interval }) => interval),
        labels: found.map(({ failureRate }) =>
          `${(100 * failureRate).toFixed(failureRate < 0.1 ? 1 : 0)} %`
        ),
      };
    }),
    x: "Dice to reach",
    y: "iterations of those that reach it",
    tickFormat: ".1f",
  });
}
