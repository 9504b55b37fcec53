import { csvText } from "../../csv.ts";
import type { TargetResult } from "../../evaluation/evaluate.ts";
import type { Runs } from "../../evaluation/saved_evaluation.ts";

/**
 * Results as CSV: a row per variant, target and iteration, with IoU and HD95 of
 * the recommendation (each unit has a column of its own, so that nobody averages
 * over both), the Dice with each rater and the metrics of the first proposal's
 * samples where known.
 */
export function resultsCSV(runs: Runs): string {
  const all = Object.values(runs).flat();
  const raters = namesIn(all, ({ iterations: [first] }) => first?.raters);
  const metrics = namesIn(all, ({ sampleSet }) => sampleSet);
  const rows = Object.entries(runs).flatMap(([variant, targets]) =>
    targets.flatMap((target) =>
      target.iterations.map((iteration, i) => {
        const { dice, iou, hd95, best, spread, milliseconds } = iteration;
        const [mm, px] = target.spacing ? [hd95, undefined] : [undefined, hd95];
        const samples: Readonly<Record<string, number>> =
          i === 0 && target.sampleSet ? { ...target.sampleSet } : {};
        return [
          ...[variant, target.case, target.patient, target.rater, i + 1],
          ...[dice, best, spread].map((value) => value.toFixed(6)),
          milliseconds.toFixed(2),
          ...[iou, mm, px].map((value) => value?.toFixed(6) ?? ""),
          ...raters.map((name) => iteration.raters?.[name]?.toFixed(6) ?? ""),
          ...metrics.map((name) => samples[name]?.toFixed(6) ?? ""),
        ];
      })
    )
  );
  const headings = [
    ..."variant,case,patient,rater,iteration,dice,best,spread,ms".split(","),
    ...["iou", "hd95_mm", "hd95_px"],
    ...raters.map((name) => `dice_${name}`),
    ...metrics.map((name) => `samples_${name}`),
  ];
  return csvText([headings, ...rows]);
}

/** The names that any of the results has, in order of appearance. */
function namesIn(
  results: readonly TargetResult[],
  values: (result: TargetResult) => object | undefined,
): string[] {
  return [
    ...new Set(results.flatMap((result) => Object.keys(values(result) ?? {}))),
  ];
}
