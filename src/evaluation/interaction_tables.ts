/**
 * Tables of an evaluation beside the paper's: by data set, of the regions, of
 * the gain of every interaction, and of profiles.
 */

import type { Cell, Table } from "../table.ts";
import type { TargetResult } from "./evaluate.ts";
import {
  bootstrapInterval,
  byPatient,
  type Figure,
  formatInterval,
  inOther,
  iterationColumns,
  mean,
  meanCells,
  pairedCells,
  pairedColumns,
  pairedDifference,
  quantile,
} from "./statistics.ts";

/** Results by data set, in order of appearance; all under "" without sets. */
export function bySet(
  results: readonly TargetResult[],
): Map<string, TargetResult[]> {
  const groups = new Map<string, TargetResult[]>();
  for (const result of results) {
    const { set = "" } = result;
    const group = groups.get(set);
    if (group) group.push(result);
    else groups.set(set, [result]);
  }
  return groups;
}

/** An amount as a percentage. */
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The share of values that a condition holds of. */
function shareOf<T>(values: readonly T[], holds: (value: T) => boolean) {
  return percent(values.filter(holds).length / values.length);
}

/** How many iterations the longest of some results has. */
function iterationsOf(results: readonly TargetResult[]): number {
  return Math.max(...results.map(({ iterations }) => iterations.length));
}

/** The mean Dice of each iteration, over the results that have it. */
function diceByIteration(
  results: readonly TargetResult[],
  count: number,
): number[] {
  return Array.from({ length: count }, (_, i) =>
    mean(
      results.flatMap(({ iterations }) => iterations[i]?.dice ?? []),
    ));
}

/**
 * Dice by iteration of every data set, with the interval at the last one, and of
 * all sets alike, however many targets each has.
 *
 * @param results Of one variant.
 * @param seed Seed of the bootstrap.
 */
export function setsTable(results: readonly TargetResult[], seed = 0): Table {
  const sets = [...bySet(results)];
  const count = iterationsOf(results);
  const last = ({ iterations }: TargetResult) => iterations[count - 1]?.dice;
  const means = sets.map(([, own]) => diceByIteration(own, count));
  const rows: Cell[][] = sets.map(([name, own], s) => [
    name,
    own.length,
    ...means[s],
    meanCells(own, last, seed)[1],
  ]);
  return {
    columns: [
      { heading: "data set" },
      { heading: "targets" },
      ...iterationColumns(count, 4),
      { heading: "95 % interval, last" },
    ],
    rows: [...rows, [
      "mean of the sets",
      results.length,
      ...Array.from({ length: count }, (_, i) => mean(means.map((m) => m[i]))),
      undefined,
    ]],
  };
}

/** Bounds of the sizes of `sizesTable`, in pixels of the image. */
const SIZES = [8, 16, 32, 64, 128];

/**
 * Dice by iteration of objects of a size: the longer side of the box around the
 * target, in pixels of the image. Of objects of a few pixels every pixel counts.
 *
 * @param results Those that know their object, of one variant.
 */
export function sizesTable(results: readonly TargetResult[]): Table {
  const sideOf = ({ object }: TargetResult) =>
    Math.max(object!.right - object!.left, object!.bottom - object!.top);
  const bands = [0, ...SIZES].map((from, i) => {
    const to = SIZES[i] ?? Infinity;
    const own = results.filter((result) =>
      sideOf(result) >= from && sideOf(result) < to
    );
    const name = to === Infinity ? `${from} or more` : `${from} to ${to - 1}`;
    return { name, own };
  });
  const count = iterationsOf(results);
  return {
    columns: [
      { heading: "object's longer side, px" },
      { heading: "targets" },
      ...iterationColumns(count, 3),
    ],
    rows: bands.filter(({ own }) => own.length > 0).map(({ name, own }) => [
      name,
      own.length,
      ...diceByIteration(own, count),
    ]),
  };
}

/**
 * Where the network looked, by data set: looks and their time, the region's side
 * in sides of the object (3 in training), and in what share of the targets the
 * whole object lay in it.
 *
 * @param results Those that know their region.
 */
export function regionsTable(results: readonly TargetResult[]): Table {
  const sets = [...bySet(results)];
  const named = sets.length > 1;
  return {
    columns: [
      ...(named ? [{ heading: "data set" }] : []),
      { heading: "looks, mean", digits: 2 },
      { heading: "ms, median", digits: 0 },
      { heading: "side over the object's, median", digits: 2 },
      { heading: "quartiles" },
      { heading: "holds the object", align: "right" },
      { heading: "targets" },
    ],
    rows: sets.map(([name, own]) => {
      const known = own.flatMap(({ region, object, looks }) =>
        region && object && looks ? [{ region, object, looks }] : []
      );
      const sides = known.map(({ region, object }) =>
        (region.right - region.left) /
        Math.max(object.right - object.left, object.bottom - object.top)
      );
      const times = known.map(({ looks }) => looks.milliseconds);
      return [
        ...(named ? [name] : []),
        mean(known.map(({ looks }) => looks.count)),
        quantile(times, 0.5),
        quantile(sides, 0.5),
        formatInterval([quantile(sides, 0.25), quantile(sides, 0.75)], 2),
        shareOf(
          known,
          ({ region, object }) =>
            region.left <= object.left && region.top <= object.top &&
            region.right >= object.right && region.bottom >= object.bottom,
        ),
        known.length,
      ];
    }),
  };
}

/**
 * The gain of each interaction: from one iteration to the next, the share of
 * targets whose Dice rose and fell, the mean gain with its 95 % interval by a
 * bootstrap over patients, and how often a user of picks and clicks clicked.
 *
 * @param results Of one variant.
 * @param seed Seed of the bootstrap.
 */
export function gainsTable(results: readonly TargetResult[], seed = 0): Table {
  const count = Math.max(...results.map(({ iterations }) => iterations.length));
  const mixed = results.some(({ iterations: [first] }) => first?.did);
  return {
    columns: [
      { heading: "interaction" },
      { heading: "Dice rose", align: "right" },
      { heading: "fell", align: "right" },
      { heading: "mean gain", digits: 4 },
      { heading: "95 % interval" },
      ...(mixed ? [{ heading: "clicks", align: "right" as const }] : []),
      { heading: "targets" },
    ],
    rows: Array.from({ length: count - 1 }, (_, i) => {
      const groups = byPatient(results, ({ iterations }) => {
        const [before, after] = [iterations[i], iterations[i + 1]];
        return before && after ? after.dice - before.dice : undefined;
      });
      const gains = groups.flat();
      return [
        i + 1,
        shareOf(gains, (gain) => gain > 0),
        shareOf(gains, (gain) => gain < 0),
        mean(gains),
        formatInterval(bootstrapInterval(groups, seed), 4),
        ...(mixed
          ? [
            shareOf(
              results,
              ({ iterations }) => iterations[i]?.did === "click",
            ),
          ]
          : []),
        gains.length,
      ];
    }),
  };
}

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
