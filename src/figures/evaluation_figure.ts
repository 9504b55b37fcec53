import type { TargetResult } from "../evaluation/evaluate.ts";
import { counted } from "./describe.ts";
import { diceFigure, type DiceSeries } from "./dice_figure.ts";
import type { Figure } from "./figure.ts";
import { meanCurve } from "./mean_curve.ts";
import { raterName, raterOrder } from "./rater_line.ts";

/** What {@linkcode evaluationFigure} shows. */
export interface EvaluationFigureOptions {
  /**
   * Whether there is a line for every rater, which defaults to true for two to
   * five raters.
   */
  raters?: boolean;
  /** One line above, which defaults to what was evaluated. */
  title?: string;
}

/**
 * Mean Dice by iteration: of the recommendation, with its 95 % interval as a
 * band (a bootstrap over patients), of the best candidate, and of the
 * recommendation for each rater.
 *
 * @param results Results of `evaluate`, at least one.
 * @throws {RangeError} When there is none.
 */
export function evaluationFigure(
  results: readonly TargetResult[],
  { raters, title }: EvaluationFigureOptions = {},
): Figure {
  if (results.length === 0) {
    throw new RangeError(
      "Cannot draw evaluation as there must be a result: current value is []",
    );
  }
  const byRater = raterSeries(results);
  const few = byRater.length >= 2 && byRater.length <= 5;
  const cases = new Set(results.map((result) => result.case)).size;
  const { intervals: _, ...best } = meanCurve(
    "best candidate",
    results,
    ({ best }) => best,
  );
  return diceFigure({
    title: title ??
      `Mean Dice by iteration, ${counted(results.length, "target")} of ${
        counted(cases, "case")
      }`,
    series: [
      meanCurve("recommendation", results),
      best,
      ...(raters ?? few ? byRater : []),
    ],
  });
}

/** Mean Dice of the recommendation by iteration, a line for every rater. */
export function raterSeries(results: readonly TargetResult[]): DiceSeries[] {
  const raters = Map.groupBy(results, ({ rater }) => rater);
  const order = raterOrder(raters.keys());
  return [...raters].map(([rater, list]) => {
    const { name, values } = meanCurve(raterName(rater), list);
    return { name, values, part: true, rater: order.indexOf(rater) };
  });
}
