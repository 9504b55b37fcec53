/** One image: with its prompts and a mask, or under a map of its samples' entropy. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { Figure } from "./figure.ts";
import { loadFonts } from "./fonts.ts";
import { outline } from "./outline.ts";
import { colormap, imageURI, mapURI } from "./raster.ts";
import {
  boxItem,
  checkMaskSize,
  defineImage,
  drawBoxPrompt,
  drawLegend,
  drawOutline,
  drawPanel,
  drawPoint,
  drawRegion,
  fitBox,
  isWhole,
  legendHeight,
  type LegendItem,
  lineItem,
  type Panel,
  pointItems,
  type Rect,
  regionItem,
  wholeView,
} from "./panel.ts";
import {
  COLOR,
  drawTitle,
  idFor,
  MARGIN,
  num,
  PICTURE_WIDTH,
  rect,
  SIZE,
  svgDocument,
  text,
  WIDTH,
} from "./svg.ts";

/** What {@linkcode imageFigure} shows. */
export interface ImageFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** Clicks, in pixels of the image. Default: none. */
  points?: readonly Point[];
  /** The box around the object, in pixels of the image. Default: none. */
  box?: Box;
  /**
   * The region that the network looks at, in pixels of the image: framed where
   * it is not the whole image. Default: none.
   */
  region?: Box;
  /** One line above. Default: none. */
  title?: string;
}

/** An image with clicks, before there is any segmentation. */
export function imageFigure(
  { image, points = [], box, region, title }: ImageFigureOptions,
): Figure {
  const whole = wholeView(image);
  const inner = PICTURE_WIDTH - 2 * MARGIN;
  const top = title ? 54 : MARGIN;
  const room = { x: MARGIN, y: top, width: inner, height: 1.25 * inner };
  const place = fitBox(whole, room);
  const bottom = place.y + place.height;
  const items = [
    ...(box ? [boxItem()] : []),
    ...pointItems(points),
    ...regionItems(region, image),
  ];
  const height = Math.round(
    bottom + (items.length > 0 ? 22 + legendHeight(items, inner) : MARGIN),
  );
  const alt = `${title ? `${title}: ` : ""}image with ` +
    `${points.length} ${points.length === 1 ? "click" : "clicks"}`;
  const draw = async () => {
    const [uri, fonts] = await Promise.all([imageURI(image), loadFonts()]);
    const panel: Panel = { id: idFor(uri), place, view: whole };
    const content = [
      title ? drawTitle(title, PICTURE_WIDTH, fonts) : "",
      defineImage(panel.id, uri, whole),
      drawPanel(
        panel,
        drawRegionIn(panel, region, image),
        box ? drawBoxPrompt(panel, box) : "",
        ...points.map((point) => drawPoint(panel, point)),
      ),
      drawLegend(items, fonts, {
        x: MARGIN,
        y: bottom + 14,
        width: inner,
      }),
    ];
    return svgDocument(
      PICTURE_WIDTH,
      height,
      title ?? "Image",
      content.join(""),
    );
  };
  return new Figure({ width: PICTURE_WIDTH, height, alt, draw });
}

/** The frame of a region that is not the whole image. */
function drawRegionIn(
  panel: Panel,
  region: Box | undefined,
  image: NdArray,
): string {
  return region && !isWhole(region, image) ? drawRegion(panel, region) : "";
}

/** Its text in the legend. */
function regionItems(region: Box | undefined, image: NdArray): LegendItem[] {
  return region && !isWhole(region, image) ? [regionItem()] : [];
}

/** What {@linkcode maskFigure} shows. */
export interface MaskFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The mask to outline, [H, W]. */
  mask: NdArray<Uint8Array>;
  /** What the mask is, for the legend. Default: "segmentation". */
  label?: string;
  /** Clicks, in pixels of the image. Default: none. */
  points?: readonly Point[];
  /** The box around the object, in pixels of the image. Default: none. */
  box?: Box;
  /** As of {@linkcode imageFigure}. */
  region?: Box;
  /** A reference mask, [H, W]: outlined, and Dice with it is given. */
  truth?: NdArray<Uint8Array>;
  /** One line above. Default: none. */
  title?: string;
}

/**
 * An image with the outline of a mask.
 *
 * @throws {RangeError} When a mask is of another size than the image.
 */
export function maskFigure(
  {
    image,
    mask,
    label = "segmentation",
    points = [],
    box,
    region,
    truth,
    title,
  }: MaskFigureOptions,
): Figure {
  checkMaskSize(mask, image);
  if (truth) checkMaskSize(truth, image);
  const whole = wholeView(image);
  const top = title ? 54 : MARGIN;
  const place = fitBox(whole, {
    x: MARGIN,
    y: top,
    width: PICTURE_WIDTH - 2 * MARGIN,
    height: 1.25 * (PICTURE_WIDTH - 2 * MARGIN),
  });
  const bottom = place.y + place.height;
  const score = truth && `Dice ${dice(mask, truth).toFixed(3)}`;
  const items = [
    lineItem(label, COLOR.recommended),
    ...(score
      ? [lineItem(`reference, ${score}`, COLOR.reference, { dashed: true })]
      : []),
    ...(box ? [boxItem()] : []),
    ...pointItems(points),
    ...regionItems(region, image),
  ];
  const inner = PICTURE_WIDTH - 2 * MARGIN;
  const height = Math.round(bottom + 22 + legendHeight(items, inner));
  const draw = async () => {
    const [uri, fonts] = await Promise.all([imageURI(image), loadFonts()]);
    const path = outline(mask);
    const panel: Panel = { id: idFor(uri + path), place, view: whole };
    const parts = [
      title ? drawTitle(title, PICTURE_WIDTH, fonts) : "",
      defineImage(panel.id, uri, whole),
      drawPanel(
        panel,
        drawRegionIn(panel, region, image),
        drawOutline(panel, path, COLOR.recommended, { width: 2.5 }),
        truth
          ? drawOutline(panel, outline(truth), COLOR.reference, {
            dashed: true,
          })
          : "",
        box ? drawBoxPrompt(panel, box) : "",
        ...points.map((point) => drawPoint(panel, point)),
      ),
      drawLegend(items, fonts, { x: MARGIN, y: bottom + 14, width: inner }),
    ];
    return svgDocument(PICTURE_WIDTH, height, title ?? label, parts.join(""));
  };
  const alt = `${title ? `${title}: ` : ""}image with the outline of the ` +
    `${label}${score ? `, ${score}` : ""}`;
  return new Figure({ width: PICTURE_WIDTH, height, alt, draw });
}

/** What {@linkcode entropyFigure} shows. */
export interface EntropyFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** Predictive entropy in nats, [H, W], 0..ln 2. */
  entropy: NdArray<Float32Array>;
  /** The recommended mask, [H, W], outlined in both pictures. Default: none. */
  mask?: NdArray<Uint8Array>;
  /** One line above. Default: none. */
  title?: string;
}

const GAP = 24;
const BAR = 16;
/** The bar's tick labels. */
const TICKS = 64;

/**
 * An image beside the map of where the mean of the predictions is undecided,
 * with its scale: bright where samples disagree, and where each is unsure.
 *
 * @throws {RangeError} When entropy or mask is of another size than the image.
 */
export function entropyFigure(
  { image, entropy, mask, title }: EntropyFigureOptions,
): Figure {
  checkMaskSize(entropy, image);
  if (mask) checkMaskSize(mask, image);
  const whole = wholeView(image);
  const top = title ? 54 : MARGIN;
  const side = (WIDTH - 2 * MARGIN - GAP - 14 - BAR - TICKS) / 2;
  const box = { x: MARGIN, y: top, width: side, height: 1.25 * side };
  const left = fitBox(whole, box);
  const right = fitBox(whole, { ...box, x: MARGIN + side + GAP });
  const bottom = left.y + left.height;
  const height = Math.round(bottom + 46);
  const draw = async () => {
    const [uri, map, fonts] = await Promise.all([
      imageURI(image),
      mapURI(entropy, Math.LN2),
      loadFonts(),
    ]);
    const id = idFor(uri + map);
    const path = mask ? outline(mask) : "";
    const picture: Panel = { id, place: left, view: whole };
    const heat: Panel = { id: `${id}-map`, place: right, view: whole };
    const parts = [
      title ? drawTitle(title, WIDTH, fonts) : "",
      defineImage(picture.id, uri, whole),
      defineImage(heat.id, map, whole),
      drawPanel(picture, drawOutline(picture, path, COLOR.recommended)),
      drawPanel(heat, drawOutline(heat, path, COLOR.candidate, { width: 1.2 })),
      text(left.x, bottom + 26, mask ? "Recommendation" : "Image", {
        size: SIZE.heading,
        bold: true,
      }),
      text(right.x, bottom + 26, "Predictive entropy", {
        size: SIZE.heading,
        bold: true,
      }),
      text(right.x + right.width, bottom + 26, "bright: undecided", {
        size: SIZE.small,
        fill: COLOR.muted,
        anchor: "end",
      }),
      drawScale({
        x: WIDTH - MARGIN - TICKS - BAR,
        y: right.y,
        width: BAR,
        height: right.height,
      }, id),
    ];
    return svgDocument(WIDTH, height, title ?? "Entropy", parts.join(""));
  };
  const alt = `${title ? `${title}: ` : ""}image and map of the predictive ` +
    "entropy in nats, 0 (certain) to ln 2 (undecided)";
  return new Figure({ width: WIDTH, height, alt, draw });
}

/** The color bar: 0 at the bottom, ln 2 at the top. */
function drawScale({ x, y, width, height }: Rect, id: string): string {
  const stops = Array.from({ length: 33 }, (_, i) => {
    const color = `rgb(${colormap(i / 32)})`;
    return `<stop offset="${num(i / 32)}" stop-color="${color}"/>`;
  });
  const ticks: [number, string][] = [
    [0, "0 nats"],
    [0.2, "0.2"],
    [0.4, "0.4"],
    [0.6, "0.6"],
    [Math.LN2, "ln 2"],
  ];
  return `<linearGradient id="${id}-scale" x1="0" y1="1" x2="0" y2="0">${
    stops.join("")
  }</linearGradient>` +
    rect(x, y, width, height, `fill="url(#${id}-scale)"`) +
    ticks.map(([value, label]) => {
      const at = y + height * (1 - value / Math.LN2);
      return rect(
        x + width,
        Math.min(at, y + height - 1),
        5,
        1,
        `fill="${COLOR.muted}"`,
      ) +
        text(
          x + width + 10,
          Math.min(Math.max(at + 4, y + 9), y + height),
          label,
          {
            size: SIZE.small,
            fill: COLOR.muted,
          },
        );
    }).join("");
}
