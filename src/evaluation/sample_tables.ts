/** The tables of the first samples: how they cover the raters' masks. */

import type { Table } from "../table.ts";
import type { TargetResult } from "./evaluate.ts";
import type { SampleSetMetrics } from "./sample_set.ts";
import { mean, meanCells } from "./statistics.ts";

/** The name of each metric. */
const NAMES: Readonly<Record<keyof SampleSetMetrics, string>> = {
  energyDistance: "generalized energy distance",
  diceMaxOfAnnotations: "Dice_max of annotations",
  diceMaxOfSamples: "Dice_max of samples",
  matchedDice: "Hungarian-matched Dice",
  diceSoft: "Dice_soft",
  spread: "sample spread",
  calibrationError: "expected calibration error",
};

/** Metrics of the first proposal's samples against all raters: means over targets. */
export function sampleSetTable(
  results: readonly TargetResult[],
  seed = 0,
): Table {
  const keys = Object.keys(NAMES) as (keyof SampleSetMetrics)[];
  return {
    columns: [
      { heading: "samples at iteration 1" },
      { heading: "mean", digits: 4 },
      { heading: "95 % interval" },
      { heading: "targets" },
    ],
    rows: keys.map((key) => [
      NAMES[key],
      ...meanCells(results, ({ sampleSet }) => sampleSet?.[key], seed, 4),
    ]),
  };
}

/**
 * What each component of the mixture means: the mean Dice of its samples with each
 * rater's mask at the first proposal, each rater in turn being the user.
 */
export function componentsTable(results: readonly TargetResult[]): Table {
  const found = componentMeans(results);
  return {
    columns: [
      { heading: "component" },
      ...found.map(({ rater }) => ({ heading: rater, digits: 3 })),
      { heading: "targets with samples of it" },
    ],
    rows: (found[0]?.means ?? []).map((_, m) => [
      m + 1,
      ...found.map(({ means }) => means[m]),
      results.filter(({ components = {} }) =>
        Object.values(components).some((list) => list[m] !== null)
      ).length,
    ]),
  };
}

/** The columns of {@linkcode componentsTable}: NaN where nothing was sampled. */
export function componentMeans(
  results: readonly TargetResult[],
): { rater: string; means: number[] }[] {
  const lists = results.flatMap(({ components }) =>
    components ? [components] : []
  );
  const raters = [...new Set(lists.flatMap((list) => Object.keys(list)))];
  return raters.map((rater) => {
    const own = lists.flatMap((list) => list[rater] ? [list[rater]] : []);
    return {
      rater,
      means: Array.from(own[0], (_, m) => {
        const values = own.map((list) => list[m]);
        return mean(values.filter((value) => value !== null));
      }),
    };
  });
}
