import type { TargetResult } from "../evaluation/evaluate.ts";
import { diceFigure } from "./dice_figure.ts";
import type { Figure } from "./figure.ts";
import { meanCurve } from "./mean_curve.ts";

/**
 * Mean Dice by iteration of several variants or methods; of two, with 95 %
 * intervals as bands (a bootstrap over patients). Of more the bands would hide
 * each other: `differencesFigure` shows those.
 *
 * @param runs Results of `evaluate` by name, at least one of each.
 * @param options.title One line above.
 * @throws {RangeError} When no run has results.
 */
export function variantsFigure(
  runs: Readonly<Record<string, readonly TargetResult[]>>,
  { title = "Mean Dice by iteration" }: { title?: string } = {},
): Figure {
  const curves = Object.entries(runs).map(([name, results]) =>
    meanCurve(name, results)
  );
  return diceFigure({
    title,
    series: curves.length <= 2
      ? curves
      : curves.map(({ name, values }) => ({ name, values })),
  });
}
