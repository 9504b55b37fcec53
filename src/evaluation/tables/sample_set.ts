import type { Table } from "../../table.ts";
import type { TargetResult } from "../evaluate.ts";
import type { SampleSetMetrics } from "../sample_set.ts";
import { meanCells } from "../statistics.ts";

/** What each metric is called. */
const NAMES: Readonly<Record<keyof SampleSetMetrics, string>> = {
  energyDistance: "generalised energy distance",
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
