// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Box as BoxPrompt, Point } from "../spa/feedback.ts";
import { num, rect } from "./svg.ts";
import { COLOR } from "./theme.ts";

/** A rectangle: of the figure in its pixels, or of an image in its own. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How much of the image the colour of added and removed pixels covers, 0..1. */
export const AREA_OPACITY = { added: 0.68, removed: 0.42 } as const;

/**
 * One picture in a figure: a window of an image, with marks over it. Marks are
 * in pixels of the image; their line widths stay in pixels of the figure.
 */
export interface Panel {
  /** Where the panel stands in the figure. */
  readonly place: Box;
  /** The part of the image that it shows. */
  readonly view: Box;
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
  throw new RangeError(
    `Cannot draw mask as its shape must be the image's, [${height},${width}]: ` +
      `current value is [${mask.shape}]`,
  );
}

/** The whole of an image. */
export function wholeView({ shape: [height, width] }: NdArray): Box {
  return { x: 0, y: 0, width, height };
}

/** The largest box of the view's proportions at the top left of another box. */
export function fitBox(view: Box, { x, y, width, height }: Box): Box {
  const scale = Math.min(width / view.width, height / view.height);
  return { x, y, width: view.width * scale, height: view.height * scale };
}

/** The image that panels show: once in the figure, however many they are. */
export function defineImage(
  id: string,
  uri: string,
  { width, height }: { width: number; height: number },
): string {
  return `<defs><image id="${id}-image" width="${width}" height="${height}" ` +
    `preserveAspectRatio="none" href="${uri}"/></defs>`;
}

/** The frame of what other panels show closer. */
export function drawViewFrame(panel: Panel, view: Box): string {
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

/** Of a line that is merely dashed. */
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
  // (0, 0) is the first pixel's centre, half a pixel from its corner.
  const at = `translate(${num(x + 0.5)} ${num(y + 0.5)}) scale(${
    unit.toPrecision(4)
  })`;
  return `<g transform="${at}">${pointMark(label, radius)}</g>`;
}

/** A box that was given: a green line on a white one, with sharp corners. */
export function drawBoxPrompt(
  panel: Panel,
  { left, top, right, bottom }: BoxPrompt,
): string {
  const width = right - left;
  const height = bottom - top;
  // From pixel centre to pixel centre, as clicks.
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
