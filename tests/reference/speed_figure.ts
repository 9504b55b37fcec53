/** The figure of speed.ts: what an iteration costs, by samples and by input side. */
import { Figure } from "../../src/figures/figure.ts";
import { drawPlotly, type PlotlySpec } from "../../src/figures/chart.ts";
import {
  COLOR,
  FONT_FAMILY,
  SERIES,
  SIZE,
  WIDTH,
} from "../../src/figures/svg.ts";

/** One line: milliseconds by samples N, or by input side. */
export interface CostLine {
  /** What was measured; lines of one name share an entry in the legend. */
  readonly name: string;
  /** N, or the side in pixels. */
  readonly x: readonly number[];
  /** Medians in ms. */
  readonly y: readonly number[];
}

const HEIGHT = 460;

/**
 * Two panels with logarithmic axes, on which equal factors are equally far
 * apart: cost against N at one side, and against the side at one N.
 */
export function speedFigure(
  { bySamples, bySide, title, captions }: {
    bySamples: readonly CostLine[];
    bySide: readonly CostLine[];
    title: string;
    captions: readonly [samples: string, side: string];
  },
): Figure {
  const names = [...new Set([...bySide, ...bySamples].map((l) => l.name))];
  const lines = [
    ...bySide.map((line) => trace(line, names, "2")),
    ...bySamples.map((line) => trace(line, names, "")),
  ];
  const values = [...bySamples, ...bySide].flatMap(({ y }) => y);
  const y = logAxis([0.8 * Math.min(...values), 1.25 * Math.max(...values)]);
  const x = (lines: readonly CostLine[], text: string) => ({
    ...AXIS,
    type: "log",
    title: { text, font: { size: SIZE.heading, color: COLOR.muted } },
    tickvals: [...new Set(lines.flatMap((line) => line.x))],
    showgrid: false,
  });
  const layout = {
    title: {
      text: `<b>${title}</b>`,
      font: { size: SIZE.title, color: COLOR.ink },
      x: 20 / WIDTH,
      xanchor: "left",
      y: 1 - 30 / HEIGHT,
    },
    font: { family: FONT_FAMILY, size: SIZE.label, color: COLOR.ink },
    paper_bgcolor: COLOR.paper,
    plot_bgcolor: COLOR.paper,
    margin: { l: 72, r: 24, t: 92, b: 58 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    xaxis: { ...x(bySamples, captions[0]), domain: [0, 0.46] },
    xaxis2: { ...x(bySide, captions[1]), domain: [0.54, 1], anchor: "y2" },
    yaxis: y,
    yaxis2: { ...y, anchor: "x2" },
  };
  const spec: PlotlySpec = { data: lines, layout };
  return new Figure({
    width: WIDTH,
    height: HEIGHT,
    alt: `${title}: ${
      bySide.map((l) => `${l.name} ${l.y.map(Math.round).join(", ")} ms`)
        .join("; ")
    } at ${bySide[0].x.join(", ")} px`,
    draw: () => drawPlotly(spec, { width: WIDTH, height: HEIGHT }),
  });
}

const AXIS = {
  gridcolor: COLOR.rule,
  linecolor: COLOR.muted,
  tickfont: { size: SIZE.small, color: COLOR.muted },
  zeroline: false,
  automargin: false,
};

/** An axis with ticks at 1, 2 and 5 times the powers of ten. */
function logAxis(range: readonly [number, number]) {
  const ticks = [0, 1, 2, 3, 4, 5].flatMap((power) =>
    [1, 2, 5].map((digit) => digit * 10 ** power)
  );
  return {
    ...AXIS,
    type: "log",
    range: range.map(Math.log10),
    tickvals: ticks,
    ticktext: ticks.map((value) => value.toLocaleString("en")),
  };
}

function trace({ name, x, y }: CostLine, names: string[], axis: string) {
  const i = names.indexOf(name);
  const color = SERIES[i % SERIES.length];
  return {
    type: "scatter",
    mode: "lines+markers",
    name,
    legendgroup: name,
    showlegend: axis === "2",
    x,
    y,
    xaxis: `x${axis}`,
    yaxis: `y${axis}`,
    line: { color, width: 3, dash: ["solid", "dash", "dot"][i % 3] },
    marker: { size: 9, symbol: i % 8, color },
  };
}
