import type { Table } from "../../table.ts";
import type { TargetResult } from "../evaluate.ts";
import {
  failurePenalty,
  iterationsToTarget,
} from "../../metrics/iterations_to_target.ts";
import { formatChance, inOther, pairedDifference } from "../paired.ts";
import type { Runs } from "../saved_evaluation.ts";
import { bootstrapRatio, byPatient } from "../statistics.ts";
import { capOf } from "./dice_targets.ts";

/** An amount as a percentage. */
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/**
 * How many interactions one method saves beside another (the paper's claim of at
 * least 39 % beside click refinement): of every two, the iterations to a Dice,
 * a failure counted as in the paper (see `failurePenalty`), how much fewer the first needs with
 * a 95 % bootstrap interval over patients, and a signed-rank test over them.
 *
 * @param runs Results of two methods or more.
 * @param dices Dice to reach, 0..1.
 * @param seed Seed of the bootstrap.
 */
export function savingsTable(
  runs: Runs,
  dices: readonly number[],
  seed = 0,
): Table {
  const names = Object.keys(runs);
  const cap = capOf(runs);
  const pairs = names.flatMap((second, s) =>
    names.slice(0, s).map((first) => [first, second])
  );
  return {
    columns: [
      { heading: "A" },
      { heading: "B" },
      { heading: "Dice target" },
      {
        heading: `iterations of A, a failure as ${failurePenalty(cap)}`,
        digits: 2,
      },
      { heading: "of B", digits: 2 },
      { heading: "fewer with A", align: "right" },
      { heading: "95 % interval" },
      { heading: "p", align: "right" },
      { heading: "targets" },
    ],
    rows: pairs.flatMap(([first, second]) =>
      dices.map((target) => {
        const count = ({ iterations }: TargetResult) =>
          iterationsToTarget([iterations.map(({ dice }) => dice)], target, {
            cap,
          }).penalisedMean;
        const other = inOther(runs[second], count);
        const { first: one, second: two, p, pairs } = pairedDifference(
          runs[first],
          count,
          other,
          seed,
        );
        const groups = byPatient(runs[first], (result) => {
          const found = other(result);
          return found === undefined
            ? undefined
            : [count(result), found] as const;
        });
        const [low, high] = bootstrapRatio(groups, seed);
        const interval = Number.isNaN(low)
          ? undefined
          : `${percent(1 - high)}..${percent(1 - low)}`;
        return [
          ...[first, second, target, one, two, percent(1 - one / two)],
          ...[interval, formatChance(p), pairs],
        ];
      })
    ),
  };
}
