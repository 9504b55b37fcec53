// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../datasets/contiguous.ts";
import type { Candidate } from "../spa/cluster.ts";
import { areaSwatch } from "./legend.ts";
import type { Box } from "./panel.ts";
import { rect, text } from "./svg.ts";
import { COLOR, SIZE } from "./theme.ts";

/** Height of a caption under a picture, in pixels. */
export const CAPTION = 56;

const LINES = [29, 48]; // baselines below the picture

/** What a caption says besides its subject. */
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
  { x, y, width, height }: Box,
  mask: NdArray<Uint8Array>,
  dice?: number,
): string {
  const [first, second] = LINES.map((line) => y + height + line);
  const right = x + width;
  const muted = { size: SIZE.small, fill: COLOR.muted };
  return [
    text(x, first, "Recommendation", { size: SIZE.heading, bold: true }),
    text(x, second, `mean of all samples · ${countPixels(mask)} px`, muted),
    drawDice(right, second, dice),
  ].join("");
}

/** Under a candidate: its share as a bar, its key, its pixels, its Dice. */
export function drawCandidateCaption(
  { x, y, width, height }: Box,
  index: number,
  { share, added, removed }: Pick<Candidate, "share" | "added" | "removed">,
  id: string,
  { dice, best, chosen }: CaptionMarks,
): string {
  const bottom = y + height;
  const [first, second] = LINES.map((line) => bottom + line);
  const right = x + width;
  const badge = chosen ? COLOR.ink : COLOR.paper;
  const swatch = (left: number, kind: "added" | "removed") =>
    `<g transform="translate(${left} ${second - 9})">${
      areaSwatch(kind, `${id}-swatch`, 12, 10)
    }</g>`;
  return [
    rect(x, bottom + 7, width, 4, `fill="${COLOR.rule}"`),
    rect(x, bottom + 7, width * share, 4, `fill="${COLOR.ink}"`),
    rect(
      x + 0.75,
      first - 13.5,
      18,
      18,
      `rx="4" fill="${badge}" stroke="${COLOR.ink}" stroke-width="1.5"`,
    ),
    text(x + 9.75, first, String(index + 1), {
      bold: true,
      anchor: "middle",
      fill: chosen ? COLOR.paper : COLOR.ink,
    }),
    text(x + 27, first, `${percent(share)} of samples`),
    swatch(x, "added"),
    text(x + 16, second, `+${countPixels(added)}`, { size: SIZE.small }),
    swatch(x + 58, "removed"),
    text(x + 74, second, `−${countPixels(removed)}`, { size: SIZE.small }),
    drawDice(right, second, dice, best),
  ].join("");
}

/** Around the picture that the user picked: a frame with a word in its corner. */
export function drawChosen(
  { x, y, width, height }: Box,
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

/** A share as whole percent. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function drawDice(x: number, y: number, dice?: number, bold = false): string {
  if (dice === undefined) return "";
  const style = { size: SIZE.small, anchor: "end", bold } as const;
  return text(x, y, `Dice ${dice.toFixed(3)}`, style);
}

function countPixels(mask: NdArray<Uint8Array>): number {
  return contiguous(mask).data
    .reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
}
