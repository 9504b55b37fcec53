import type { Cell, Table } from "../../table.ts";
import type { IterationResult, TargetResult } from "../evaluate.ts";
import { pairedCells, pairedColumns, pairedDifference } from "../paired.ts";
import { mean } from "../statistics.ts";

/** Whether a rater's Dice counts, for a user with this in mind. */
type Counts = (rater: string, user: string) => boolean;

/** Mean Dice of an iteration's recommendation with the raters that count. */
export function diceWith(counts: Counts) {
  return ({ raters = {} }: IterationResult, { rater: user }: TargetResult) => {
    const values = Object.keys(raters)
      .filter((rater) => counts(rater, user))
      .map((rater) => raters[rater]);
    return values.length > 0 ? mean(values) : undefined;
  };
}

/** The raters of whom there is a mask, in order of their numbers or names. */
export function ratersOf(results: readonly TargetResult[]): string[] {
  const names = new Set(
    results.flatMap(({ iterations: [first] }) =>
      Object.keys(first.raters ?? {})
    ),
  );
  const { compare } = new Intl.Collator("en", { numeric: true });
  return [...names].sort(compare);
}

/**
 * Dice of the recommendation with each rater at the first and the last
 * iteration, and the change (the paper's Table 2).
 *
 * @param results Of one variant.
 * @param include The raters whose majority was the target: there is a row for
 * every rater then, and for all that are in it and all that are not. Otherwise
 * each rater was a target: a row for each with the own mask, and one with the
 * others'.
 * @param seed Seed of the bootstrap.
 */
export function ratersTable(
  results: readonly TargetResult[],
  include?: readonly string[],
  seed = 0,
): Table {
  const last = results[0]?.iterations.length ?? 1;
  const row = (cells: Cell[], counts: Counts, of = results) => {
    const [first, second] = [0, last - 1].map((i) => (result: TargetResult) =>
      diceWith(counts)(result.iterations[i], result)
    );
    return [
      ...cells,
      ...pairedCells(pairedDifference(of, first, second, seed)),
    ];
  };
  const figures = pairedColumns("Dice at 1", `at ${last}`);
  const raters = ratersOf(results);
  if (include) {
    const inside = (rater: string) => include.includes(rater);
    return {
      columns: [{ heading: "rater" }, { heading: "in the target" }, ...figures],
      rows: [
        ...raters.map((name) =>
          row([name, inside(name) ? "yes" : "no"], (rater) => rater === name)
        ),
        row(["all included", "yes"], inside),
        row(["all excluded", "no"], (rater) => !inside(rater)),
      ],
    };
  }
  return {
    columns: [{ heading: "user" }, { heading: "Dice with" }, ...figures],
    rows: raters.flatMap((name) => {
      const own = results.filter(({ rater }) => rater === name);
      return [
        row([name, "own mask"], (rater, user) => rater === user, own),
        row([name, "the others"], (rater, user) => rater !== user, own),
      ];
    }),
  };
}
