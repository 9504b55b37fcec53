/** What a rater's profile is worth on the next images: rater by rater, image by image. */

import type { Table } from "../table.ts";
import type { TargetResult } from "./evaluate.ts";
import {
  type Figure,
  inOther,
  pairedCells,
  pairedColumns,
  pairedDifference,
} from "./statistics.ts";

const first: Figure = ({ iterations }) => iterations[0]?.dice;

/** The raters of some results, in order of their numbers or names. */
function namesOf(results: readonly TargetResult[]): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return [...new Set(results.map(({ rater }) => rater))].sort(compare);
}

/**
 * Dice of the first recommendation without and with the own profile of the images
 * before, a row for each rater and one for all; and how it differs with another
 * rater's profile. Intervals and p are over images.
 *
 * @param fresh Results of users who start anew on every image.
 * @param carried Of the same with their profiles.
 * @param wrong Of the same with another's.
 * @param seed Seed of the bootstrap.
 */
export function habitsTable(
  fresh: readonly TargetResult[],
  carried: readonly TargetResult[],
  wrong: readonly TargetResult[] | undefined,
  seed = 0,
): Table {
  const later = carried.filter((result) => result.carried);
  const row = (name: string, own: readonly TargetResult[]) => {
    const paired = pairedDifference(own, inOther(fresh, first), first, seed);
    const other = wrong &&
      pairedDifference(
        own,
        inOther(fresh, first),
        inOther(wrong, first),
        seed,
      );
    return [
      name,
      ...pairedCells(paired),
      ...(other ? pairedCells(other).slice(2, 4) : []),
    ];
  };
  return {
    columns: [
      { heading: "rater" },
      ...pairedColumns("Dice without profile", "with"),
      ...(wrong
        ? [
          { heading: "difference with another's", digits: 4 },
          { heading: "95 % interval" },
        ]
        : []),
    ],
    rows: [
      ...namesOf(later).map((name) =>
        row(name, later.filter(({ rater }) => rater === name))
      ),
      row("all", later),
    ],
  };
}

/** Numbers of images before, the ends of the learning curve's steps. */
const STEPS = [1, 2, 4, 8, 16, Infinity];

/**
 * Dice of the first recommendation without and with the profile, by how many
 * images the rater had aligned before.
 *
 * @param fresh Results of users who start anew on every image.
 * @param carried Of the same with their profiles, in the order of the images.
 * @param seed Seed of the bootstrap.
 */
export function learningTable(
  fresh: readonly TargetResult[],
  carried: readonly TargetResult[],
  seed = 0,
): Table {
  const counts = new Map<string, number>();
  const before = new Map<TargetResult, number>();
  for (const result of carried) {
    const count = counts.get(result.rater) ?? 0;
    before.set(result, count);
    counts.set(result.rater, count + 1);
  }
  const steps = STEPS.map((last, i) => {
    const from = i === 0 ? 1 : STEPS[i - 1] + 1;
    const name = last === Infinity
      ? `${from} or more`
      : from === last
      ? `${last}`
      : `${from} to ${last}`;
    const own = carried.filter((result) => {
      const count = before.get(result)!;
      return result.carried && count >= from && count <= last;
    });
    return { name, own };
  });
  return {
    columns: [
      { heading: "images before" },
      ...pairedColumns("Dice without profile", "with"),
    ],
    rows: steps.filter(({ own }) => own.length > 0).map(({ name, own }) => [
      name,
      ...pairedCells(
        pairedDifference(own, inOther(fresh, first), first, seed),
      ),
    ]),
  };
}
