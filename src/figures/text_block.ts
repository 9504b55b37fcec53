import type { Fonts } from "./fonts.ts";
import { text, type TextStyle } from "./svg.ts";
import { SIZE } from "./theme.ts";

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
