import { Figure } from "./figure.ts";
import { drawPlotly, type PlotlySpec } from "./plotly.ts";
import { COLOR, FONT_FAMILY, SERIES, SIZE, WIDTH } from "./theme.ts";

/** A chart in the figures' visual language. */
export interface ChartOptions {
  /** One line above. */
  readonly title: string;
  /** What the figure shows, for those who cannot see it. */
  readonly alt: string;
  /** The names in the legend, in order. */
  readonly names: readonly string[];
  /** Plotly's traces. */
  readonly data: readonly Record<string, unknown>[];
  /** What plotly's axes have besides the common looks; `title` is plain text. */
  readonly xaxis: Readonly<Record<string, unknown>> & { title: string };
  readonly yaxis: Readonly<Record<string, unknown>> & { title: string };
}

const HEIGHT = 440;
const MARGINS = { left: 72, right: 24 };
const LEGEND_ROW = 20;

/** A static chart, which notebooks that know plotly show interactive. */
export function chartFigure(
  { title, alt, names, data, xaxis, yaxis }: ChartOptions,
): Figure {
  const extra = LEGEND_ROW * (legendRows(names) - 1);
  const height = HEIGHT + extra;
  const axis = {
    gridcolor: COLOR.rule,
    linecolor: COLOR.muted,
    tickfont: { size: SIZE.small, color: COLOR.muted },
    zeroline: false,
    automargin: false,
  };
  const titled = (text: string) => ({
    text: plain(text),
    font: { size: SIZE.heading, color: COLOR.muted },
  });
  const layout = {
    title: {
      text: `<b>${plain(title)}</b>`,
      font: { size: SIZE.title, color: COLOR.ink },
      x: 20 / WIDTH,
      xanchor: "left",
      y: 1 - 30 / height,
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
    xaxis: { ...axis, showgrid: false, ...xaxis, title: titled(xaxis.title) },
    yaxis: { ...axis, ...yaxis, title: titled(yaxis.title) },
  };
  const spec: PlotlySpec = { data, layout };
  return new Figure({
    width: WIDTH,
    height,
    alt,
    draw: () => drawPlotly(spec, { width: WIDTH, height }),
    extra: { "application/vnd.plotly.v1+json": spec },
  });
}

/** Rows of the legend: plotly gives every entry the width of the longest. */
function legendRows(names: readonly string[]): number {
  const longest = Math.max(...names.map((name) => name.length));
  const entry = 46 + 0.62 * SIZE.label * longest; // more than the font takes
  const columns = (WIDTH - MARGINS.left - MARGINS.right) / entry;
  return Math.ceil(names.length / Math.max(1, Math.floor(columns)));
}

/** The colour of a series. */
export function seriesColor(i: number): string {
  return SERIES[i % SERIES.length];
}

/** Text that plotly, which knows some HTML, shows as it is. */
export function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Values as plotly takes them: what is not known is a gap. */
export function gapped(values: readonly number[]): (number | null)[] {
  return values.map((value) => Number.isFinite(value) ? value : null);
}

/** How the line of a series is drawn: not told apart by colour alone. */
export function dashOf(i: number): string {
  return ["solid", "dash", "dot", "dashdot"][i % 4];
}

/** The last known value of each series, in words. */
export function lastOf(
  series: readonly { name: string; values: readonly number[] }[],
): string {
  return series.map(({ name, values }) =>
    `${name} ${values.findLast(Number.isFinite)?.toFixed(3) ?? "none"}`
  ).join(", ");
}
