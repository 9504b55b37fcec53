import { Figure } from "./figure.ts";
import { drawPlotly, type PlotlySpec } from "./plotly.ts";
import { COLOR, FONT_FAMILY, SERIES, SIZE, WIDTH } from "./theme.ts";

/** One line of a {@linkcode diceFigure}. */
export interface DiceSeries {
  /** What was measured, for the legend. */
  readonly name: string;
  /** Dice at iteration 1, 2, ..., 0..1; NaN leaves a gap. */
  readonly values: readonly number[];
  /** Whether it is a part of another series: drawn thinner; false by default. */
  readonly part?: boolean;
}

/** What {@linkcode diceFigure} shows. */
export interface DiceFigureOptions {
  /** At least one. */
  series: readonly DiceSeries[];
  /** One line above; "Dice by iteration" by default. */
  title?: string;
}

const HEIGHT = 440;
const MARGINS = { left: 72, right: 24 };
const LEGEND_ROW = 20;

/**
 * Dice by iteration, a line for each series: a static chart, which notebooks
 * that know plotly show interactive.
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
  const extra = LEGEND_ROW * (legendRows(series) - 1);
  const height = HEIGHT + extra;
  const spec = diceSpec(series, title, longest, extra);
  const last = series.map(({ name, values }) =>
    `${name} ${values.findLast(Number.isFinite)?.toFixed(3) ?? "none"}`
  );
  return new Figure({
    width: WIDTH,
    height,
    alt: `${title}: ${longest} iterations, at the last ${last.join(", ")}`,
    draw: () => drawPlotly(spec, { width: WIDTH, height }),
    extra: { "application/vnd.plotly.v1+json": spec },
  });
}

function diceSpec(
  series: readonly DiceSeries[],
  title: string,
  longest: number,
  extra: number,
): PlotlySpec {
  const axis = {
    gridcolor: COLOR.rule,
    linecolor: COLOR.muted,
    tickfont: { size: SIZE.small, color: COLOR.muted },
    zeroline: false,
    automargin: false,
  };
  const titled = (text: string) => ({
    text,
    font: { size: SIZE.heading, color: COLOR.muted },
  });
  const data = series.map(({ name, values, part }, i) => ({
    type: "scatter",
    mode: "lines+markers",
    name: plain(name),
    x: values.map((_, k) => k + 1),
    y: values.map((value) => Number.isFinite(value) ? value : null),
    line: {
      color: SERIES[i % SERIES.length],
      width: part ? 1.5 : 3,
      dash: ["solid", "dash", "dot", "dashdot"][i % 4],
    },
    marker: {
      size: part ? 6 : 9,
      symbol: i % 8,
      color: SERIES[i % SERIES.length],
    },
  }));
  const layout = {
    title: {
      text: `<b>${plain(title)}</b>`,
      font: { size: SIZE.title, color: COLOR.ink },
      x: 20 / WIDTH,
      xanchor: "left",
      y: 1 - 30 / (HEIGHT + extra),
    },
    font: { family: FONT_FAMILY, size: SIZE.label, color: COLOR.ink },
    paper_bgcolor: COLOR.paper,
    plot_bgcolor: COLOR.paper,
    margin: { l: MARGINS.left, r: MARGINS.right, t: 92 + extra, b: 58 },
    showlegend: true,
    legend: {
      orientation: "h",
      x: 0,
      xanchor: "left",
      y: 1.02,
      yanchor: "bottom",
    },
    xaxis: {
      ...axis,
      title: titled("iteration"),
      dtick: 1,
      range: [0.75, longest + 0.25],
      showgrid: false,
    },
    yaxis: {
      ...axis,
      title: titled("Dice"),
      tickformat: ".2f",
      range: diceRange(series),
    },
  };
  return { data, layout };
}

/** Rows of the legend: plotly gives every entry the width of the longest. */
function legendRows(series: readonly DiceSeries[]): number {
  const longest = Math.max(...series.map(({ name }) => name.length));
  const entry = 46 + 0.62 * SIZE.label * longest; // more than the font takes
  const columns = (WIDTH - MARGINS.left - MARGINS.right) / entry;
  return Math.ceil(series.length / Math.max(1, Math.floor(columns)));
}

/** Around the values, but never so narrow that chance looks like progress. */
function diceRange(series: readonly DiceSeries[]): [number, number] {
  const values = series.flatMap(({ values }) => values).filter(Number.isFinite);
  const [low, high] = [Math.min(1, ...values), Math.max(0, ...values)];
  const margin = Math.max(0.1 * (high - low), (0.06 - (high - low)) / 2, 0.006);
  return [low - margin, high + margin];
}

/** Text that plotly, which knows some HTML, shows as it is. */
function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
