// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Box, Point } from "../spa/feedback.ts";
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
  fitBox,
  legendHeight,
  lineItem,
  type Panel,
  pointItems,
  wholeView,
} from "./panel.ts";
import { imageURI } from "./raster.ts";
import { drawTitle, idFor, svgDocument } from "./svg.ts";
import { COLOR, MARGIN, PICTURE_WIDTH } from "./theme.ts";

/** What {@linkcode imageFigure} shows. */
export interface ImageFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** Clicks, in pixels of the image; none by default. */
  points?: readonly Point[];
  /** One line above; none by default. */
  title?: string;
}

/** An image with clicks, before there is any segmentation. */
export function imageFigure(
  { image, points = [], title }: ImageFigureOptions,
): Figure {
  const whole = wholeView(image);
  const inner = PICTURE_WIDTH - 2 * MARGIN;
  const top = title ? 54 : MARGIN;
  const room = { x: MARGIN, y: top, width: inner, height: 1.25 * inner };
  const place = fitBox(whole, room);
  const bottom = place.y + place.height;
  const height = Math.round(bottom + (points.length > 0 ? 46 : MARGIN));
  const alt = `${title ? `${title}: ` : ""}image with ` +
    `${points.length} ${points.length === 1 ? "click" : "clicks"}`;
  const draw = async () => {
    const [uri, fonts] = await Promise.all([imageURI(image), loadFonts()]);
    const panel: Panel = { id: idFor(uri), place, view: whole };
    const content = [
      title ? drawTitle(title, PICTURE_WIDTH, fonts) : "",
      defineImage(panel.id, uri, whole),
      drawPanel(panel, ...points.map((point) => drawPoint(panel, point))),
      drawLegend(pointItems(points), fonts, {
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

/** What {@linkcode maskFigure} shows. */
export interface MaskFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The mask to outline, [H, W]. */
  mask: NdArray<Uint8Array>;
  /** What the mask is, for the legend, which defaults to "segmentation". */
  label?: string;
  /** Clicks, in pixels of the image; none by default. */
  points?: readonly Point[];
  /** The box around the object, in pixels of the image; none by default. */
  box?: Box;
  /** A reference mask, [H, W]: outlined, and Dice with it is given. */
  truth?: NdArray<Uint8Array>;
  /** One line above; none by default. */
  title?: string;
}

/**
 * An image with the outline of a mask.
 *
 * @throws {RangeError} When a mask is of another size than the image.
 */
export function maskFigure(
  { image, mask, label = "segmentation", points = [], box, truth, title }:
    MaskFigureOptions,
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
