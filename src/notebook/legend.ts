import type { Point } from "../spa/feedback.ts";
import type { Fonts } from "./fonts.ts";
import { boxMark, hatch, pointMark } from "./panel.ts";
import { rect, text } from "./svg.ts";
import { COLOR, SIZE } from "./theme.ts";

/** One kind of mark and its name. */
export interface LegendItem {
  readonly label: string;
  /** The mark in a field of 26 x 16 pixels. */
  readonly mark: string;
}

const FIELD = { width: 26, height: 16 };

/** A line of a mask's outline, on dark as in the image. */
export function lineItem(
  label: string,
  color: string,
  { dashed = false }: { dashed?: boolean } = {},
): LegendItem {
  const dash = dashed ? ' stroke-dasharray="6 4"' : "";
  const mark = rect(0, 0, FIELD.width, FIELD.height, `rx="3" fill="#3A4048"`) +
    `<path d="M4 8H22" stroke="${color}" stroke-width="2.5"${dash}/>`;
  return { label, mark };
}

/** The colour of added pixels, or the hatch of removed ones. */
export function areaItem(
  label: string,
  kind: "added" | "removed",
  id: string,
): LegendItem {
  return { label, mark: areaSwatch(kind, id, FIELD.width, FIELD.height) };
}

/** The kinds of click among `points`. */
export function pointItems(points: readonly Point[]): LegendItem[] {
  const kinds = new Set(points.map(({ label = 1 }) => label));
  return ([1, 0] as const).filter((kind) => kinds.has(kind)).map((kind) => ({
    label: kind === 1 ? "click inside" : "click outside",
    mark: `<g transform="translate(13 8)">${pointMark(kind, 6)}</g>`,
  }));
}

/** The box that was given. */
export function boxItem(): LegendItem {
  return { label: "box given", mark: boxMark(5, 2, 16, 12) };
}

/** A swatch of added or removed pixels, as they look over a grey image. */
export function areaSwatch(
  kind: "added" | "removed",
  id: string,
  width: number,
  height: number,
): string {
  if (kind === "added") {
    return rect(0, 0, width, height, `rx="3" fill="${COLOR.added}"`);
  }
  return hatch(id, 1) +
    rect(0, 0, width, height, `rx="3" fill="#FFE3AD"`) +
    rect(0, 0, width, height, `rx="3" fill="url(#${id})"`);
}

/** A legend from the left, wrapped at `width`. */
export function drawLegend(
  items: readonly LegendItem[],
  fonts: Fonts,
  { x, y, width }: { x: number; y: number; width: number },
): string {
  const [gap, rowHeight] = [20, 24];
  let [left, row] = [0, 0];
  const parts = items.map(({ label, mark }) => {
    const itemWidth = FIELD.width + 7 + fonts.width(label, SIZE.small);
    if (left > 0 && left + itemWidth > width) [left, row] = [0, row + 1];
    const at = `translate(${Math.round(x + left)} ${y + row * rowHeight})`;
    left += itemWidth + gap;
    return `<g transform="${at}">${mark}${
      text(FIELD.width + 7, 12.5, label, {
        size: SIZE.small,
        fill: COLOR.muted,
      })
    }</g>`;
  });
  return parts.join("");
}
