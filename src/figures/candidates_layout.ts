// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { CAPTION, NARROW, TALL_CAPTION } from "./candidates_caption.ts";
import type { Box } from "./panel.ts";
import { MARGIN, WIDTH } from "./theme.ts";

const GAP = 14;
/** Between the recommendation and the candidates. */
const GUTTER = 20;

/** Least width of a candidate's picture: that of its caption. */
const SMALLEST = 118;

/** Where the pictures of a candidates figure stand. */
export interface CandidatesLayout {
  readonly recommended: Box;
  readonly candidates: readonly Box[];
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
 * @param scored Whether captions say Dice, which defaults to false.
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

/**
 * The part of an image that is worth a closer look: around all masks, with a
 * margin. The whole image where that would be most of it.
 *
 * @param masks [H, W] each.
 */
export function closeView(masks: readonly NdArray<Uint8Array>[]): Box {
  const [height, width] = masks[0].shape;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (const mask of masks) {
    const { data } = contiguous(mask);
    for (let i = 0; i < data.length; i++) {
      if (data[i] === 0) continue;
      const x = i % width;
      const y = (i - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  const whole = { x: 0, y: 0, width, height };
  if (right < 0) return whole;
  const extent = Math.max(
    (right - left + 1) / width,
    (bottom - top + 1) / height,
  );
  const part = Math.max(1.7 * extent, 24 / Math.max(width, height));
  if (part > 0.8) return whole;
  const size = [Math.round(part * width), Math.round(part * height)];
  const place = (centre: number, size: number, side: number) =>
    Math.round(Math.min(Math.max(centre - size / 2, 0), side - size));
  return {
    x: place((left + right + 1) / 2, size[0], width),
    y: place((top + bottom + 1) / 2, size[1], height),
    width: size[0],
    height: size[1],
  };
}
