import type { TargetResult } from "../evaluation/evaluate.ts";
import { diceWith, ratersOf } from "../evaluation/tables/raters.ts";
import { diceFigure, type DiceSeries } from "./dice_figure.ts";
import type { Figure } from "./figure.ts";
import { meanCurve } from "./mean_curve.ts";
import { raterName } from "./rater_line.ts";

/** At most so many raters have a line of their own. */
const MOST = 8;

/**
 * Whose mask the recommendation moves to: mean Dice by iteration with the
 * raters that the user has in mind and with the others, with 95 % intervals as
 * bands (a bootstrap over patients), and thinner a line for each rater.
 *
 * @param results Results of `evaluate`, with Dice of each rater.
 * @param include The raters whose majority was the target; without it each
 * rater was, and "own mask" is that of the user.
 * @param options.title One line above.
 * @throws {RangeError} When there are no results.
 */
export function ratersFigure(
  results: readonly TargetResult[],
  include?: readonly string[],
  { title = "Dice with each rater, by iteration" }: { title?: string } = {},
): Figure {
  const inside = (rater: string, user: string) =>
    include ? include.includes(rater) : rater === user;
  const curve = (
    name: string,
    counts: (rater: string, user: string) => boolean,
    of = results,
  ) => meanCurve(name, of, diceWith(counts));
  const [ours, others] = include
    ? ["all included", "all excluded"]
    : ["own mask", "the others' masks"];
  const raters = ratersOf(results);
  const shown = raters.length <= MOST ? raters : [];
  const parts = shown.map((name): DiceSeries => {
    const { values } = include
      ? curve(name, (rater) => rater === name)
      : curve(name, inside, results.filter(({ rater }) => rater === name));
    const like = !include || include.includes(name) ? 0 : 1;
    return { name: raterName(name), values, like, part: true };
  });
  return diceFigure({
    title,
    series: [
      curve(ours, inside),
      curve(others, (rater, user) => !inside(rater, user)),
      ...parts,
    ],
  });
}
