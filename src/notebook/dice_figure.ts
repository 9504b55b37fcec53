import {
  chartFigure,
  dashOf,
  gapped,
  lastOf,
  plain,
  seriesColor,
} from "./chart.ts";
import { counted } from "./describe.ts";
import type { Figure } from "./figure.ts";

/** One line of a {@linkcode diceFigure}. */
export interface DiceSeries {
  /** What was measured, for the legend. */
  readonly name: string;
  /** Dice at iterations 1, 2, ..., 0..1; NaN leaves a gap. */
  readonly values: readonly number[];
  /** An interval around each value, 0..1, drawn as a band; none by default. */
  readonly intervals?: readonly (readonly [low: number, high: number])[];
  /** Whether it is a part of another series: drawn thinner; false by default. */
  readonly part?: boolean;
  /** Whose colour it has, by the place in the list, from 0; its own by default. */
  readonly like?: number;
}

/** What {@linkcode diceFigure} shows. */
export interface DiceFigureOptions {
  /** At least one. */
  series: readonly DiceSeries[];
  /** One line above; "Dice by iteration" by default. */
  title?: string;
}

/**
 * Dice by iteration, a line for each series: a static chart, which notebooks that
 * know plotly show interactive.
 *
 * @throws {RangeError} When no series has a value.
 */
export function diceFigure(
  { series, title = "Dice by iteration" }: DiceFigureOptions,
): Figure {
  const longest = Math.max(0, ...series.map(({ values }) => values.length));
  if (longest === 0) {
    throw new RangeError(
      "Cannot draw Dice as series must have values: current value is []",
    );
  }
  return chartFigure({
    title,
    alt: `${title}: ${counted(longest, "iteration")}, ` +
      `the last ${lastOf(series)}`,
    names: series.map(({ name }) => name),
    data: [...series.flatMap(bandOf), ...series.map(lineOf)],
    xaxis: {
      title: "iteration",
      dtick: 1,
      range: [0.75, longest + 0.25],
    },
    yaxis: { title: "Dice", tickformat: ".2f", range: diceRange(series) },
  });
}

function lineOf({ name, values, part, like }: DiceSeries, i: number) {
  const color = seriesColor(like ?? i);
  return {
    type: "scatter",
    mode: "lines+markers",
    name: plain(name),
    x: values.map((_, k) => k + 1),
    y: gapped(values),
    line: {
      color,
      width: part ? 1.5 : 3,
      dash: dashOf(i),
    },
    marker: { size: part ? 6 : 9, symbol: i % 8, color },
  };
}

/** The interval's band: up along its high ends, back along its low ones. */
function bandOf({ intervals = [], like }: DiceSeries, i: number) {
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
    fillcolor: `${seriesColor(like ?? i)}26`, // of 255: 15 %
    hoverinfo: "skip",
    showlegend: false,
  }];
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
