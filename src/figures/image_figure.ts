// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { Figure } from "./figure.ts";
import { loadFonts } from "./fonts.ts";
import { outline } from "./outline.ts";
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
  regionItem,
  wholeView,
} from "./panel.ts";
import { imageURI } from "./raster.ts";
import { drawTitle, idFor, svgDocument } from "./svg.ts";
import { COLOR, MARGIN, PICTURE_WIDTH } from "./theme.ts";

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
