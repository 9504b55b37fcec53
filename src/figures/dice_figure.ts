/** Curves of Dice: by iteration, and along a training run. */

import {
  chartFigure,
  dashOf,
  gapped,
  lastOf,
  plain,
  seriesColor,
} from "./chart.ts";
import { counted } from "./describe.ts";
import { type Figure, stackFigures } from "./figure.ts";
import { raterLine } from "./svg.ts";
import { InputError } from "../input_error.ts";
import type { TrainingReport } from "../training/tally.ts";

/** One line of a {@linkcode diceFigure}. */
export interface DiceSeries {
  /** Its name in the legend. */
  readonly name: string;
  /** Dice at iterations 1, 2, ..., 0..1; NaN leaves a gap. */
  readonly values: readonly number[];
  /** An interval around each value, 0..1, drawn as a band. Default: none. */
  readonly intervals?: readonly (readonly [low: number, high: number])[];
  /**
   * Whether it is a part of another series and drawn thinner. Default: false.
   */
  readonly part?: boolean;
  /**
   * The index in the list, from 0, of the series whose color it has. Default:
   * its own.
   */
  readonly like?: number;
  /**
   * The index of its rater, from 0: color and dashes are the rater's in other
   * figures. Default: no rater.
   */
  readonly rater?: number;
}

/** What {@linkcode diceFigure} shows. */
export interface DiceFigureOptions {
  /** At least one. */
  series: readonly DiceSeries[];
  /** One line above. Default: "Dice by iteration". */
  title?: string;
  /** The name of the bands in the legend. Default: "95 % interval". */
  band?: string;
}

/**
 * Dice by iteration, a line for each series: a static chart, which notebooks that
 * know plotly show interactive.
 *
 * @throws {RangeError} When no series has a value.
 */
export function diceFigure(
  { series, title = "Dice by iteration", band = "95 % interval" }:
    DiceFigureOptions,
): Figure {
  const longest = Math.max(0, ...series.map(({ values }) => values.length));
  if (longest === 0) {
    throw new InputError(
      "Cannot draw Dice as series must have values: current value is []",
    );
  }
  const bands = series.flatMap(bandOf);
  const key = bands.slice(0, 1).map(({ fillcolor }) => keyOf(band, fillcolor));
  return chartFigure({
    title,
    alt: `${title}: ${counted(longest, "iteration")}, ` +
      `the last ${lastOf(series)}`,
    names: [...series, ...key].map(({ name }) => name),
    data: [...bands, ...series.map(lineOf), ...key],
    xaxis: {
      title: "iteration",
      dtick: 1,
      range: [0.75, longest + 0.25],
    },
    yaxis: { title: "Dice", tickformat: ".2f", range: diceRange(series) },
  });
}

/** A line's color, and its dashes as plotly has them. */
function styleOf({ like, rater, part }: DiceSeries, i: number) {
  const width = part ? 1.5 : 3;
  if (rater === undefined) {
    return { color: seriesColor(like ?? i), width, dash: dashOf(i) };
  }
  const { color, dash } = raterLine(rater);
  const lengths = dash.map((part) => `${part * width}px`).join();
  return { color, width, dash: lengths || "solid" };
}

function lineOf(series: DiceSeries, i: number) {
  const { name, values, part } = series;
  const line = styleOf(series, i);
  return {
    type: "scatter",
    mode: "lines+markers",
    name: plain(name),
    x: values.map((_, k) => k + 1),
    y: gapped(values),
    line,
    marker: { size: part ? 6 : 9, symbol: i % 8, color: line.color },
  };
}

/** The interval's band: up along its high ends, back along its low ones. */
function bandOf(series: DiceSeries, i: number) {
  const { intervals = [] } = series;
  const known = [...intervals.entries()].filter(([, ends]) =>
    ends.every(Number.isFinite)
  );
  if (known.length < 2) return [];
  const there = known.map(([k, [, high]]) => [k + 1, high]);
  const back = known.map(([k, [low]]) => [k + 1, low]).reverse();
  const outline = [...there, ...back];
  return [{
    type: "scatter",
    mode: "lines",
    x: outline.map(([x]) => x),
    y: outline.map(([, y]) => y),
    line: { width: 0 },
    fill: "toself",
    fillcolor: `${styleOf(series, i).color}26`, // of 255: 15 %
    hoverinfo: "skip",
    showlegend: false,
  }];
}

/** The bands' place in the legend: a trace without points. */
function keyOf(name: string, color: string) {
  return {
    type: "scatter",
    mode: "lines",
    name: plain(name),
    x: [null],
    y: [null],
    line: { width: 0 },
    fill: "toself",
    fillcolor: color,
    hoverinfo: "skip",
  };
}

/** Around the values, but never so narrow that chance looks like progress. */
function diceRange(series: readonly DiceSeries[]): [number, number] {
  const values = series.flatMap(({ values, intervals = [] }) => [
    ...values,
    ...intervals.flat(),
  ]).filter(Number.isFinite);
  const [low, high] = [Math.min(1, ...values), Math.max(0, ...values)];
  const margin = Math.max(0.1 * (high - low), (0.06 - (high - low)) / 2, 0.006);
  return [low - margin, high + margin];
}

/** A line over the steps of training. */
interface Curve {
  readonly name: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/**
 * Learning curves: Dice of the recommendation, and the loss below it, by step of
 * training, as the simulated users of the training cases saw them. Of one run a
 * line for every iteration of the users; of several, each run's last iteration.
 *
 * @param runs Reports of `train`, or of its logs, by the run's name.
 * @throws {RangeError} When there is no report.
 *
 * @example From training to its curve
 * ```ts ignore
 * const reports: TrainingReport[] = [];
 * await train(config, cases, recipe, { onReport: (r) => reports.push(r) });
 * await show(learningFigure({ tiny: reports }));
 * ```
 */
export function learningFigure(
  runs: Readonly<Record<string, readonly TrainingReport[]>>,
): Figure {
  const all = Object.entries(runs).filter(([, reports]) => reports.length > 0);
  if (all.length === 0) {
    throw new InputError(
      "Cannot draw learning curves as there must be a report: current value is none",
    );
  }
  const curve = (
    name: string,
    reports: readonly TrainingReport[],
    value: (report: TrainingReport) => number,
  ): Curve => ({
    name,
    steps: reports.map(({ step }) => step),
    values: reports.map(value),
  });
  const diceAt = (i: number) => ({ iterations }: TrainingReport) =>
    iterations.at(i)?.dice ?? NaN;
  const lossOf = ({ loss }: TrainingReport) => loss;
  if (all.length > 1) {
    return learningFigures(
      ["Training", "at the users' last iteration"],
      all.map(([name, reports]) => curve(name, reports, diceAt(-1))),
      all.map(([name, reports]) => curve(name, reports, lossOf)),
    );
  }
  const [[name, reports]] = all;
  const count = Math.max(...reports.map((report) => report.iterations.length));
  return learningFigures(
    [`Training of ${name}`, "by the users' iteration"],
    Array.from(
      { length: count },
      (_, i) => curve(`iteration ${i + 1}`, reports, diceAt(i)),
    ),
    [curve("loss", reports, lossOf)],
  );
}

/** Dice above, the loss below. */
function learningFigures(
  [title, of]: readonly [string, string],
  dice: readonly Curve[],
  loss: readonly Curve[],
): Figure {
  return stackFigures([
    curvesFigure(`${title}: Dice ${of}`, "Dice", ".2f", dice),
    curvesFigure(`${title}: loss`, "loss", "", loss),
  ]);
}

function curvesFigure(
  title: string,
  yTitle: string,
  tickformat: string,
  curves: readonly Curve[],
): Figure {
  return chartFigure({
    title,
    alt: `${title}: ${counted(curves.length, "line")} by step of training, ` +
      `the last ${lastOf(curves)}`,
    names: curves.map(({ name }) => name),
    data: curves.map(({ name, steps, values }, i) => ({
      type: "scatter",
      mode: steps.length === 1 ? "markers" : "lines",
      name: plain(name),
      x: steps,
      y: gapped(values),
      line: {
        color: seriesColor(i),
        width: 2,
        dash: dashOf(i),
      },
      marker: { color: seriesColor(i), size: 8 },
    })),
    xaxis: { title: "step" },
    yaxis: { title: yTitle, ...(tickformat && { tickformat }) },
  });
}
