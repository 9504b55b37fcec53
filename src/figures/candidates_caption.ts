// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Candidate } from "../spa/cluster.ts";
import { countPixels } from "./describe.ts";
import { areaSwatch } from "./legend.ts";
import type { Fonts } from "./fonts.ts";
import type { Box } from "./panel.ts";
import { num, rect, text, type TextStyle } from "./svg.ts";
import { COLOR, SIZE } from "./theme.ts";

/** Height of a caption under a picture, in pixels. */
export const CAPTION = 56;

/** Height of one with a line for Dice alone. */
export const TALL_CAPTION = 75;

/** Below this width of a picture Dice has a line of its own. */
export const NARROW = 125;

/** Room for Dice in bold, and before it. */
const DICE = 78;

const LINES = [29, 48, 67]; // baselines below the picture

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
    drawDice(right, second, dice, { anchor: "end" }),
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

/** The pixels that a candidate adds and removes, in few characters. */
export function changes(
  { added, removed }: Pick<Candidate, "added" | "removed">,
): [plus: string, minus: string] {
  return [
    `+${compactCount(countPixels(added))}`,
    `−${compactCount(countPixels(removed))}`,
  ];
}

/** A count in at most four characters: 467, 1.2k, 34k, 1.3M. */
export function compactCount(count: number): string {
  if (count < 1000) return String(count);
  const [unit, letter] = count < 999_500 ? [1e3, "k"] : [1e6, "M"];
  return `${(count / unit).toFixed(count < 9.95 * unit ? 1 : 0)}${letter}`;
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
