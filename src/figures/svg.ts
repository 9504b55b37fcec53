/**
 * The figures' one visual language: colors, sizes and typeface, and the small
 * pieces of SVG that have them, as strings.
 *
 * The colors of marks are Okabe and Ito's (https://jfly.uni-koeln.de/color), which
 * readers with any color vision tell apart. A mark never differs from another by
 * color alone: removed pixels are hatched, a reference is dashed.
 */

import type { Fonts } from "./fonts.ts";

/** Colors, as CSS hex. */
export const COLOR = {
  /** Outline of the recommended mask. */
  recommended: "#F0E442",
  /** Outline of a candidate. */
  candidate: "#FFFFFF",
  /** Outline of a known reference mask; lighter than theirs, to show on dark. */
  reference: "#E78AC3",
  /** Pixels in a candidate that the recommendation lacks. */
  added: "#56B4E9",
  /** Pixels of the recommendation that a candidate lacks. */
  removed: "#E69F00",
  /** A click inside the object. */
  positive: "#009E73",
  /** A click outside the object. */
  negative: "#D55E00",
  /** Dark edge of light lines, so that they show on any image. */
  casing: "#000000",
  /** Titles and figures. */
  ink: "#1B1F24",
  /** Captions, ticks. */
  muted: "#59626E",
  /** Empty part of a bar, rules, frames. */
  rule: "#D8DEE4",
  /** Ground of a figure. */
  paper: "#FFFFFF",
} as const;

/** Lines of a chart, in order; readable on white. */
export const SERIES = [
  "#0072B2",
  "#D55E00",
  "#009E73",
  "#CC79A7",
  "#E69F00",
  "#56B4E9",
  "#1B1F24",
] as const;

/** Lines of raters, over images and on white; none means anything else. */
export const RATERS = [
  "#9B7BE6",
  "#1FA8B8",
  "#8FA31E",
  "#DC4A78",
  "#B9835A",
] as const;

/** Font sizes in pixels of a figure at its own width. */
export const SIZE = { title: 18, heading: 15, label: 13, small: 12 } as const;

/** The shipped typeface, and those that a browser without it takes. */
export const FONT_FAMILY = "SPA Sans, DejaVu Sans, Verdana, sans-serif";

/** Width of a figure in pixels: that of a notebook's output. */
export const WIDTH = 900;

/** Width of a figure of one picture, in pixels. */
export const PICTURE_WIDTH = 520;

/** Space around a figure's content, in pixels. */
export const MARGIN = 20;

/** How a rater's line looks. */
export interface RaterLine {
  readonly color: string;
  /** Lengths of lines and gaps in widths of the line; none: solid. */
  readonly dash: readonly number[];
}

/** Not told apart by color alone; a reference is dashed evenly, and pink. */
const DASHES = [[], [6, 2.5], [1.3, 1.8], [6, 2, 1.3, 2], [2.6, 1.6]];

/** How many raters have a line that is theirs alone. */
export const RATER_LINES = 2 * RATERS.length;

/**
 * The line of a rater, the same in all figures.
 *
 * @param place Among the raters, from 0, in the order of {@linkcode raterOrder}.
 */
export function raterLine(place: number): RaterLine {
  const round = Math.floor(place / RATERS.length);
  return {
    color: RATERS[place % RATERS.length],
    dash: DASHES[(place + 2 * round) % DASHES.length],
  };
}

/** Raters, each once, in order of their numbers or names. */
export function raterOrder(names: Iterable<string>): string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return [...new Set(names)].sort(compare);
}

/** How a legend names a rater. */
export function raterName(rater: string): string {
  return `rater ${rater.replaceAll("_", " ")}`;
}

/** Escapes text for XML and HTML, in content and in attributes. */
export function escapeXML(text: string): string {
  return text
    // deno-lint-ignore no-control-regex -- XML allows no other control characters
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A number with at most two decimals. */
export function num(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** How {@linkcode text} sets a line. */
export interface TextStyle {
  /** Font size in pixels. Default: that of labels. */
  size?: number;
  /** Whether the text is bold. Default: false. */
  bold?: boolean;
  /** The end of the line that stands at x. Default: "start". */
  anchor?: "start" | "middle" | "end";
  /** Color of the text. Default: the ink's color. */
  fill?: string;
}

/** One line of text with its baseline at y. */
export function text(
  x: number,
  y: number,
  content: string,
  { size = SIZE.label, bold, anchor = "start", fill = COLOR.ink }: TextStyle =
    {},
): string {
  const weight = bold ? ' font-weight="700"' : "";
  return `<text x="${num(x)}" y="${num(y)}" font-size="${size}"${weight} ` +
    `text-anchor="${anchor}" fill="${fill}">${escapeXML(content)}</text>`;
}

/** A figure's title, its middle left out where it is wider than the figure. */
export function drawTitle(title: string, width: number, fonts: Fonts): string {
  const line = fonts.fitMiddle(title, width - 2 * MARGIN, SIZE.title, true);
  return text(MARGIN, 36, line, { size: SIZE.title, bold: true });
}

/** A rectangle; `attributes` is raw SVG, as `fill="#fff" rx="3"`. */
export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  attributes: string,
): string {
  return `<rect x="${num(x)}" y="${num(y)}" width="${num(width)}" ` +
    `height="${num(height)}" ${attributes}/>`;
}

/** A whole SVG document on the figures' paper. */
export function svgDocument(
  width: number,
  height: number,
  title: string,
  content: string,
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${num(width)}" ` +
    `height="${num(height)}" viewBox="0 0 ${num(width)} ${num(height)}" ` +
    `font-family="${FONT_FAMILY}" role="img"><title>${
      escapeXML(title)
    }</title>` +
    rect(0, 0, width, height, `fill="${COLOR.paper}"`) + content + "</svg>";
}

/**
 * A prefix for ids that is the same for equal content and differs otherwise, so
 * that several figures can stand in one page. FNV-1a, 32 bits.
 */
export function idFor(content: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < content.length; i++) {
    hash = Math.imul(hash ^ content.charCodeAt(i), 0x01000193);
  }
  return `spa-${(hash >>> 0).toString(16)}`;
}

/**
 * Breaks text into lines at its spaces; what is longer than `maxLines` ends
 * in "…".
 *
 * @param width Pixels of a line.
 */
export function wrapText(
  content: string,
  width: number,
  fonts: Fonts,
  { size = SIZE.label, maxLines = Infinity }: {
    size?: number;
    maxLines?: number;
  } = {},
): string[] {
  const lines: string[] = [];
  let line = "";
  const words = content.split(/\s+/).filter(Boolean);
  for (const [i, word] of words.entries()) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || fonts.width(longer, size) <= width) {
      line = longer;
    } else if (lines.length + 1 === maxLines) {
      line = [line, ...words.slice(i)].join(" "); // fit() shortens it
      break;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].map((each) => fonts.fit(each, width, size));
}

/** Lines of text under each other, the first with its baseline at y. */
export function drawLines(
  x: number,
  y: number,
  lines: readonly string[],
  { leading = 19, ...style }: TextStyle & { leading?: number } = {},
): string {
  return lines.map((line, i) => text(x, y + i * leading, line, style)).join("");
}
