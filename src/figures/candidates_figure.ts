// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Box, Point } from "../spa/feedback.ts";
import {
  drawCandidateCaption,
  drawChosen,
  drawRecommendedCaption,
  percent,
} from "./candidates_caption.ts";
import { closeView, layOutCandidates } from "./candidates_layout.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import {
  areaItem,
  boxItem,
  drawLegend,
  legendHeight,
  type LegendItem,
  lineItem,
  pointItems,
} from "./legend.ts";
import { outline } from "./outline.ts";
import {
  checkMaskSize,
  defineImage,
  drawArea,
  drawBoxPrompt,
  drawOutline,
  drawPanel,
  drawPoint,
  drawViewFrame,
  type Panel,
  wholeView,
} from "./panel.ts";
import { imageURI } from "./raster.ts";
import { drawTitle, idFor, svgDocument } from "./svg.ts";
import { COLOR, MARGIN, WIDTH } from "./theme.ts";

/** What {@linkcode candidatesFigure} shows. */
export interface CandidatesFigureOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The recommendation and its candidates, masks of the image's size. */
  proposal: Pick<Proposal, "recommended" | "candidates">;
  /** The clicks so far, in pixels of the image; none by default. */
  points?: readonly Point[];
  /** The box around the object, in pixels of the image; none by default. */
  box?: Box;
  /** A reference mask, [H, W]: outlined, and Dice with it is given. */
  truth?: NdArray<Uint8Array>;
  /** What was picked, a candidate's index or the recommendation: framed. */
  chosen?: number | "accept";
  /** One line above; none by default. */
  title?: string;
  /**
   * Whether the candidates show only the part of the image where the masks
   * are, which defaults to true.
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
  const { image, proposal: { recommended, candidates }, truth, title } =
    options;
  for (const { mask } of [recommended, ...candidates]) {
    checkMaskSize(mask, image);
  }
  if (truth) checkMaskSize(truth, image);

  const top = title ? 54 : MARGIN;
  const aspect = image.shape[0] / image.shape[1];
  const layout = layOutCandidates(
    candidates.length,
    aspect,
    top,
    truth !== undefined,
  );
  const inner = WIDTH - 2 * MARGIN;
  const legendRoom = legendHeight(legendItems(options, ""), inner);
  const height = Math.round(layout.bottom + 22 + legendRoom);
  const shares = candidates.map(({ share }) => percent(share)).join(", ");
  return new Figure({
    width: WIDTH,
    height,
    alt: `${title ? `${title}: ` : ""}recommended segmentation and ` +
      `${candidates.length} candidates, ${shares} of the samples`,
    draw: async () => {
      const [uri, fonts] = await Promise.all([imageURI(image), loadFonts()]);
      const { id, svg } = drawPictures(options, uri, layout, fonts);
      const legend = drawLegend(legendItems(options, id), fonts, {
        x: MARGIN,
        y: layout.bottom + 12,
        width: inner,
      });
      const heading = title ? drawTitle(title, WIDTH, fonts) : "";
      const content = heading + svg + legend;
      return svgDocument(WIDTH, height, title ?? "Candidates", content);
    },
  });
}

function drawPictures(
  { image, proposal, points = [], box, truth, chosen, zoom = true }:
    CandidatesFigureOptions,
  uri: string,
  layout: ReturnType<typeof layOutCandidates>,
  fonts: Fonts,
): { id: string; svg: string } {
  const { recommended, candidates } = proposal;
  const masks = [recommended, ...candidates].map(({ mask }) => mask);
  const [recommendedPath, ...paths] = masks.map(outline);
  const whole = wholeView(image);
  const view = zoom ? closeView(masks) : whole;
  const id = idFor(uri + recommendedPath + paths + chosen);

  const main: Panel = { id, place: layout.recommended, view: whole };
  const parts = [
    defineImage(id, uri, whole),
    drawPanel(
      main,
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
    const small: Panel = { id, place: layout.candidates[k], view };
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
      chosen === k ? drawChosen(small.place, "chosen") : "",
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
  return [...items, ...(box ? [boxItem()] : []), ...pointItems(points)];
}
