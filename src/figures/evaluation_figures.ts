import type { IterationResult, TargetResult } from "../evaluation/evaluate.ts";
import {
  bootstrapInterval,
  byPatient,
  inOther,
  mean,
  pairedDifference,
} from "../evaluation/statistics.ts";
import { diceWith, ratersOf, reachTarget } from "../evaluation/tables.ts";
import { componentMeans } from "../evaluation/sample_tables.ts";
import { counted } from "./describe.ts";
import { diceFigure, type DiceSeries } from "./dice_figure.ts";
import type { Figure } from "./figure.ts";
import { COLOR, raterName, raterOrder, SIZE } from "./svg.ts";
import { InputError } from "../input_error.ts";
import { chartFigure, gapped, plain, seriesColor } from "./chart.ts";

/** What {@linkcode evaluationFigure} shows. */
export interface EvaluationFigureOptions {
  /**
   * Whether there is a line for every rater. Default: true for two to
   * five raters.
   */
  raters?: boolean;
  /** One line above. Default: what was evaluated. */
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
    throw new InputError(
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

/**
 * Mean Dice by iteration of several variants or methods. Two of them have 95 %
 * intervals as bands (a bootstrap over patients). The bands of more would hide
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
    throw new InputError(
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

/**
 * How many iterations it takes to reach a Dice: mean over the targets that
 * reach it, with 95 % intervals (a bootstrap over patients), and above each bar
 * the share that does not within the iterations that were run.
 *
 * @param runs Results of `evaluate` by name, at least one of each.
 * @param dices Dice to reach, 0..1.
 * @param options.title One line above.
 * @throws {RangeError} When a run has no results, or a Dice is not in 0..1.
 */
export function targetsFigure(
  runs: Readonly<Record<string, readonly TargetResult[]>>,
  dices: readonly number[],
  { title = "Iterations to a Dice; above each bar, the share that fails" }: {
    title?: string;
  } = {},
): Figure {
  return barsFigure({
    title,
    groups: dices.map(String),
    series: Object.entries(runs).map(([name, results]) => {
      const found = dices.map((dice) => reachTarget(results, dice));
      return {
        name,
        values: found.map(({ mean }) => mean),
        intervals: found.map(({ interval }) => interval),
        labels: found.map(({ failureRate }) =>
          `${(100 * failureRate).toFixed(failureRate < 0.1 ? 1 : 0)} %`
        ),
      };
    }),
    x: "Dice to reach",
    y: "iterations of those that reach it",
    tickFormat: ".1f",
  });
}

/** At most so many raters have a line of their own. */
const MOST = 8;

/**
 * The raters that the recommendation moves to: mean Dice by iteration with the
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

/**
 * What each component of the mixture means: the mean Dice of its samples with each
 * rater's mask at the first proposal.
 *
 * @param results Results of `evaluate` with `sampleSet`.
 * @throws {RangeError} When there are none.
 */
export function componentsFigure(results: readonly TargetResult[]): Figure {
  const found = componentMeans(results);
  return barsFigure({
    title: "Dice of each component's first samples with each rater",
    groups: (found[0]?.means ?? []).map((_, m) => `${m + 1}`),
    series: found.map(({ rater, means }) => ({
      name: raterName(rater),
      values: means,
    })),
    x: "component",
    y: "Dice",
    tickFormat: ".1f",
  });
}

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
 * @param value The averaged figure. Default: Dice of the recommendation.
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

/** The bars of one kind, one for each group. */
interface BarSeries {
  /** Their name in the legend. */
  readonly name: string;
  /** Lengths; NaN leaves a bar out. */
  readonly values: readonly number[];
  /** The ends of each bar's whisker; by default none has one. */
  readonly intervals?: readonly (readonly [low: number, high: number])[];
  /** A word above each bar; by default none has one. */
  readonly labels?: readonly string[];
  /** Place in the palette. Default: that in the list. */
  readonly color?: number;
}

/** What {@linkcode barsFigure} shows. */
interface BarsFigureOptions {
  /** One line above. */
  title: string;
  /** Names of the groups, from left to right. */
  groups: readonly string[];
  /** At least one, from left to right in each group. */
  series: readonly BarSeries[];
  /** The name of the axis of groups. */
  x: string;
  /** The name of the axis of lengths. */
  y: string;
  /** Plotly's format of the lengths' ticks: ".2f". */
  tickFormat: string;
}

/** Share of a group's width that its bars take together, and the gaps of one's. */
const WIDTHS = { group: 0.76, bar: 0.88, most: 0.3 };

/** The patterns of bars: they differ by more than color. */
const PATTERNS = ["", "/", ".", "\\", "x", "-"];

/**
 * Bars in groups, from 0, perhaps with whiskers and a word above each.
 *
 * @throws {RangeError} When there is nothing to draw.
 */
export function barsFigure(
  { title, groups, series, x, y, tickFormat }: BarsFigureOptions,
): Figure {
  if (groups.length === 0 || series.length === 0) {
    throw new InputError(
      `Cannot draw bars as there must be groups and series: current value is ${groups.length} groups of ${series.length} series`,
    );
  }
  const slot = Math.min(WIDTHS.group / series.length, WIDTHS.most);
  const place = (group: number, s: number) =>
    group + (s - (series.length - 1) / 2) * slot;
  const data = series.map(({ name, values, intervals, color }, s) => ({
    type: "bar",
    name: plain(name),
    showlegend: series.length > 1,
    x: values.map((_, group) => place(group, s)),
    y: gapped(values),
    width: slot * WIDTHS.bar,
    marker: {
      color: seriesColor(color ?? s),
      pattern: {
        shape: PATTERNS[(color ?? s) % PATTERNS.length],
        fillmode: "overlay",
        fgcolor: COLOR.paper,
        solidity: 0.25,
        size: 9,
      },
    },
    ...(intervals && {
      error_y: {
        type: "data",
        symmetric: false,
        array: intervals.map(([, high], i) => lengthOf(high - values[i])),
        arrayminus: intervals.map(([low], i) => lengthOf(values[i] - low)),
        color: COLOR.ink,
        thickness: 1.5,
        width: 5,
      },
    }),
  }));
  const words = series.map(({ values, intervals, labels = [] }, s) => ({
    type: "scatter",
    mode: "text",
    x: labels.map((_, group) => place(group, s)),
    y: labels.map((_, group) =>
      Math.max(
        0,
        ...[values[group], intervals?.[group][1] ?? NaN]
          .filter(Number.isFinite),
      )
    ),
    text: labels.map(plain),
    textposition: "top center",
    textfont: { size: SIZE.small, color: COLOR.ink },
    hoverinfo: "skip",
    showlegend: false,
  }));
  const found = series.map(({ name, values, labels }) =>
    `${name} ${
      groups.map((group, i) =>
        `${group}: ${
          Number.isFinite(values[i]) ? Number(values[i].toPrecision(3)) : "none"
        }${labels ? ` (${labels[i]})` : ""}`
      ).join(", ")
    }`
  );
  return chartFigure({
    title,
    alt: `${title}: ${found.join("; ")}`,
    names: series.map(({ name }) => name),
    data: [...data, ...words],
    xaxis: {
      title: x,
      tickvals: groups.map((_, i) => i),
      ticktext: groups.map(plain),
      range: [-0.5, groups.length - 0.5],
    },
    yaxis: {
      title: y,
      tickformat: tickFormat,
      range: rangeOf(series),
      zeroline: true,
      zerolinecolor: COLOR.muted,
      zerolinewidth: 1.5,
    },
  });
}

/** A whisker's length: none where the interval is not known. */
function lengthOf(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}

/** From 0, or what lies below, to the longest, with room for the words. */
function rangeOf(series: readonly BarSeries[]): [number, number] {
  const ends = series.flatMap(({ values, intervals = [] }) => [
    ...values,
    ...intervals.flat(),
  ]).filter(Number.isFinite);
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends);
  const size = high - low || 1;
  return [low < 0 ? low - 0.06 * size : 0, high + 0.14 * size];
}
