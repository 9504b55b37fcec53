// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Candidate } from "../spa/cluster.ts";
import { percent } from "./candidates_caption.ts";
import { countPixels, describeCandidate } from "./describe.ts";
import { Figure } from "./figure.ts";
import { loadFonts } from "./fonts.ts";
import { areaItem, drawLegend, legendHeight, lineItem } from "./legend.ts";
import { outline } from "./outline.ts";
import {
  checkMaskSize,
  defineImage,
  drawArea,
  drawOutline,
  drawPanel,
  fitBox,
  type Panel,
  wholeView,
} from "./panel.ts";
import { imageURI } from "./raster.ts";
import { drawTitle, idFor, svgDocument } from "./svg.ts";
import { COLOR, MARGIN } from "./theme.ts";

const WIDTH = 520;
const TOP = 54;

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
    /** One line above, which defaults to the candidate's share. */
    title?: string;
  },
): Figure {
  const { mask, added, removed, share } = candidate;
  checkMaskSize(mask, image);
  const heading = title ?? `Candidate, ${percent(share)} of the samples`;
  const whole = wholeView(image);
  const place = fitBox(whole, {
    x: MARGIN,
    y: TOP,
    width: WIDTH - 2 * MARGIN,
    height: 1.25 * (WIDTH - 2 * MARGIN),
  });
  const bottom = place.y + place.height;
  const inner = WIDTH - 2 * MARGIN;
  const items = (id: string) => [
    lineItem(`candidate, ${countPixels(mask)} px`, COLOR.candidate),
    areaItem(`added, ${countPixels(added)} px`, "added", id),
    areaItem(`removed, ${countPixels(removed)} px`, "removed", id),
  ];
  const height = Math.round(bottom + 22 + legendHeight(items(""), inner));
  return new Figure({
    width: WIDTH,
    height,
    alt: describeCandidate(candidate),
    draw: async () => {
      const [uri, fonts] = await Promise.all([imageURI(image), loadFonts()]);
      const path = outline(mask);
      const panel: Panel = { id: idFor(uri + path), place, view: whole };
      const content = drawTitle(heading, WIDTH, fonts) +
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
      return svgDocument(WIDTH, height, heading, content);
    },
  });
}
