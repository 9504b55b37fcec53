// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { colormap, imageURI, mapURI } from "./raster.ts";
import { Figure } from "./figure.ts";
import { loadFonts } from "./fonts.ts";
import { outline } from "./outline.ts";
import {
  checkMaskSize,
  defineImage,
  drawOutline,
  drawPanel,
  fitBox,
  type Panel,
  type Rect,
  wholeView,
} from "./panel.ts";
import { drawTitle, idFor, num, rect, svgDocument, text } from "./svg.ts";
import { COLOR, MARGIN, SIZE, WIDTH } from "./theme.ts";

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
