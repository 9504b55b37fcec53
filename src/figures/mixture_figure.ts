import type { Proposal } from "../spa/cluster.ts";
import type { GaussianMixture } from "../spa/mixture.ts";
import type { Latents } from "../spa/sample_gmm.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import { drawLegend, type LegendItem, type Rect } from "./panel.ts";
import { principalPlane } from "./principal_plane.ts";
import {
  COLOR,
  drawTitle,
  MARGIN,
  num,
  rect,
  SERIES,
  SIZE,
  svgDocument,
  text,
  WIDTH,
} from "./svg.ts";
import { InputError } from "../input_error.ts";

/** What {@linkcode mixtureFigure} shows besides the mixtures. */
export interface MixtureFigureOptions {
  /** The proposal made with the mixture before: its samples are shown. */
  proposal?: Pick<Proposal, "candidates" | "predictions">;
  /** Index of the candidate the user chose: its samples stand out. */
  chosen?: number;
  /** One line above. Default: "The preference distribution". */
  title?: string;
}

const HEIGHT = 488;
const LEFT: Rect = { x: 66, y: 92, width: 330, height: 300 };
const RIGHT: Rect = { x: 456, y: 92, width: 424, height: 300 };

/**
 * The change of the preference distribution by an update: the components'
 * weights before and after, and their means in the plane in which these spread
 * the most, with the samples that were shown and those that the user chose.
 *
 * @param before The mixture before the update.
 * @param after The mixture after it, of as many components and channels; by
 * default the same, which is drawn once.
 * @throws {RangeError} When the mixtures differ in shape, or chosen is no
 * candidate of the proposal.
 */
export function mixtureFigure(
  before: GaussianMixture,
  after: GaussianMixture = before,
  { proposal, chosen, title = "The preference distribution" }:
    MixtureFigureOptions = {},
): Figure {
  if (`${before.means.shape}` !== `${after.means.shape}`) {
    throw new InputError(
      `Cannot draw mixtures as both must have the same shape: current values are [${before.means.shape}] and [${after.means.shape}]`,
    );
  }
  const candidate = chosen === undefined
    ? undefined
    : proposal?.candidates[chosen];
  if (chosen !== undefined && !candidate) {
    throw new InputError(
      `Cannot draw mixtures as chosen must be a candidate of the proposal: current value is ${chosen}`,
    );
  }
  const weights = weightsOf(after);
  const largest = weights.indexOf(Math.max(...weights));
  const items: LegendItem[] = [
    ...(after === before
      ? [{ label: "component", mark: swatch(MARKS.after) }]
      : [
        { label: "before", mark: swatch(MARKS.before) },
        { label: "after", mark: swatch(MARKS.after) },
      ]),
    ...(proposal ? [{ label: "sample", mark: dot(MARKS.sample) }] : []),
    ...(candidate
      ? [{ label: "sample of the chosen candidate", mark: dot(MARKS.chosen) }]
      : []),
  ];
  return new Figure({
    width: WIDTH,
    height: HEIGHT,
    alt:
      `${title}: ${weights.length} components${
        after === before ? "" : " before and after an update"
      }, the largest is ${after === before ? "" : "now "}number ${
        largest + 1
      } with ` +
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

/** The weights before and after as pairs of bars, a pair per component. */
export function drawWeights(
  { x, y, width, height }: Rect,
  before: GaussianMixture,
  after: GaussianMixture,
): string {
  const pairs = [weightsOf(before), weightsOf(after)];
  const count = pairs[0].length;
  const { top, step } = scaleFor(Math.max(...pairs.flat()));
  const heading = text(x - 46, y - 18, "Weights of the components", {
    size: SIZE.heading,
    bold: true,
  });
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => {
    const at = y + height * (1 - i * step / top);
    return rect(x, at, width, 1, `fill="${COLOR.rule}"`) +
      text(x - 8, at + 4, `${Math.round(100 * i * step)} %`, {
        size: SIZE.small,
        fill: COLOR.muted,
        anchor: "end",
      });
  });
  const slot = width / count;
  const every = Math.ceil(20 / slot); // labels do not touch
  const bars = pairs[0].map((_, m) => {
    const left = x + m * slot + 0.12 * slot;
    const pair = pairs.map((weights, k) => {
      const tall = height * weights[m] / top;
      const bar = 0.38 * slot;
      if (k === 0 && after === before) return "";
      const style = k === 0 ? MARKS.before : MARKS.after;
      return rect(left + k * bar, y + height - tall, bar, tall, style);
    });
    const label = m % every === 0
      ? text(left + 0.38 * slot, y + height + 18, String(m + 1), {
        size: SIZE.small,
        fill: COLOR.muted,
        anchor: "middle",
      })
      : "";
    return pair.join("") + label;
  });
  const caption = text(x + width / 2, y + height + 40, "component", {
    size: SIZE.label,
    fill: COLOR.muted,
    anchor: "middle",
  });
  return heading + ticks.join("") + bars.join("") + caption;
}

/** The end of an axis from 0 that holds a value, and its ticks. */
function scaleFor(largest: number): { top: number; step: number } {
  const step =
    [0.02, 0.05, 0.1, 0.2, 0.25].find((step) => largest <= 5 * step) ??
      0.25;
  return { step, top: step * Math.max(1, Math.ceil(largest / step - 1e-9)) };
}

/** How marks of a mixture look, as attributes of SVG. */
export const MARKS = {
  before: `fill="#C3CAD2" fill-opacity="0.55" stroke="#7E8894"`,
  after: `fill="${SERIES[0]}" fill-opacity="0.45" stroke="${SERIES[0]}"`,
  sample: `fill="${COLOR.paper}" fill-opacity="0.8" stroke="#4A525C"`,
  // As a choice is everywhere: in ink.
  chosen: `fill="${COLOR.ink}" stroke="${COLOR.paper}"`,
} as const;

/** Radius of a component of weight 1, in pixels; areas go by weight. */
const RADIUS = 50;
/** The smallest circle that can still be seen. */
const SMALLEST = 2.5;
/** Components of less weight get no number. */
const NUMBERED = 0.04;

type Place = readonly [number, number];

/** pi, [M]. */
export function weightsOf({ logWeights }: GaussianMixture): number[] {
  return Array.from(logWeights, Math.exp);
}

/** Rows of an array [rows, columns]. */
function rowsOf({ shape, data }: GaussianMixture["means"]): Float32Array[] {
  const [rows, columns] = shape;
  return Array.from(
    { length: rows },
    (_, r) => data.subarray(r * columns, (r + 1) * columns) as Float32Array,
  );
}

/**
 * The means before and after in their principal plane: circles by weight,
 * arrows from before to after where that is far enough to see, and samples as
 * dots.
 */
export function drawPlane(
  box: Rect,
  before: GaussianMixture,
  after: GaussianMixture,
  fonts: Fonts,
  samples?: { latents: Latents; chosen: ReadonlySet<number> },
): string {
  const means = [rowsOf(before.means), rowsOf(after.means)];
  const { project, shares } = principalPlane(means.flat());
  const latents = samples ? rowsOf(samples.latents.values) : [];
  const toBox = fitPlaces(box, [...means.flat(), ...latents].map(project));
  const [from, to] = means.map((rows) =>
    rows.map((row) => toBox(project(row)))
  );
  const dots = latents.map((row) => toBox(project(row)));
  const isChosen = (_: Place, n: number) => samples!.chosen.has(n);

  const radii = [before, after].map((mixture) =>
    weightsOf(mixture).map((w) => Math.max(RADIUS * Math.sqrt(w), SMALLEST))
  );
  return [
    text(
      box.x,
      box.y - 18,
      samples ? "Means, and the samples drawn around them" : "Means",
      {
        size: SIZE.heading,
        bold: true,
      },
    ),
    rect(
      box.x,
      box.y,
      box.width,
      box.height,
      `fill="none" stroke="${COLOR.rule}"`,
    ),
    ...(after === before
      ? []
      : from.map((place, m) => circle(place, radii[0][m], MARKS.before))),
    ...to.map((place, m) => circle(place, radii[1][m], MARKS.after)),
    ...dots.filter((place, n) => !isChosen(place, n))
      .map((place) => circle(place, 2.2, MARKS.sample)),
    ...dots.filter(isChosen).map((place) => circle(place, 3.2, MARKS.chosen)),
    ...from.map((place, m) => arrow(place, to[m])),
    drawNumbers(
      box,
      to,
      weightsOf(after),
      radii[1],
      fonts,
      dots.filter(isChosen),
    ),
    text(
      box.x + box.width / 2,
      box.y + box.height + 18,
      `first two principal components, ${
        Math.round(100 * (shares[0] + shares[1]))
      } % of the means' variance`,
      { size: SIZE.small, fill: COLOR.muted, anchor: "middle" },
    ),
    text(
      box.x + box.width / 2,
      box.y + box.height + 38,
      "a circle's area is its weight" +
        (after === before ? "" : "; an arrow, a mean that moved far"),
      { size: SIZE.small, fill: COLOR.muted, anchor: "middle" },
    ),
  ].join("");
}

/** From the plane to the box, all places inside, equal units on both axes. */
function fitPlaces(
  { x, y, width, height }: Rect,
  places: readonly Place[],
): (place: Place) => Place {
  const range = (axis: 0 | 1): [number, number] => {
    const values = places.map((place) => place[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [[left, right], [low, high]] = [range(0), range(1)];
  const room = 36; // for circles at the edge
  const unit = Math.min(
    (width - 2 * room) / Math.max(right - left, 1e-9),
    (height - 2 * room) / Math.max(high - low, 1e-9),
  );
  return ([a, b]) => [
    x + width / 2 + (a - (left + right) / 2) * unit,
    y + height / 2 - (b - (low + high) / 2) * unit,
  ];
}

function circle([x, y]: Place, radius: number, style: string): string {
  return `<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}" ${style}/>`;
}

/** An arrow, where it is long enough to be seen. */
function arrow([x1, y1]: Place, [x2, y2]: Place): string {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy);
  if (length < 7) return "";
  const head = Math.min(7, 0.5 * length);
  const back = (along: number, aside: number) =>
    `${num(x2 - (along * dx + aside * dy) / length)} ${
      num(y2 - (along * dy - aside * dx) / length)
    }`;
  return `<path d="M${num(x1)} ${num(y1)}L${back(head / 2, 0)}" ` +
    `stroke="${COLOR.ink}" stroke-width="1.4"/>` +
    `<path d="M${num(x2)} ${num(y2)}L${back(head, head / 2.6)}L${
      back(head, -head / 2.6)
    }Z" fill="${COLOR.ink}"/>`;
}

/**
 * Numbers of the heavier components beside their circles, none over another
 * and, where that can be, none over a dot.
 */
function drawNumbers(
  box: Rect,
  places: readonly Place[],
  weights: readonly number[],
  radii: readonly number[],
  fonts: Fonts,
  dots: readonly Place[],
): string {
  const heaviest = [...weights.keys()].filter((m) => weights[m] >= NUMBERED)
    .sort((a, b) => weights[b] - weights[a]);
  const taken: Place[] = [];
  const isFree = ([u, v]: Place, width: number) =>
    u > box.x && u + width < box.x + box.width &&
    taken.every(([a, b]) => Math.abs(u - a) > 20 || Math.abs(v - b) > 14);
  const isClear = ([u, v]: Place, width: number) =>
    dots.every(([a, b]) =>
      a < u - 4 || a > u + width + 4 || Math.abs(b - v) > 12
    );
  return heaviest.map((m) => {
    const label = String(m + 1);
    const width = fonts.width(label, SIZE.label, true);
    const [x, y] = places[m];
    const r = radii[m] + 4;
    const sides: Place[] = [
      [x + r, y],
      [x - r - width, y],
      [x - width / 2, y + r + 6],
      [x - width / 2, y - r - 6],
    ];
    const at = sides.find((side) =>
      isFree(side, width) && isClear(side, width)
    ) ??
      sides.find((side) => isFree(side, width));
    if (!at) return "";
    taken.push(at);
    const halo = `stroke="#fff" stroke-width="3" stroke-linejoin="round"`;
    const set = (more: string) =>
      `<text x="${num(at[0])}" y="${
        num(at[1] + 5)
      }" font-size="${SIZE.label}" ` +
      `font-weight="700" fill="${COLOR.ink}" ${more}>${label}</text>`;
    return set(halo) + set("");
  }).join("");
}
