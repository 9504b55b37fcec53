import { once } from "../once.ts";
import type { Fonts } from "./fonts.ts";
import { loadFonts } from "./fonts.ts";

/** A chart as plotly describes it: plain JSON. */
export interface PlotlySpec {
  /** Its traces. */
  readonly data: readonly Record<string, unknown>[];
  /** Title, axes, legend, colours. */
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

/** What plotly asks of a browser and jsdom lacks: the sizes of text. */
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
