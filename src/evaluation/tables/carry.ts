import type { Table } from "../../table.ts";
import type { TargetResult } from "../evaluate.ts";
import {
  inOther,
  pairedCells,
  pairedColumns,
  pairedDifference,
} from "../paired.ts";

/**
 * Dice by iteration without and with the profile of the user's image before,
 * on the targets that had one.
 *
 * @param fresh Results of users who start anew on every image.
 * @param carried Results of the same users with their profiles.
 * @param seed Seed of the bootstrap.
 */
export function carryTable(
  fresh: readonly TargetResult[],
  carried: readonly TargetResult[],
  seed = 0,
): Table {
  const later = carried.filter((result) => result.carried);
  const count = later[0]?.iterations.length ?? 0;
  return {
    columns: [
      { heading: "iteration" },
      ...pairedColumns("Dice without profile", "with"),
    ],
    rows: Array.from({ length: count }, (_, i) => {
      const dice = ({ iterations }: TargetResult) => iterations[i].dice;
      const paired = pairedDifference(later, inOther(fresh, dice), dice, seed);
      return [i + 1, ...pairedCells(paired)];
    }),
  };
}
