// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import { countPixels } from "../figures/describe.ts";
import {
  areaItem,
  closeView,
  defineImage,
  drawArea,
  drawOutline,
  drawPanel,
  drawPoint,
  drawViewFrame,
  fitBox,
  type LegendItem,
  lineItem,
  type Panel,
  pointItems,
  type Rect,
  wholeView,
} from "../figures/panel.ts";
import { outline } from "../figures/outline.ts";
import { imageURI } from "../figures/raster.ts";
import { num } from "../figures/svg.ts";
import { COLOR } from "../figures/theme.ts";

/** Pixels that a picture takes at most where there is room, as in the style. */
const PLACE = {
  main: { width: 440, height: 620 },
  candidate: { width: 200, height: 300 },
} as const;

/** What {@linkcode drawPickPictures} shows. */
export interface PickPicturesOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The recommendation and its candidates; without them, the image alone. */
  proposal?: Pick<Proposal, "recommended" | "candidates">;
  /** The clicks so far. */
  points: readonly Point[];
  /** A reference mask, [H, W], to outline; none by default. */
  truth?: NdArray<Uint8Array>;
}

/** The pictures of a panel, as SVG elements that stand in one page. */
export interface PickPictures {
  /** Defines what the others use: to stand before them. */
  readonly definitions: string;
  /** The whole image, on which to click. */
  readonly main: string;
  /** One close picture per candidate. */
  readonly candidates: readonly string[];
  /** The marks and their names. */
  readonly legend: readonly LegendItem[];
}

/**
 * Draws the pictures of the panel from which a user picks. The main one holds
 * every candidate as well, as `<g data-preview="2">`, not displayed.
 *
 * @param id The panel's prefix of ids.
 */
export async function drawPickPictures(
  id: string,
  { image, proposal, points, truth }: PickPicturesOptions,
): Promise<PickPictures> {
  const uri = await imageURI(image);
  const whole = wholeView(image);
  const candidates = proposal?.candidates ?? [];
  const masks = proposal
    ? [proposal.recommended, ...candidates].map(({ mask }) => mask)
    : [];
  const view = proposal ? closeView(masks) : whole;
  const main: Panel = { id, place: placeOf(whole, PLACE.main), view: whole };
  const close: Panel = { id, place: placeOf(view, PLACE.candidate), view };

  const drawCandidate = (panel: Panel, k: number) =>
    drawArea(panel, outline(candidates[k].added), "added") +
    drawArea(panel, outline(candidates[k].removed), "removed") +
    drawOutline(panel, outline(candidates[k].mask), COLOR.candidate, {
      width: 1.6,
    });
  const recommendation = proposal
    ? drawOutline(main, outline(masks[0]), COLOR.recommended, { width: 2.5 })
    : "";
  return {
    definitions: svgElement(
      { x: 0, y: 0, width: 0, height: 0 },
      defineImage(id, uri, whole),
      'style="position:absolute"',
    ),
    main: svgElement(
      main.place,
      drawPanel(
        main,
        view.width < whole.width ? drawViewFrame(main, view) : "",
        recommendation,
        ...candidates.map((_, k) =>
          `<g data-preview="${k}" style="display:none">${
            drawCandidate(main, k)
          }</g>`
        ),
        truth
          ? drawOutline(main, outline(truth), COLOR.reference, { dashed: true })
          : "",
        ...points.map((point) => drawPoint(main, point)),
      ),
      `role="img" aria-label="${describe(image, points, proposal)}" ${
        aspectOf(whole)
      }`,
    ),
    candidates: candidates.map((_, k) =>
      svgElement(
        close.place,
        drawPanel(close, drawCandidate(close, k)),
        aspectOf(view),
      )
    ),
    legend: [
      ...(proposal ? [lineItem("recommendation", COLOR.recommended)] : []),
      ...(candidates.length > 0
        ? [
          lineItem("candidate", COLOR.candidate),
          areaItem("added", "added", `${id}-legend`),
          areaItem("removed", "removed", `${id}-legend`),
        ]
        : []),
      ...(truth
        ? [lineItem("reference", COLOR.reference, { dashed: true })]
        : []),
      ...pointItems(points),
    ],
  };
}

/** What the main picture shows, for those who cannot see it. */
function describe(
  { shape: [height, width] }: NdArray,
  points: readonly Point[],
  proposal: PickPicturesOptions["proposal"],
): string {
  const clicks = (["outside", "inside"] as const).map((side, label) => {
    const count = points.filter((point) => (point.label ?? 1) === label).length;
    return count > 0
      ? `, ${count} ${count === 1 ? "click" : "clicks"} ${side}`
      : "";
  });
  const mask = proposal?.recommended.mask;
  return `Image of ${width} x ${height} pixels${
    mask ? `, recommendation of ${countPixels(mask)} pixels` : ""
  }${clicks.reverse().join("")}. A click adds a point`;
}

/** A box of a view's proportions. */
function placeOf(
  view: Rect,
  room: { readonly width: number; readonly height: number },
): Rect {
  return fitBox(view, { x: 0, y: 0, ...room });
}

/** The proportions of a picture, by which the style bounds its height. */
function aspectOf({ width, height }: Rect): string {
  return `style="--spa-aspect:${num(width / height)}"`;
}

/** An SVG element of a page: decoration, unless the attributes name it. */
export function svgElement(
  { width, height }: Rect,
  content: string,
  attributes = "",
): string {
  const role = attributes.includes("role=") ? "" : ' aria-hidden="true"';
  return `<svg xmlns="http://www.w3.org/2000/svg"${role} ` +
    `width="${num(width)}" height="${num(height)}" ` +
    `viewBox="0 0 ${num(width)} ${num(height)}" ${attributes}>${content}</svg>`;
}
