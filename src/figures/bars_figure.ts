import { chartFigure, gapped, plain, seriesColor } from "./chart.ts";
import type { Figure } from "./figure.ts";
import { COLOR, SIZE } from "./theme.ts";
import { InputError } from "../input_error.ts";

/** The bars of one kind, one for each group. */
export interface BarSeries {
  /** What was measured, for the legend. */
  readonly name: string;
  /** Lengths; NaN leaves a bar out. */
  readonly values: readonly number[];
  /** The ends of each bar's whisker. */
  readonly intervals: readonly (readonly [low: number, high: number])[];
  /** A word above each bar. */
  readonly labels: readonly string[];
  /** Place in the palette. Default: that in the list. */
  readonly color?: number;
}

/** What {@linkcode barsFigure} shows. */
export interface BarsFigureOptions {
  /** One line above. */
  title: string;
  /** Names of the groups, from left to right. */
  groups: readonly string[];
  /** At least one, from left to right in each group. */
  series: readonly BarSeries[];
  /** What the groups are. */
  x: string;
  /** What the lengths are. */
  y: string;
  /** Plotly's format of the lengths' ticks: ".2f". */
  tickFormat: string;
}

/** Share of a group's width that its bars take together, and the gaps of one's. */
const WIDTHS = { group: 0.76, bar: 0.88, most: 0.3 };

/** Of bars that differ, not by color alone. */
const PATTERNS = ["", "/", ".", "\\", "x", "-"];

/**
 * Bars in groups, from 0, with whiskers and a word above each.
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
    error_y: {
      type: "data",
      symmetric: false,
      array: intervals.map(([, high], i) => lengthOf(high - values[i])),
      arrayminus: intervals.map(([low], i) => lengthOf(values[i] - low)),
      color: COLOR.ink,
      thickness: 1.5,
      width: 5,
    },
  }));
  const words = series.map(({ values, intervals, labels }, s) => ({
    type: "scatter",
    mode: "text",
    x: labels.map((_, group) => place(group, s)),
    y: labels.map((_, group) =>
      Math.max(
        0,
        ...[values[group], intervals[group][1]].filter(Number.isFinite),
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
        } (${labels[i]})`
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
  const ends = series.flatMap(({ values, intervals }) => [
    ...values,
    ...intervals.flat(),
  ]).filter(Number.isFinite);
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends);
  const size = high - low || 1;
  return [low < 0 ? low - 0.06 * size : 0, high + 0.14 * size];
}
