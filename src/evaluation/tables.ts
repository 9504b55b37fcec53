/**
 * The tables of an evaluation: the paper's Tables 1 to 3 and Fig. 4, the gain
 * by a profile and by an interaction, the first samples, and the time.
 */

import type { Cell, Table } from "../table.ts";
import type { Runs } from "./saved_evaluation.ts";
import {
  bootstrapInterval,
  bootstrapRatio,
  byPatient,
  type Figure,
  formatChance,
  formatInterval,
  inOther,
  iterationColumns,
  mean,
  meanCells,
  pairedCells,
  pairedColumns,
  pairedDifference,
  quantile,
  summarize,
} from "./statistics.ts";
import type { IterationResult, TargetResult } from "./evaluate.ts";
import {
  failurePenalty,
  type IterationsToTarget,
  iterationsToTarget,
} from "../metrics/iterations_to_target.ts";

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
      ...iterationColumns(count, 4),
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

/**
 * Every two variants on the same targets: Dice of both at an iteration, the
 * mean difference with its interval, and a signed-rank test over patients.
 *
 * @param runs Results of two variants or more.
 * @param at The iteration; the last is that of each variant.
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

/** A figure of an iteration, and its format. */
interface Shown {
  readonly heading: string;
  readonly digits: number;
  figureAt(iteration: number): Figure;
}

const IOU: Shown = {
  heading: "IoU",
  digits: 4,
  figureAt: (i) => ({ iterations }) => iterations.at(i)?.iou,
};

/** HD95 of the targets of one unit. */
function distanceIn(unit: "mm" | "px"): Shown {
  return {
    heading: `HD95 (${unit})`,
    digits: 2,
    figureAt: (i) => (result) =>
      unitOf(result) === unit ? result.iterations.at(i)?.hd95 : undefined,
  };
}

function unitOf({ spacing }: TargetResult): "mm" | "px" {
  return spacing ? "mm" : "px";
}

/**
 * IoU and HD95 of the recommendation: means over targets, 95 % intervals by a
 * bootstrap over patients. Millimeters and pixels are never averaged: where a
 * dataset has both, each has its columns, over the targets it is of.
 *
 * @param runs Results by variant: a row per iteration of one, and of several a row each, at its last iteration.
 * @param seed Seed of the bootstrap.
 */
export function overlapTable(runs: Runs, seed = 0): Table {
  const names = Object.keys(runs);
  const all = Object.values(runs).flat();
  const measured = all.filter(({ iterations: [first] }) =>
    first?.hd95 !== undefined
  );
  const units = new Set(measured.map(unitOf));
  const shown = [IOU, ...[...units].sort().map(distanceIn)];
  const row = (results: readonly TargetResult[], i: number) => {
    const cells = shown.map(({ figureAt, digits }) =>
      meanCells(results, figureAt(i), seed, digits)
    );
    const [[, , targets]] = cells;
    return [...cells.flatMap((three) => three.slice(0, 2)), targets];
  };
  const count = Math.max(0, ...all.map(({ iterations }) => iterations.length));
  return {
    columns: [
      { heading: names.length > 1 ? "variant" : "iteration" },
      ...shown.flatMap(({ heading, digits }) => [
        { heading, digits },
        { heading: "95 % interval" },
      ]),
      { heading: "targets" },
    ],
    rows: names.length > 1
      ? names.map((name) => [name, ...row(runs[name], -1)])
      : Array.from({ length: count }, (_, i) => [i + 1, ...row(all, i)]),
  };
}

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

/** The raters who have a mask, in order of their numbers or names. */
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

/**
 * The iterations of the longest run; a target that is not reached by then has
 * failed.
 */
export function capOf(runs: Runs): number {
  return Math.max(
    1,
    ...Object.values(runs).flat().map(({ iterations }) => iterations.length),
  );
}

/** Iterations to a Dice target, and the 95 % interval of their mean: a bootstrap over patients. */
export function reachTarget(
  results: readonly TargetResult[],
  target: number,
  seed = 0,
  cap?: number,
): IterationsToTarget & { readonly interval: [number, number] } {
  const curves = results.map(({ iterations }) =>
    iterations.map(({ dice }) => dice)
  );
  const groups = byPatient(results, ({ iterations }) => {
    const first = iterations.findIndex(({ dice }) => dice >= target);
    return first < 0 ? undefined : first + 1;
  });
  return {
    ...iterationsToTarget(curves, target, { cap }),
    interval: bootstrapInterval(groups, seed),
  };
}

/**
 * Iterations to a Dice target (the paper's Fig. 4): the mean over the cases
 * that reach it with its interval, the share that fails within the cap, and
 * the paper's own figure, which counts a failure as 10 (as one more than the
 * cap where that is larger).
 *
 * @param runs Results by variant; a row per variant and target.
 * @param dices Dice to reach, 0..1.
 * @param seed Seed of the bootstrap.
 */
export function diceTargetsTable(
  runs: Runs,
  dices: readonly number[],
  seed = 0,
): Table {
  const names = Object.keys(runs);
  const cap = capOf(runs);
  const rows = names.flatMap((name) => {
    const results = runs[name];
    return dices.map((target) => {
      const found = reachTarget(results, target, seed, cap);
      return [
        ...(names.length > 1 ? [name] : []),
        target,
        found.mean,
        formatInterval(found.interval, 2),
        `${(100 * found.failureRate).toFixed(1)} %`,
        found.cases,
        found.cap,
        found.penalizedMean,
      ];
    });
  });
  return {
    columns: [
      ...(names.length > 1 ? [{ heading: "variant" }] : []),
      { heading: "Dice target" },
      { heading: "iterations of those that reach it", digits: 2 },
      { heading: "95 % interval" },
      { heading: "failed", align: "right" },
      { heading: "n" },
      { heading: "cap" },
      {
        heading: `iterations of all, a failure as ${failurePenalty(cap)}`,
        digits: 2,
      },
    ],
    rows,
  };
}

/** An amount as a percentage. */
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/**
 * The interactions that one method saves against another (the paper's claim of
 * at least 39 % beside click refinement): of every two, the iterations to a
 * Dice, a failure counted as in the paper (see `failurePenalty`), how much
 * fewer the first needs with a 95 % bootstrap interval over patients, and a
 * signed-rank test over them.
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
          }).penalizedMean;
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

/**
 * The time of an iteration: the median and the quartiles over all iterations of
 * all targets. Times depend on the machine and its threads: only evaluations on
 * the same ones compare.
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
