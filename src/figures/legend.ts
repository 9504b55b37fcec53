import type { Point } from "../spa/feedback.ts";
import { type Fonts, widthBound } from "./fonts.ts";
import { boxMark, hatch, pointMark } from "./panel.ts";
import { num, rect, text } from "./svg.ts";
import { COLOR, SIZE } from "./theme.ts";

/** One kind of mark and its name. */
export interface LegendItem {
  readonly label: string;
  /** The mark in a field of 26 x 16 pixels. */
  readonly mark: string;
}

const FIELD = { width: 26, height: 16 };
/** A line's width in dashes: less than its own, so that the field holds them. */
const UNIT = 1.6;
/** Where an item's label begins. */
const TEXT = FIELD.width + 7;
/** Between items. */
const GAP = 20;
/** From one row to the next. */
const ROW = 24;

/**
 * A line of a mask's outline, on dark as in the image.
 *
 * @param options.dash Lengths of lines and gaps, in widths of the outline.
 */
export function lineItem(
  label: string,
  color: string,
  { dashed = false, dash = dashed ? [3.75, 2.5] : [] }: {
    dashed?: boolean;
    dash?: readonly number[];
  } = {},
): LegendItem {
  const dashes = dash.length > 0
    ? ` stroke-dasharray="${dash.map((part) => num(UNIT * part)).join(" ")}"`
    : "";
  const mark = rect(0, 0, FIELD.width, FIELD.height, `rx="3" fill="#3A4048"`) +
    `<path d="M4 8H22" stroke="${color}" stroke-width="2.5"${dashes}/>`;
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

/** A legend from the left, wrapped at `width`; a longer name is shortened. */
export function drawLegend(
  items: readonly LegendItem[],
  fonts: Fonts,
  { x, y, width }: { x: number; y: number; width: number },
): string {
  return rowsOf(items, width).flatMap((row, r) => {
    let left = 0;
    return row.map(({ label, mark }) => {
      const line = fonts.fit(label, width - TEXT, SIZE.small);
      const at = `translate(${Math.round(x + left)} ${y + r * ROW})`;
      left += TEXT + fonts.width(line, SIZE.small) + GAP;
      return `<g transform="${at}">${mark}${
        text(TEXT, 12.5, line, { size: SIZE.small, fill: COLOR.muted })
      }</g>`;
    });
  }).join("");
}

/** Height of a legend that is wrapped at `width`, with the space below it. */
export function legendHeight(
  items: readonly Pick<LegendItem, "label">[],
  width: number,
): number {
  return ROW * rowsOf(items, width).length;
}

/** The items by row; by bounds of their widths, as no font is loaded. */
function rowsOf<Item extends Pick<LegendItem, "label">>(
  items: readonly Item[],
  width: number,
): Item[][] {
  const rows: Item[][] = [];
  let left = Infinity;
  for (const item of items) {
    const itemWidth = TEXT + widthBound(item.label, SIZE.small);
    if (left + itemWidth > width) {
      rows.push([]);
      left = 0;
    }
    rows.at(-1)!.push(item);
    left += itemWidth + GAP;
  }
  return rows;
}
