// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Candidate, Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import {
  changes,
  countPixels,
  describeCandidate,
  percent,
} from "./describe.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import { outline } from "./outline.ts";
import { imageURI } from "./raster.ts";
import {
  areaItem,
  areaSwatch,
  boxItem,
  checkMaskSize,
  closeImage,
  closerItem,
  closeView,
  defineImage,
  drawArea,
  drawBoxPrompt,
  drawLegend,
  drawOutline,
  drawPanel,
  drawPoint,
  drawRegion,
  drawViewFrame,
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
  type TextStyle,
  WIDTH,
} from "./svg.ts";

/** What {@linkcode candidatesFigure} shows. */
export interface CandidatesFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /**
   * The recommendation and its candidates, masks of the image's size; the region
   * is framed where it is not the whole image, and the notice is written out.
   */
  proposal:
    & Pick<Proposal, "recommended" | "candidates">
    & Partial<Pick<Proposal, "region" | "notice">>;
  /** The clicks so far, in pixels of the image. Default: none. */
  points?: readonly Point[];
  /** The box around the object, in pixels of the image. Default: none. */
  box?: Box;
  /** A reference mask, [H, W]: outlined, and Dice with it is given. */
  truth?: NdArray<Uint8Array>;
  /** The pick, a candidate's index or the recommendation; it is framed. */
  chosen?: number | "accept";
  /** Whether the picked candidate is accepted unchanged. Default: false. */
  accepted?: boolean;
  /** One line above. Default: none. */
  title?: string;
  /**
   * Whether the candidates show only the part of the image where the masks
   * are. Default: true.
   */
  zoom?: boolean;
}

/**
 * The picture that a user chooses from: the recommendation, and beside it the
 * candidates, each with its key, its share of the samples, and the pixels that
 * it would add and remove.
 *
 * @throws {RangeError} When a mask is of another size than the image.
 */
export function candidatesFigure(options: CandidatesFigureOptions): Figure {
  const { image, proposal, truth, title, zoom = true } = options;
  const { recommended, candidates, notice, region } = proposal;
  const masks = [recommended, ...candidates].map(({ mask }) => mask);
  for (const mask of masks) checkMaskSize(mask, image);
  if (truth) checkMaskSize(truth, image);

  const whole = wholeView(image);
  const view = zoom ? closeView(masks) : whole;
  const items = (id: string) =>
    legendItems(options, id, {
      region: region !== undefined && !isWhole(region, image),
      closer: view.width < whole.width && candidates.length > 0,
    });
  const above = title ? 54 : MARGIN;
  const top = above + (notice ? NOTICE : 0);
  const aspect = image.shape[0] / image.shape[1];
  const layout = layOutCandidates(
    candidates.length,
    aspect,
    top,
    truth !== undefined,
  );
  const inner = WIDTH - 2 * MARGIN;
  const legendRoom = legendHeight(items(""), inner);
  const height = Math.round(layout.bottom + 22 + legendRoom);
  const shares = candidates.map(({ share }) => percent(share)).join(", ");
  return new Figure({
    width: WIDTH,
    height,
    alt: `${title ? `${title}: ` : ""}recommended segmentation and ` +
      `${candidates.length} candidates, ${shares} of the samples${
        notice ? `. ${notice.text}` : ""
      }`,
    draw: async () => {
      const close = closeImage(image, view);
      const [uri, closeURI, fonts] = await Promise.all([
        imageURI(image),
        close && imageURI(close),
        loadFonts(),
      ]);
      const uris = { uri, closeURI };
      const { id, svg } = drawPictures(options, uris, view, layout, fonts);
      const legend = drawLegend(items(id), fonts, {
        x: MARGIN,
        y: layout.bottom + 12,
        width: inner,
      });
      const heading = title ? drawTitle(title, WIDTH, fonts) : "";
      const note = notice ? drawNotice(notice.text, above, fonts) : "";
      const content = heading + note + svg + legend;
      return svgDocument(WIDTH, height, title ?? "Candidates", content);
    },
  });
}

/** Height of the line that says what is wrong with the recommendation. */
const NOTICE = 30;

/** The error of the recommendation in words, with a mark before it. */
function drawNotice(content: string, y: number, fonts: Fonts): string {
  const line = fonts.fit(content, WIDTH - 2 * MARGIN - 26, SIZE.label);
  return `<g transform="translate(${MARGIN} ${y - 2})">${NOTICE_MARK}</g>` +
    text(MARGIN + 26, y + 11, line, { bold: true });
}

/** A triangle with an exclamation mark, 18 x 16. */
export const NOTICE_MARK =
  `<path d="M9 1L17 15.2H1z" fill="${COLOR.removed}" stroke="${COLOR.ink}" ` +
  `stroke-width="1.5" stroke-linejoin="round"/>` +
  `<path d="M9 5.6V10.4M9 12V13.8" stroke="${COLOR.ink}" stroke-width="1.8"/>`;

function drawPictures(
  { image, proposal, points = [], box, truth, chosen, accepted = false }:
    CandidatesFigureOptions,
  { uri, closeURI }: { uri: string; closeURI?: string },
  view: Rect,
  layout: ReturnType<typeof layOutCandidates>,
  fonts: Fonts,
): { id: string; svg: string } {
  // masks are made when they are read: once for this picture
  const recommended = { mask: proposal.recommended.mask };
  const candidates = proposal.candidates.map((
    { share, mask, added, removed },
  ) => ({ share, mask, added, removed }));
  const { region } = proposal;
  const masks = [recommended, ...candidates].map(({ mask }) => mask);
  const [recommendedPath, ...paths] = masks.map(outline);
  const whole = wholeView(image);
  const id = idFor(uri + recommendedPath + paths + chosen);

  const main: Panel = { id, place: layout.recommended, view: whole };
  const close = closeURI ? `${id}-close` : id;
  const parts = [
    defineImage(id, uri, whole),
    closeURI ? defineImage(close, closeURI, view) : "",
    drawPanel(
      main,
      region && !isWhole(region, image) ? drawRegion(main, region) : "",
      view.width < whole.width ? drawViewFrame(main, view) : "",
      drawOutline(main, recommendedPath, COLOR.recommended, { width: 2.5 }),
      truth ? drawReference(main, truth) : "",
      box ? drawBoxPrompt(main, box) : "",
      ...points.map((point) => drawPoint(main, point)),
    ),
    drawRecommendedCaption(
      main.place,
      recommended.mask,
      truth && dice(recommended.mask, truth),
    ),
    chosen === "accept" ? drawChosen(main.place, "accepted") : "",
  ];
  const scores = truth ? candidates.map(({ mask }) => dice(mask, truth)) : [];
  candidates.forEach((candidate, k) => {
    const small: Panel = { id: close, place: layout.candidates[k], view };
    parts.push(
      drawPanel(
        small,
        drawArea(small, outline(candidate.added), "added"),
        drawArea(small, outline(candidate.removed), "removed"),
        drawOutline(small, paths[k], COLOR.candidate, { width: 1.6 }),
      ),
      drawCandidateCaption(small.place, k, candidate, fonts, id, {
        dice: scores[k],
        best: scores[k] === Math.max(...scores),
        chosen: chosen === k,
      }),
      chosen === k
        ? drawChosen(small.place, accepted ? "accepted" : "chosen")
        : "",
    );
  });
  return { id, svg: parts.join("") };
}

function drawReference(panel: Panel, truth: NdArray<Uint8Array>): string {
  return drawOutline(panel, outline(truth), COLOR.reference, { dashed: true });
}

function legendItems(
  { proposal, points = [], box, truth }: CandidatesFigureOptions,
  id: string,
  { region, closer }: { region: boolean; closer: boolean },
): LegendItem[] {
  const items = [lineItem("recommendation", COLOR.recommended)];
  if (proposal.candidates.length > 0) {
    items.push(
      lineItem("candidate", COLOR.candidate),
      areaItem("added", "added", id),
      areaItem("removed", "removed", id),
    );
  }
  if (truth) {
    items.push(lineItem("reference", COLOR.reference, { dashed: true }));
  }
  return [
    ...items,
    ...(box ? [boxItem()] : []),
    ...pointItems(points),
    ...(region ? [regionItem()] : []),
    ...(closer ? [closerItem()] : []),
  ];
}

const PICTURE_TOP = 54;

/**
 * One candidate over its image, with the pixels that it would add to the
 * recommendation and remove from it.
 *
 * @throws {RangeError} When the candidate is of another size than the image.
 */
export function candidateFigure(
  { image, candidate, title }: {
    /** [H, W, 1 or 3], values 0..1. */
    image: NdArray<Float32Array>;
    /** Its masks are of the image's size. */
    candidate: Candidate;
    /** One line above. Default: the candidate's share. */
    title?: string;
  },
): Figure {
  const { mask, added, removed, share } = candidate;
  checkMaskSize(mask, image);
  const heading = title ?? `Candidate, ${percent(share)} of the samples`;
  const whole = wholeView(image);
  const place = fitBox(whole, {
    x: MARGIN,
    y: PICTURE_TOP,
    width: PICTURE_WIDTH - 2 * MARGIN,
    height: 1.25 * (PICTURE_WIDTH - 2 * MARGIN),
  });
  const bottom = place.y + place.height;
  const inner = PICTURE_WIDTH - 2 * MARGIN;
  const items = (id: string) => [
    lineItem(`candidate, ${countPixels(mask)} px`, COLOR.candidate),
    areaItem(`added, ${countPixels(added)} px`, "added", id),
    areaItem(`removed, ${countPixels(removed)} px`, "removed", id),
  ];
  const height = Math.round(bottom + 22 + legendHeight(items(""), inner));
  return new Figure({
    width: PICTURE_WIDTH,
    height,
    alt: describeCandidate(candidate),
    draw: async () => {
      const [uri, fonts] = await Promise.all([imageURI(image), loadFonts()]);
      const path = outline(mask);
      const panel: Panel = { id: idFor(uri + path), place, view: whole };
      const content = drawTitle(heading, PICTURE_WIDTH, fonts) +
        defineImage(panel.id, uri, whole) +
        drawPanel(
          panel,
          drawArea(panel, outline(added), "added"),
          drawArea(panel, outline(removed), "removed"),
          drawOutline(panel, path, COLOR.candidate),
        ) +
        drawLegend(items(panel.id), fonts, {
          x: MARGIN,
          y: bottom + 14,
          width: inner,
        });
      return svgDocument(PICTURE_WIDTH, height, heading, content);
    },
  });
}

const GAP = 14;
/** Between the recommendation and the candidates. */
const GUTTER = 20;

/** Least width of a candidate's picture: that of its caption. */
const SMALLEST = 118;

/** Where the pictures of a candidates figure stand. */
export interface CandidatesLayout {
  readonly recommended: Rect;
  readonly candidates: readonly Rect[];
  /** The lower edge of the lowest caption. */
  readonly bottom: number;
}

/**
 * One large picture at the left, a grid of small ones at the right, both ending
 * at the same line; of more than six candidates the grid is longer.
 *
 * @param count How many candidates.
 * @param aspect The image's height over its width.
 * @param top The upper edge of the pictures.
 * @param scored Whether captions say Dice. Default: false.
 */
export function layOutCandidates(
  count: number,
  aspect: number,
  top: number,
  scored = false,
): CandidatesLayout {
  const a = Math.min(Math.max(aspect, 0.6), 1.25); // beyond, bars at the sides
  const columns = count <= 4
    ? Math.min(Math.max(count, 1), 2)
    : Math.ceil(Math.sqrt(count));
  const rows = Math.max(Math.ceil(count / columns), 1);
  const inner = WIDTH - 2 * MARGIN;
  // Solved for equal heights: large * a = rows * (small * a) + what lies between.
  const between = (rows - 1) * (CAPTION + GAP);
  const forPictures = inner - GUTTER - (columns - 1) * GAP;
  const small = Math.max(
    SMALLEST,
    Math.floor((a * forPictures - between) / (a * (rows + columns))),
  );
  const caption = scored && small < NARROW ? TALL_CAPTION : CAPTION;
  const large = forPictures - columns * small;
  const left = MARGIN + large + GUTTER;
  const candidates = Array.from({ length: count }, (_, k) => ({
    x: left + (k % columns) * (small + GAP),
    y: top + Math.floor(k / columns) * (small * a + caption + GAP),
    width: small,
    height: small * a,
  }));
  const recommended = { x: MARGIN, y: top, width: large, height: large * a };
  const grid = rows * (small * a + caption + GAP) - GAP;
  const bottom = top + Math.max(large * a + CAPTION, grid);
  return { recommended, candidates, bottom };
}

/** Height of a caption under a picture, in pixels. */
export const CAPTION = 56;
/** Height of one with a line for Dice alone. */
export const TALL_CAPTION = 75;
/** Below this width of a picture Dice has a line of its own. */
export const NARROW = 125;
/** Room for Dice in bold, and before it. */
const DICE = 78;
const LINES = [29, 48, 67]; // baselines below the picture

/** The facts in a caption besides its subject. */
export interface CaptionMarks {
  /** Dice with a reference, 0..1, where one is known. */
  readonly dice?: number;
  /** Whether no other candidate has a higher Dice. */
  readonly best?: boolean;
  /** Whether the user picked this one. */
  readonly chosen?: boolean;
}

/** Under the recommendation: its name, its size, its Dice. */
export function drawRecommendedCaption(
  { x, y, width, height }: Rect,
  mask: NdArray<Uint8Array>,
  dice?: number,
): string {
  const [first, second] = LINES.map((line) => y + height + line);
  const right = x + width;
  const muted = { size: SIZE.small, fill: COLOR.muted };
  return [
    text(x, first, "Recommendation", { size: SIZE.heading, bold: true }),
    text(x, second, `mean of all samples · ${countPixels(mask)} px`, muted),
    drawDice(right, second, dice, { anchor: "end" }),
  ].join("");
}

/** Under a candidate: its share as a bar, its key, its pixels, its Dice. */
export function drawCandidateCaption(
  { x, y, width, height }: Rect,
  index: number,
  { share, added, removed }: Pick<Candidate, "share" | "added" | "removed">,
  fonts: Fonts,
  id: string,
  { dice, best, chosen }: CaptionMarks,
): string {
  const bottom = y + height;
  const lines = LINES.map((line) => bottom + line);
  const [first, second] = lines;
  const number = String(index + 1);
  const side = Math.max(18, fonts.width(number, SIZE.label, true) + 8);
  const badge = `rx="4" fill="${chosen ? COLOR.ink : COLOR.paper}" ` +
    `stroke="${COLOR.ink}" stroke-width="1.5"`;
  const [plus, minus] = changes({ added, removed });
  const [plusWidth, minusWidth] = [plus, minus].map((count) =>
    15 + fonts.width(count, SIZE.small)
  );
  // Under each other where there is room, close where there is not.
  const next = x + Math.min(Math.max(plusWidth, 45) + 10, width - minusWidth);
  // Dice stands beside the counts, else beside the share, else below.
  const free = x + width - next - minusWidth;
  const roomy = width >= 180 && (dice === undefined || free >= DICE);
  const diceLine = width < NARROW ? 2 : roomy ? 1 : 0;
  const swatch = (left: number, kind: "added" | "removed") =>
    `<g transform="translate(${num(left)} ${num(second - 9)})">${
      areaSwatch(kind, `${id}-swatch`, 12, 10)
    }</g>`;
  return [
    rect(x, bottom + 7, width, 4, `fill="${COLOR.rule}"`),
    rect(x, bottom + 7, width * share, 4, `fill="${COLOR.ink}"`),
    rect(x + 0.75, first - 13.5, side, 18, badge),
    text(x + 0.75 + side / 2, first, number, {
      bold: true,
      anchor: "middle",
      fill: chosen ? COLOR.paper : COLOR.ink,
    }),
    text(
      x + side + 9,
      first,
      `${percent(share)}${roomy ? " of samples" : ""}`,
    ),
    swatch(x, "added"),
    text(x + 15, second, plus, { size: SIZE.small }),
    swatch(next, "removed"),
    text(next + 15, second, minus, { size: SIZE.small }),
    diceLine === 2
      ? drawDice(x, lines[2], dice, { bold: best })
      : drawDice(x + width, lines[diceLine], dice, {
        bold: best,
        anchor: "end",
      }),
  ].join("");
}

/** Around the picture that the user picked: a frame with a word in its corner. */
export function drawChosen(
  { x, y, width, height }: Rect,
  word: "chosen" | "accepted",
): string {
  const frame = `fill="none" stroke="${COLOR.ink}" stroke-width="4"`;
  const tag = word === "chosen" ? 62 : 74;
  return rect(x - 1, y - 1, width + 2, height + 2, frame) +
    rect(x - 1, y - 1, tag, 22, `fill="${COLOR.ink}"`) +
    text(x + tag / 2 - 1, y + 14, word, {
      size: SIZE.small,
      bold: true,
      anchor: "middle",
      fill: COLOR.paper,
    });
}

function drawDice(
  x: number,
  y: number,
  dice: number | undefined,
  style: Pick<TextStyle, "bold" | "anchor">,
): string {
  if (dice === undefined) return "";
  return text(x, y, `Dice ${dice.toFixed(3)}`, { size: SIZE.small, ...style });
}
