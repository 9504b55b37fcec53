// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Candidate } from "../spa/cluster.ts";
import { countPixels } from "./describe.ts";
import { areaSwatch } from "./legend.ts";
import type { Fonts } from "./fonts.ts";
import type { Box } from "./panel.ts";
import { num, rect, text } from "./svg.ts";
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
  fonts: Fonts,
  id: string,
  { dice, best, chosen }: CaptionMarks,
): string {
  const bottom = y + height;
  const [first, second] = LINES.map((line) => bottom + line);
  const narrow = width < 180; // then Dice goes up, where the share grows short
  const badge = `rx="4" fill="${chosen ? COLOR.ink : COLOR.paper}" ` +
    `stroke="${COLOR.ink}" stroke-width="1.5"`;
  const plus = `+${compact(countPixels(added))}`;
  const minus = `−${compact(countPixels(removed))}`;
  const next = x + 16 + Math.max(fonts.width(plus, SIZE.small), 30) + 10;
  const swatch = (left: number, kind: "added" | "removed") =>
    `<g transform="translate(${num(left)} ${num(second - 9)})">${
      areaSwatch(kind, `${id}-swatch`, 12, 10)
    }</g>`;
  return [
    rect(x, bottom + 7, width, 4, `fill="${COLOR.rule}"`),
    rect(x, bottom + 7, width * share, 4, `fill="${COLOR.ink}"`),
    rect(x + 0.75, first - 13.5, 18, 18, badge),
    text(x + 9.75, first, String(index + 1), {
      bold: true,
      anchor: "middle",
      fill: chosen ? COLOR.paper : COLOR.ink,
    }),
    text(x + 27, first, `${percent(share)}${narrow ? "" : " of samples"}`),
    swatch(x, "added"),
    text(x + 16, second, plus, { size: SIZE.small }),
    swatch(next, "removed"),
    text(next + 16, second, minus, { size: SIZE.small }),
    drawDice(x + width, narrow ? first : second, dice, best),
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

/** A count in at most four characters or so. */
function compact(count: number): string {
  if (count < 1000) return String(count);
  return `${(count / 1000).toFixed(count < 99_950 ? 1 : 0)}k`;
}
