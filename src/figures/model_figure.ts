import { embeddingSide, isTinyVit, maskSide } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { counted, countParameters, describeModel, short } from "./describe.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import {
  COLOR,
  drawLines,
  drawTitle,
  MARGIN,
  rect,
  SERIES,
  SIZE,
  svgDocument,
  text,
  WIDTH,
  wrapText,
} from "./svg.ts";

const BAR = { y: 72, height: 26 };
const LABELS = 150; // width of the facts' names
const INNER = WIDTH - 2 * MARGIN;

/** The parts of a model: parameters by part, shapes, and its origin. */
export function modelFigure(model: Model): Figure {
  const facts = factsOf(model);
  const rows = Math.ceil(partsOf(model).length / 3);
  const top = BAR.y + BAR.height + 24 * rows + 40;
  const height = top + 24 * facts.length + heightOfNotes(notesOf(model)) + 4;
  return new Figure({
    width: WIDTH,
    height,
    alt: describeModel(model),
    draw: async () => {
      const fonts = await loadFonts();
      const title = `Model “${model.config.name}”`;
      const total = `${short(countParameters(model))} parameters`;
      const content = drawTitle(title, WIDTH, fonts) +
        text(MARGIN, 60, total, { fill: COLOR.muted }) +
        drawParts(partsOf(model), fonts) +
        drawFacts(facts, notesOf(model), top, fonts);
      return svgDocument(WIDTH, height, title, content);
    },
  });
}

/** Parameters by the first part of the weights' names, the most first. */
function partsOf({ weights }: Model): [string, number][] {
  const parts = new Map<string, number>();
  for (const [name, { data }] of weights) {
    const part = name.split(".")[0].replaceAll("_", " ");
    parts.set(part, (parts.get(part) ?? 0) + data.length);
  }
  return [...parts].sort(([, a], [, b]) => b - a);
}

function factsOf({ config }: Model): [string, string][] {
  const { encoder, decoder, channels, components, latentChannels } = config;
  const [side, maps] = [embeddingSide(config), maskSide(config)];
  return [
    [
      "image",
      `${config.imageSize} px, in patches of ${config.patchSize} px: an embedding of ${side} x ${side} x ${channels}`,
    ],
    [
      "image encoder",
      isTinyVit(encoder)
        ? `TinyViT, ${
          encoder.stages.map(({ channels }) => channels).join(", ")
        } channels`
        : `Vision Transformer, ${counted(encoder.depth, "block")} of ${
          counted(encoder.heads, "head")
        }, ${encoder.channels} channels`,
    ],
    [
      "preference",
      `mixture of ${components} Gaussians over ${latentChannels} channels`,
    ],
    [
      "mask decoder",
      `${
        counted(decoder.depth, "two-way block")
      }, probability maps of ${maps} x ${maps}`,
    ],
  ];
}

/**
 * Facts of the weights' metadata, at most two lines each; recipes are longer.
 */
function notesOf({ metadata }: Model): [string, string][] {
  const { validation, ...rest } = metadata;
  const measured = validation && describeValidation(validation);
  const notes = Object.entries(rest).filter(([, value]) => !isJSON(value))
    .map(([key, value]): [string, string] => [key.replaceAll("_", " "), value]);
  return [
    ...(measured ? [["validation", measured] as [string, string]] : []),
    ...notes.slice(0, 6),
  ];
}

/** Whether a text is an object or a list in JSON, such as a recipe. */
function isJSON(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** At most: a line holds more than 90 characters. */
function heightOfNotes(notes: readonly [string, string][]): number {
  return notes.reduce(
    (sum, [, value]) => sum + (value.length > 90 ? 43 : 24),
    0,
  );
}

/** The figures that `deno task evaluate --record` writes, as a sentence. */
function describeValidation(json: string): string {
  try {
    const { dataset, targets, dice } = JSON.parse(json);
    const row = dice.map((value: number) => value.toFixed(3)).join(", ");
    return `${dataset}, ${targets} targets: Dice ${row} at iterations 1 to ${dice.length}`;
  } catch {
    return json;
  }
}

/** One bar, a part's piece as long as its share, and what each color is. */
function drawParts(parts: readonly [string, number][], fonts: Fonts): string {
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  const column = INNER / 3;
  let x = MARGIN;
  return parts.map(([name, count], i) => {
    const fill = SERIES[i % SERIES.length];
    const width = INNER * count / total;
    const piece = rect(
      x,
      BAR.y,
      Math.max(width - 1.5, 0.75),
      BAR.height,
      `fill="${fill}"`,
    );
    x += width;
    const [left, line] = [
      MARGIN + (i % 3) * column,
      BAR.y + BAR.height + 24 * (Math.floor(i / 3) + 1),
    ];
    const share = `${short(count)} · ${(100 * count / total).toFixed(0)} %`;
    const room = column - 30 - fonts.width(`  ${share}`, SIZE.label);
    const label = fonts.fit(name, room, SIZE.label);
    const end = left + 18 + fonts.width(`${label}  `, SIZE.label);
    return piece + rect(left, line - 11, 12, 12, `rx="2" fill="${fill}"`) +
      text(left + 18, line, label) +
      text(end, line, share, { fill: COLOR.muted });
  }).join("");
}

function drawFacts(
  facts: readonly [string, string][],
  notes: readonly [string, string][],
  top: number,
  fonts: Fonts,
): string {
  let y = top;
  const rule = rect(MARGIN, y - 24, INNER, 1, `fill="${COLOR.rule}"`);
  return rule + [...facts, ...notes].map(([name, value]) => {
    const lines = wrapText(value, INNER - LABELS, fonts, { maxLines: 2 });
    const label = fonts.fit(name, LABELS - 10, SIZE.label);
    const drawn = text(MARGIN, y, label, { fill: COLOR.muted }) +
      drawLines(MARGIN + LABELS, y, lines);
    y += 24 + 19 * (lines.length - 1);
    return drawn;
  }).join("");
}
