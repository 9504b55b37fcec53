// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Point } from "../spa/feedback.ts";
import { Figure } from "./figure.ts";
import { loadFonts } from "./fonts.ts";
import { drawLegend, pointItems } from "./legend.ts";
import {
  defineImage,
  drawPanel,
  drawPoint,
  fitBox,
  type Panel,
  wholeView,
} from "./panel.ts";
import { imageURI } from "./raster.ts";
import { drawTitle, idFor, svgDocument } from "./svg.ts";
import { MARGIN } from "./theme.ts";

const WIDTH = 520;

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
  const inner = WIDTH - 2 * MARGIN;
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
      title ? drawTitle(title, WIDTH, fonts) : "",
      defineImage(panel.id, uri, whole),
      drawPanel(panel, ...points.map((point) => drawPoint(panel, point))),
      drawLegend(pointItems(points), fonts, {
        x: MARGIN,
        y: bottom + 14,
        width: inner,
      }),
    ];
    return svgDocument(WIDTH, height, title ?? "Image", content.join(""));
  };
  return new Figure({ width: WIDTH, height, alt, draw });
}
