// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { extentOf } from "../arrays/extent.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { MAX_SIDE } from "./raster.ts";
import { type Fonts, widthBound } from "./fonts.ts";
import { COLOR, num, rect, SIZE, text } from "./svg.ts";
import { InputError } from "../input_error.ts";

/** A rectangle: of the figure in its pixels, or of an image in its own. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How much of the image the color of added and removed pixels covers, 0..1. */
export const AREA_OPACITY = { added: 0.68, removed: 0.42 } as const;

/**
 * One picture in a figure: a window of an image, with marks over it. Marks are
 * in pixels of the image; their line widths stay in pixels of the figure.
 */
export interface Panel {
  /** Where the panel stands in the figure. */
  readonly place: Rect;
  /** The part of the image that it shows. */
  readonly view: Rect;
  /** The figure's prefix of ids, which {@linkcode defineImage} was given. */
  readonly id: string;
}

/** How many of the figure's pixels one pixel of the image takes. */
export function scaleOf({ place, view }: Panel): number {
  return Math.min(place.width / view.width, place.height / view.height);
}

/** A panel as SVG; `marks` is what the functions below return. */
export function drawPanel(panel: Panel, ...marks: string[]): string {
  const { place: p, view: v } = panel;
  return rect(p.x, p.y, p.width, p.height, `fill="${COLOR.ink}"`) +
    `<svg x="${num(p.x)}" y="${num(p.y)}" width="${num(p.width)}" ` +
    `height="${
      num(p.height)
    }" viewBox="${v.x} ${v.y} ${v.width} ${v.height}" ` +
    `overflow="hidden"><use href="#${panel.id}-image"/>${marks.join("")}</svg>`;
}

/** Refuses a mask that is not of the image's size. */
export function checkMaskSize(mask: NdArray, image: NdArray): void {
  const [height, width] = image.shape;
  if (mask.shape[0] === height && mask.shape[1] === width) return;
  throw new InputError(
    `Cannot draw mask as its shape must be the image's, [${height},${width}]: ` +
      `current value is [${mask.shape}]`,
  );
}

/** The whole of an image. */
export function wholeView({ shape: [height, width] }: NdArray): Rect {
  return { x: 0, y: 0, width, height };
}

/** The largest box of the view's proportions at the top left of another box. */
export function fitBox(view: Rect, { x, y, width, height }: Rect): Rect {
  const scale = Math.min(width / view.width, height / view.height);
  return { x, y, width: view.width * scale, height: view.height * scale };
}

/**
 * The part of an image that is worth a closer look: around all masks, with a
 * margin. The whole image where that would be most of it.
 *
 * @param masks [H, W] each.
 */
export function closeView(masks: readonly NdArray<Uint8Array>[]): Rect {
  const [height, width] = masks[0].shape;
  const extents = masks.flatMap((mask) => extentOf(mask) ?? []);
  const whole = { x: 0, y: 0, width, height };
  if (extents.length === 0) return whole;
  const left = Math.min(...extents.map(({ x }) => x));
  const top = Math.min(...extents.map(({ y }) => y));
  const right = Math.max(...extents.map((one) => one.x + one.width)) - 1;
  const bottom = Math.max(...extents.map((one) => one.y + one.height)) - 1;
  const extent = Math.max(
    (right - left + 1) / width,
    (bottom - top + 1) / height,
  );
  const part = Math.max(1.7 * extent, 24 / Math.max(width, height));
  if (part > 0.8) return whole;
  const size = [Math.round(part * width), Math.round(part * height)];
  const place = (center: number, size: number, side: number) =>
    Math.round(Math.min(Math.max(center - size / 2, 0), side - size));
  return {
    x: place((left + right + 1) / 2, size[0], width),
    y: place((top + bottom + 1) / 2, size[1], height),
    width: size[0],
    height: size[1],
  };
}

/**
 * The image that panels show: once in the figure, however many they are.
 *
 * @param place Where it lies, in pixels of the image: the whole, or a part.
 */
export function defineImage(
  id: string,
  uri: string,
  { x = 0, y = 0, width, height }: Partial<Rect> & {
    width: number;
    height: number;
  },
): string {
  const at = x === 0 && y === 0 ? "" : `x="${x}" y="${y}" `;
  return `<defs><image id="${id}-image" ${at}width="${width}" height="${height}" ` +
    `preserveAspectRatio="none" href="${uri}"/></defs>`;
}

/**
 * The part of a large image that is shown closer, to be drawn sharply; undefined
 * where the picture of the whole has every pixel.
 *
 * @param image [H, W, C].
 */
export function closeImage(
  image: NdArray<Float32Array>,
  { x, y, width, height }: Rect,
): NdArray<Float32Array> | undefined {
  const [rows, columns] = image.shape;
  if (width >= columns || Math.max(rows, columns) <= MAX_SIDE) return undefined;
  return image.lo(y, x).hi(height, width);
}

/** The frame of what other panels show closer. */
export function drawViewFrame(panel: Panel, view: Rect): string {
  const unit = 1 / scaleOf(panel);
  const frame = (outset: number, stroke: string) =>
    rect(
      view.x - outset * unit,
      view.y - outset * unit,
      view.width + 2 * outset * unit,
      view.height + 2 * outset * unit,
      `fill="none" stroke="${stroke}" stroke-opacity="0.5" ` +
        `stroke-width="${unit.toPrecision(4)}"`,
    );
  return frame(1, COLOR.casing) + frame(0, "#fff");
}

/** Whether a region is the whole image, or more: nothing to show then. */
export function isWhole(
  { left, top, right, bottom }: Box,
  { shape: [height, width] }: NdArray,
): boolean {
  return left <= -0.5 && top <= -0.5 && right >= width - 0.5 &&
    bottom >= height - 0.5;
}

/** The dark that lies over what the network does not see, 0..1. */
const VEIL = 0.3;
/** Length of a region's corner in pixels of the figure, at most. */
const CORNER = 18;

/**
 * The region that the network looks at: its corners, and a veil over the rest of
 * the image. What reaches beyond the image is cut off.
 */
export function drawRegion(panel: Panel, region: Box): string {
  const { view: v } = panel;
  const unit = 1 / scaleOf(panel);
  const x = region.left + 0.5, y = region.top + 0.5; // edges, as of pixels
  const width = region.right - region.left;
  const height = region.bottom - region.top;
  const rest = `M${v.x} ${v.y}h${v.width}v${v.height}h${-v.width}z` +
    `M${num(x)} ${num(y)}h${num(width)}v${num(height)}h${num(-width)}z`;
  return `<path d="${rest}" fill="${COLOR.casing}" fill-opacity="${VEIL}" ` +
    `fill-rule="evenodd"/>` + cornersMark(x, y, width, height, unit);
}

/** The four corners of a rectangle; `unit` is a pixel of the figure. */
function cornersMark(
  x: number,
  y: number,
  width: number,
  height: number,
  unit = 1,
): string {
  const arm = Math.min(CORNER * unit, width / 3, height / 3);
  const corner = (x: number, y: number, dx: number, dy: number) =>
    `M${num(x + dx * arm)} ${num(y)}H${num(x)}V${num(y + dy * arm)}`;
  const path = corner(x, y, 1, 1) + corner(x + width, y, -1, 1) +
    corner(x + width, y + height, -1, -1) + corner(x, y + height, 1, -1);
  const line = (color: string, px: number, opacity: number) =>
    `<path d="${path}" fill="none" stroke="${color}" stroke-opacity="${opacity}" ` +
    `stroke-width="${(px * unit).toPrecision(4)}"/>`;
  return line(COLOR.casing, 4.4, 0.6) + line("#fff", 2.2, 1);
}

/** The dashes of a dashed line. */
const DASH = [3, 2.4];

/**
 * A mask's boundary: a light line on a dark one, so that it shows anywhere.
 *
 * @param options.dash Lengths of lines and gaps, in widths of the line.
 */
export function drawOutline(
  panel: Panel,
  path: string,
  color: string,
  { width = 2, dashed = false, dash = dashed ? DASH : [] }: {
    width?: number;
    dashed?: boolean;
    dash?: readonly number[];
  } = {},
): string {
  if (path === "") return "";
  const scale = scaleOf(panel);
  const line = (color: string, width: number, rest: string) =>
    `<path d="${path}" fill="none" stroke="${color}" stroke-width="${
      (width / scale).toPrecision(4)
    }" stroke-linejoin="round" ${rest}/>`;
  const dashes = dash.length > 0
    ? `stroke-dasharray="${
      dash.map((part) => (part * width / scale).toPrecision(4))
    }"`
    : "";
  return line(COLOR.casing, width + 1.4, `stroke-opacity="0.7" ${dashes}`) +
    line(color, width, dashes);
}

/** A mask's area, see-through: plain for added pixels, hatched for removed. */
export function drawArea(
  panel: Panel,
  path: string,
  kind: "added" | "removed",
): string {
  if (path === "") return "";
  const unit = 1 / scaleOf(panel);
  const color = COLOR[kind];
  const edge = `stroke="${color}" stroke-width="${unit.toPrecision(4)}"`;
  const area = (fill: string, opacity: number, stroke = "") =>
    `<path d="${path}" fill="${fill}" fill-opacity="${opacity}" ${stroke}/>`;
  if (kind === "added") return area(color, AREA_OPACITY.added, edge);
  const id = `${panel.id}-hatch-${num(1000 * unit)}`;
  return hatch(id, unit) + area(color, AREA_OPACITY.removed, edge) +
    area(`url(#${id})`, 1);
}

/** Diagonal lines, five units apart. */
export function hatch(id: string, unit: number): string {
  return `<pattern id="${id}" width="5" height="5" ` +
    `patternUnits="userSpaceOnUse" patternTransform="scale(${
      unit.toPrecision(4)
    }) rotate(45)"><rect width="2.2" height="5" fill="${COLOR.removed}"/></pattern>`;
}

/** A click: a disc with a plus (inside) or a minus (outside). */
export function drawPoint(
  panel: Panel,
  { x, y, label = 1 }: Point,
  radius = 7,
): string {
  const unit = 1 / scaleOf(panel);
  // (0, 0) is the first pixel's center, half a pixel from its corner.
  const at = `translate(${num(x + 0.5)} ${num(y + 0.5)}) scale(${
    unit.toPrecision(4)
  })`;
  return `<g transform="${at}">${pointMark(label, radius)}</g>`;
}

/** A box that was given: a green line on a white one, with sharp corners. */
export function drawBoxPrompt(
  panel: Panel,
  { left, top, right, bottom }: Box,
): string {
  const width = right - left;
  const height = bottom - top;
  // From pixel center to pixel center, as clicks.
  return boxMark(left + 0.5, top + 0.5, width, height, 1 / scaleOf(panel));
}

/** A box's mark; `unit` is a pixel of the figure. */
export function boxMark(
  x: number,
  y: number,
  width: number,
  height: number,
  unit = 1,
): string {
  const line = (color: string, px: number, opacity: number) =>
    rect(
      x,
      y,
      width,
      height,
      `fill="none" stroke="${color}" stroke-opacity="${opacity}" ` +
        `stroke-width="${(px * unit).toPrecision(4)}"`,
    );
  return line(COLOR.casing, 5, 0.55) + line("#fff", 3.6, 1) +
    line(COLOR.positive, 1.8, 1);
}

/** A click's mark at the origin, in pixels of the figure. */
export function pointMark(label: 0 | 1, radius: number): string {
  const arm = radius * 0.55;
  const sign = label === 1
    ? `M${-arm} 0H${arm}M0 ${-arm}V${arm}`
    : `M${-arm} 0H${arm}`;
  const fill = label === 1 ? COLOR.positive : COLOR.negative;
  return `<circle r="${
    radius + 1.5
  }" fill="${COLOR.casing}" fill-opacity="0.55"/>` +
    `<circle r="${radius}" fill="${fill}" stroke="#fff" stroke-width="1.5"/>` +
    `<path d="${sign}" stroke="#fff" stroke-width="2" fill="none"/>`;
}

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

/** The color of added pixels, or the hatch of removed ones. */
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

/** The region that the network looks at. */
export function regionItem(): LegendItem {
  const mark = rect(0, 0, FIELD.width, FIELD.height, `rx="3" fill="#3A4048"`) +
    cornersMark(5, 3, 16, 10);
  return { label: "region the network sees", mark };
}

/** The frame of what the candidates' pictures show. */
export function closerItem(): LegendItem {
  const mark = rect(0, 0, FIELD.width, FIELD.height, `rx="3" fill="#3A4048"`) +
    rect(5.5, 3.5, 15, 9, `fill="none" stroke="#fff" stroke-opacity="0.6"`);
  return { label: "shown closer", mark };
}

/** A swatch of added or removed pixels, as they look over a gray image. */
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
