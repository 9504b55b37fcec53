// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { cleanMask, type MaskCleaning } from "../arrays/clean_mask.ts";
import type { Candidate, Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { countPixels } from "../figures/describe.ts";
import {
  areaItem,
  boxItem,
  closeImage,
  closerItem,
  closeView,
  defineImage,
  drawArea,
  drawBoxPrompt,
  drawOutline,
  drawPanel,
  drawPoint,
  drawRegion,
  drawViewFrame,
  fitBox,
  isWhole,
  type LegendItem,
  lineItem,
  type Panel,
  pointItems,
  type Rect,
  regionItem,
  wholeView,
} from "../figures/panel.ts";
import { outline } from "../figures/outline.ts";
import { imageURI } from "../figures/raster.ts";
import { COLOR, idFor, num } from "../figures/svg.ts";

/** Pixels that a picture takes at most where there is room, as in the style. */
const PLACE = {
  main: { width: 440, height: 620 },
  candidate: { width: 200, height: 300 },
} as const;

/** A proposal whose masks were read once, with the repairs that change one. */
export interface ShownProposal {
  /** The recommendation's mask, [H, W]. */
  readonly recommended: Repairable;
  /** The candidates, each with its changes. */
  readonly candidates:
    readonly (Repairable & Pick<Candidate, "share" | "added" | "removed">)[];
  /** The region that the network looks at. */
  readonly region?: Box;
  /** What is wrong with the recommendation. */
  readonly notice?: Proposal["notice"];
  /** Parts of fewer pixels are small. */
  readonly least: number;
}

/** A mask, and what the repairs before saving make of it. */
export interface Repairable {
  /** [H, W], 0 or 1. */
  readonly mask: NdArray<Uint8Array>;
  /** Only the repairs that change it, by their names in a path. */
  readonly repairs: ReadonlyMap<string, NdArray<Uint8Array>>;
}

/**
 * Reads the masks of a proposal, which are made when they are read.
 *
 * @param proposal What the user picks from.
 */
export function readProposal(
  { recommended, candidates, region, notice }:
    & Pick<Proposal, "recommended" | "candidates">
    & Partial<Pick<Proposal, "region" | "notice">>,
): ShownProposal {
  const { mask } = recommended;
  const part = [mask, ...candidates.map(({ mask }) => mask)]
    .map((mask) => countPixels(cleanMask(mask, { largestComponent: true })))
    .find((pixels) => pixels > 0) ?? 0;
  const least = Math.max(2, Math.round(SMALL * part));
  return {
    recommended: repairable(mask, least),
    candidates: candidates.map(({ share, mask, added, removed }) => ({
      ...repairable(mask, least),
      ...{ share, added, removed },
    })),
    region,
    notice,
    least,
  };
}

/** Parts smaller than this share of the largest can be dropped. */
const SMALL = 0.1;

function repairable(mask: NdArray<Uint8Array>, least: number): Repairable {
  const repairs = new Map<string, NdArray<Uint8Array>>();
  const add = (
    name: string,
    cleaning: MaskCleaning,
    like: NdArray<Uint8Array>[],
  ) => {
    const clean = cleanMask(mask, cleaning);
    const pixels = countPixels(clean);
    if (like.every((other) => countPixels(other) !== pixels)) {
      repairs.set(name, clean);
    }
  };
  const all = (...names: string[]) => names.every((name) => repairs.has(name));
  const small = `small-${least}`;
  add("largest", { largestComponent: true }, [mask]);
  if (all("largest")) {
    add(small, { minimumSize: least }, [mask, repairs.get("largest")!]);
  }
  add("holes", { fillHoles: true }, [mask]);
  if (all("largest", "holes")) {
    add("largest/holes", { largestComponent: true, fillHoles: true }, []);
  }
  if (all(small, "holes")) {
    add(`${small}/holes`, { minimumSize: least, fillHoles: true }, []);
  }
  return { mask, repairs };
}

/** What {@linkcode drawPickPictures} shows. */
export interface PickPicturesOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The recommendation and its candidates; without them, the image alone. */
  proposal?: ShownProposal;
  /** The clicks so far. */
  points: readonly Point[];
  /** The box around the object; none by default. */
  box?: Box;
  /** A reference mask, [H, W], to outline; none by default. */
  truth?: NdArray<Uint8Array>;
  /** The recommendation before, [H, W], to compare with; none by default. */
  before?: NdArray<Uint8Array>;
  /** Objects that were done before; none by default. */
  others?: readonly OtherObject[];
  /** Whether other slices of a volume may cover the main picture. Default: false. */
  slices?: boolean;
}

/** An object that was done before, and how it is drawn. */
export interface OtherObject {
  /** [H, W]; anything but 0 is inside. */
  readonly mask: NdArray<Uint8Array>;
  /** Its name in the legend. */
  readonly name: string;
  /** As "#e69f00". */
  readonly color: string;
}

/** The pictures of a panel, as SVG elements that stand in one page. */
export interface PickPictures {
  /** Defines what the others use: to stand before them. */
  readonly definitions: string;
  /** The whole image, on which to click. */
  readonly main: string;
  /** One close picture per candidate. */
  readonly candidates: readonly string[];
  /** What tells this image from others. */
  readonly image: string;
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
  {
    image,
    proposal,
    points,
    box,
    truth,
    before,
    others = [],
    slices = false,
  }: PickPicturesOptions,
): Promise<PickPictures> {
  const whole = wholeView(image);
  const candidates = proposal?.candidates ?? [];
  const masks = proposal
    ? [proposal.recommended, ...candidates].map(({ mask }) => mask)
    : [];
  const view = proposal ? closeView(masks) : whole;
  const large = closeImage(image, view);
  const [uri, closeURI] = await Promise.all([
    imageURI(image),
    large && imageURI(large),
  ]);
  const { region } = proposal ?? {};
  const framed = region && !isWhole(region, image) ? region : undefined;
  const closer = view.width < whole.width;
  const closeId = closeURI ? `${id}-close` : id;
  const main: Panel = { id, place: placeOf(whole, PLACE.main), view: whole };
  const close: Panel = {
    id: closeId,
    place: placeOf(view, PLACE.candidate),
    view,
  };

  const drawCandidate = (panel: Panel, k: number) =>
    `<g data-areas="">${
      drawArea(panel, outline(candidates[k].added), "added")
    }${drawArea(panel, outline(candidates[k].removed), "removed")}</g>` +
    outlined(drawOutline(panel, outline(candidates[k].mask), COLOR.candidate, {
      width: 1.6,
    }));
  const drawRecommended = (mask: NdArray<Uint8Array>) =>
    outlined(
      drawOutline(main, outline(mask), COLOR.recommended, { width: 2.5 }),
    );
  const recommendation = proposal
    ? `<g data-repaired="">${drawRecommended(masks[0])}</g>` +
      [...proposal.recommended.repairs].map(([repair, mask]) =>
        `<g data-repaired="${repair}" style="display:none">${
          drawRecommended(mask)
        }</g>`
      ).join("")
    : "";
  return {
    definitions: svgElement(
      { x: 0, y: 0, width: 0, height: 0 },
      defineImage(id, uri, whole) +
        (closeURI ? defineImage(closeId, closeURI, view) : ""),
      'style="position:absolute"',
    ),
    main: svgElement(
      main.place,
      drawPanel(
        main,
        closeURI ? `<use href="#${closeId}-image"/>` : "",
        framed ? drawRegion(main, framed) : "",
        closer ? drawViewFrame(main, view) : "",
        ...others.map(({ mask, color }) =>
          outlined(drawOutline(main, outline(mask), color, { width: 2 }))
        ),
        recommendation,
        ...candidates.map((_, k) =>
          `<g data-preview="${k}" style="display:none">${
            drawCandidate(main, k)
          }</g>`
        ),
        before
          ? `<g data-before="" style="display:none">${
            drawOutline(main, outline(before), COLOR.recommended, BEFORE)
          }</g>`
          : "",
        truth
          ? outlined(
            drawOutline(main, outline(truth), COLOR.reference, {
              dashed: true,
            }),
          )
          : "",
        box ? drawBoxPrompt(main, box) : "",
        ...points.map((point) => drawPoint(main, point)),
        slices
          ? `<image data-elsewhere="" style="display:none" width="${whole.width}" ` +
            `height="${whole.height}" preserveAspectRatio="none"/>`
          : "",
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
    image: idFor(uri),
    legend: [
      ...(proposal ? [lineItem("recommendation", COLOR.recommended)] : []),
      ...(candidates.length > 0
        ? [
          lineItem("candidate", COLOR.candidate),
          areaItem("added", "added", `${id}-legend`),
          areaItem("removed", "removed", `${id}-legend`),
        ]
        : []),
      ...others.map(({ name, color }) => lineItem(name, color)),
      ...(truth
        ? [lineItem("reference", COLOR.reference, { dashed: true })]
        : []),
      ...(before
        ? [lineItem("before", COLOR.recommended, { dash: BEFORE.dash })]
        : []),
      ...(box ? [boxItem()] : []),
      ...pointItems(points),
      ...(framed ? [regionItem()] : []),
      ...(closer ? [closerItem()] : []),
    ],
  };
}

/** An outline that can be hidden. */
function outlined(content: string): string {
  return `<g data-outline="">${content}</g>`;
}

/** The line of the recommendation before. */
const BEFORE = { width: 2, dash: [1.2, 1.8] } as const;

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

/** A key as it is drawn on a button, whose name does not need it. */
export function keyMark(text: string): string {
  return `<span class="spa-pick-key" aria-hidden="true">${text}</span>`;
}
