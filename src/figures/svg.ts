/** Small pieces of SVG, as strings. */

import type { Fonts } from "./fonts.ts";
import { COLOR, FONT_FAMILY, MARGIN, SIZE } from "./theme.ts";

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
