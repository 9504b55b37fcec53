/**
 * The figures' one visual language: colors, sizes and typeface.
 *
 * The colors of marks are Okabe and Ito's (https://jfly.uni-koeln.de/color),
 * which readers with any color vision tell apart. A mark never differs from
 * another by color alone: removed pixels are hatched, a reference is dashed.
 *
 * @module
 */

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

/** The shipped typeface, and what a browser, which lacks it, takes. */
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
