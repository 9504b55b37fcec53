import { RATERS } from "./theme.ts";

/** How a rater's line looks. */
export interface RaterLine {
  readonly color: string;
  /** Lengths of lines and gaps in widths of the line; none: solid. */
  readonly dash: readonly number[];
}

/** Not told apart by colour alone; a reference is dashed evenly, and pink. */
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
