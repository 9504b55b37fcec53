import type { TargetResult } from "../evaluation/evaluate.ts";
import { inOther, pairedDifference } from "../evaluation/paired.ts";
import { barsFigure } from "./bars_figure.ts";
import type { Figure } from "./figure.ts";

/**
 * By how much several variants or methods differ in Dice from the first of
 * them, on the same targets, iteration by iteration: bars with 95 % intervals (a
 * bootstrap over patients), starred where Wilcoxon's signed-rank test over
 * patients gives p < .05.
 *
 * @param runs Results of `evaluate` by name, of two at least, each of at least
 * one target; targets that only one of two has are left out.
 * @param options.title One line above.
 * @throws {RangeError} When there are fewer, or one has no results.
 */
export function differencesFigure(
  runs: Readonly<Record<string, readonly TargetResult[]>>,
  { title }: { title?: string } = {},
): Figure {
  const [first, ...others] = Object.keys(runs);
  const count = Math.min(
    ...Object.values(runs).map(([result]) => result?.iterations.length ?? 0),
  );
  if (others.length === 0 || count === 0) {
    throw new RangeError(
      `Cannot draw differences as there must be two runs with results: current value is ${
        JSON.stringify(Object.keys(runs))
      }`,
    );
  }
  const series = others.map((name, i) => {
    const found = Array.from({ length: count }, (_, k) => {
      const dice = ({ iterations }: TargetResult) => iterations[k]?.dice;
      return pairedDifference(runs[first], dice, inOther(runs[name], dice));
    });
    return {
      name,
      values: found.map(({ difference }) => 100 * difference),
      intervals: found.map(({ interval: [low, high] }) =>
        [100 * low, 100 * high] as const
      ),
      labels: found.map(({ p }) => p < 0.05 ? "*" : ""),
      color: i + 1, // as in variantsFigure()
    };
  });
  return barsFigure({
    title: title ?? `Dice compared with "${first}"; * p < .05`,
    groups: Array.from({ length: count }, (_, k) => `${k + 1}`),
    series,
    x: "iteration",
    y: "difference, percentage points",
    tickFormat: "+.1f",
  });
}
