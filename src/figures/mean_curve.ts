import type { IterationResult, TargetResult } from "../evaluation/evaluate.ts";
import {
  bootstrapInterval,
  byPatient,
  mean,
} from "../evaluation/statistics.ts";
import type { DiceSeries } from "./dice_figure.ts";

/** A value of an iteration; undefined leaves it out of the mean. */
export type IterationValue = (
  iteration: IterationResult,
  result: TargetResult,
) => number | undefined;

/**
 * Means by iteration over the results that have it, with 95 % intervals: a
 * bootstrap over patients.
 *
 * @param name For the legend.
 * @param value What is averaged, which defaults to Dice of the recommendation.
 */
export function meanCurve(
  name: string,
  results: readonly TargetResult[],
  value: IterationValue = ({ dice }) => dice,
): DiceSeries & Required<Pick<DiceSeries, "intervals">> {
  const longest = Math.max(
    ...results.map(({ iterations }) => iterations.length),
  );
  const groups = Array.from({ length: longest }, (_, i) =>
    byPatient(
      results,
      (result) => result.iterations[i] && value(result.iterations[i], result),
    ));
  return {
    name,
    values: groups.map((group) => mean(group.flat())),
    intervals: groups.map((group) => bootstrapInterval(group, 0)),
  };
}
