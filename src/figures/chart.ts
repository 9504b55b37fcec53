import { once } from "../once.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import { COLOR, FONT_FAMILY, SERIES, SIZE, WIDTH } from "./svg.ts";

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
  /**
   * Options of plotly's axes besides the common looks; `title` is plain text.
   */
  readonly xaxis: Readonly<Record<string, unknown>> & { title: string };
  readonly yaxis: Readonly<Record<string, unknown>> & { title: string };
}

const HEIGHT = 440;
const MARGINS = { left: 72, right: 24 };
const LEGEND_ROW = 20;

/** A static chart. Notebooks that know plotly show it interactive. */
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

/** The color of a series. */
export function seriesColor(i: number): string {
  return SERIES[i % SERIES.length];
}

/** Escapes a text, because plotly reads some HTML. */
export function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Values as plotly takes them: what is not known is a gap. */
export function gapped(values: readonly number[]): (number | null)[] {
  return values.map((value) => Number.isFinite(value) ? value : null);
}

/** How the line of a series is drawn: series differ by more than color. */
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

/** A chart as plotly describes it: plain JSON. */
export interface PlotlySpec {
  /** Its traces. */
  readonly data: readonly Record<string, unknown>[];
  /** Title, axes, legend, colors. */
  readonly layout: Record<string, unknown>;
}

/**
 * Computed specifiers are no part of the module graph: the packages are fetched
 * when the first chart is drawn. The versions are the ones deno.json pins.
 */
const JSDOM: string = "npm:jsdom@31.0.1";
const PLOTLY: string = "npm:plotly.js-dist-min@4.1.2";

interface Plotly {
  toImage(
    spec: PlotlySpec,
    options: { format: "svg"; width: number; height: number },
  ): Promise<string>;
}

/**
 * Draws a chart as SVG, without a browser.
 *
 * @param spec Data and layout.
 * @param size Width and height in pixels.
 * @returns An SVG document.
 */
export async function drawPlotly(
  spec: PlotlySpec,
  { width, height }: { width: number; height: number },
): Promise<string> {
  const plotly = await loadPlotly();
  // plotly writes into what it is given.
  const own = structuredClone(spec);
  const uri = await plotly.toImage(own, { format: "svg", width, height });
  return decodeURIComponent(uri.slice(uri.indexOf(",") + 1));
}

// deno-lint-ignore no-explicit-any -- jsdom's window, which has no types here
type Window = any;

/** Loads plotly into a document of its own; takes about a second. */
const loadPlotly = once(async (): Promise<Plotly> => {
  const [{ JSDOM: Document, VirtualConsole }, source, fonts] = await Promise
    .all([import(JSDOM), readPlotly(), loadFonts()]);
  const { window } = new Document("<!doctype html><body></body>", {
    pretendToBeVisual: true,
    runScripts: "outside-only",
    virtualConsole: new VirtualConsole(), // jsdom's notes on what it lacks
  });
  addLayout(window, fonts);
  window.eval(source);
  return window.Plotly;
});

async function readPlotly(): Promise<string> {
  // Resolves to a file only once the package is there: after an import.
  await import(`${PLOTLY}/package.json`, { with: { type: "json" } });
  const url = import.meta.resolve(`${PLOTLY}/plotly.min.js`);
  return await Deno.readTextFile(new URL(url));
}

/** The sizes of text. Plotly asks a browser for them, and jsdom lacks them. */
function addLayout(window: Window, fonts: Fonts): void {
  const measure = (element: Window) => {
    const style = window.getComputedStyle(element);
    const size = parseFloat(style.fontSize) || 12;
    const bold = Number(style.fontWeight) >= 600 || style.fontWeight === "bold";
    return { width: fonts.width(element.textContent ?? "", size, bold), size };
  };
  const box = (element: Window) => {
    const { width, size } = measure(element);
    return {
      x: 0,
      y: -size,
      left: 0,
      top: -size,
      width,
      height: 1.2 * size,
      right: width,
      bottom: 0.2 * size,
    };
  };
  const prototype = window.SVGElement.prototype;
  prototype.getBBox = function () {
    return box(this);
  };
  prototype.getBoundingClientRect = function () {
    return box(this);
  };
  prototype.getComputedTextLength = function () {
    return measure(this).width;
  };
  window.HTMLCanvasElement.prototype.getContext = () => null;
  window.URL.createObjectURL ??= () => "";
}
