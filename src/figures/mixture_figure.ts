import type { Proposal } from "../spa/cluster.ts";
import type { GaussianMixture } from "../spa/mixture.ts";
import { Figure } from "./figure.ts";
import { loadFonts } from "./fonts.ts";
import { drawLegend, type LegendItem } from "./legend.ts";
import { drawPlane, MARKS, weightsOf } from "./mixture_plane.ts";
import { drawWeights } from "./mixture_weights.ts";
import type { Box } from "./panel.ts";
import { drawTitle, rect, svgDocument } from "./svg.ts";
import { MARGIN, SIZE, WIDTH } from "./theme.ts";

/** What {@linkcode mixtureFigure} shows besides the mixtures. */
export interface MixtureFigureOptions {
  /** The proposal made with the mixture before: its samples are shown. */
  proposal?: Pick<Proposal, "candidates" | "predictions">;
  /** Index of the candidate the user chose: its samples stand out. */
  chosen?: number;
  /** One line above, which defaults to "The preference distribution". */
  title?: string;
}

const HEIGHT = 488;
const LEFT: Box = { x: 66, y: 92, width: 330, height: 300 };
const RIGHT: Box = { x: 456, y: 92, width: 424, height: 300 };

/**
 * What an update does to the preference distribution: the components' weights
 * before and after, and their means in the plane in which these spread the
 * most, with the samples that were shown and those that the user chose.
 *
 * @param before The mixture before the update.
 * @param after The mixture after it, of as many components and channels.
 * @throws {RangeError} When the mixtures differ in shape, or chosen is no
 * candidate of the proposal.
 */
export function mixtureFigure(
  before: GaussianMixture,
  after: GaussianMixture,
  { proposal, chosen, title = "The preference distribution" }:
    MixtureFigureOptions = {},
): Figure {
  if (`${before.means.shape}` !== `${after.means.shape}`) {
    throw new RangeError(
      `Cannot draw mixtures as both must have the same shape: current values are [${before.means.shape}] and [${after.means.shape}]`,
    );
  }
  const candidate = chosen === undefined
    ? undefined
    : proposal?.candidates[chosen];
  if (chosen !== undefined && !candidate) {
    throw new RangeError(
      `Cannot draw mixtures as chosen must be a candidate of the proposal: current value is ${chosen}`,
    );
  }
  const weights = weightsOf(after);
  const largest = weights.indexOf(Math.max(...weights));
  const items: LegendItem[] = [
    { label: "before", mark: swatch(MARKS.before) },
    { label: "after", mark: swatch(MARKS.after) },
    ...(proposal ? [{ label: "sample", mark: dot(MARKS.sample) }] : []),
    ...(candidate
      ? [{ label: "sample of the chosen candidate", mark: dot(MARKS.chosen) }]
      : []),
  ];
  return new Figure({
    width: WIDTH,
    height: HEIGHT,
    alt: `${title}: ${weights.length} components before and after an update, ` +
      `the largest is now number ${largest + 1} with ` +
      `${(100 * weights[largest]).toFixed(0)} %`,
    draw: async () => {
      const fonts = await loadFonts();
      const samples = proposal && {
        latents: proposal.predictions.latents,
        chosen: new Set(candidate?.members),
      };
      const content = drawTitle(title, WIDTH, fonts) +
        drawWeights(LEFT, before, after) +
        drawPlane(RIGHT, before, after, fonts, samples) +
        drawLegend(items, fonts, {
          x: MARGIN,
          y: HEIGHT - 34,
          width: WIDTH - 2 * MARGIN,
        });
      return svgDocument(WIDTH, HEIGHT, title, content);
    },
  });
}

function swatch(style: string): string {
  return rect(5, 1, 14, 14, `rx="2" ${style}`);
}

function dot(style: string): string {
  return `<circle cx="13" cy="8" r="${SIZE.small / 3}" ${style}/>`;
}
