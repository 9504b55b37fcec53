import type { GaussianMixture } from "../spa/mixture.ts";
import type { Latents } from "../spa/sample_gmm.ts";
import type { Fonts } from "./fonts.ts";
import type { Box } from "./panel.ts";
import { principalPlane } from "./principal_plane.ts";
import { num, rect, text } from "./svg.ts";
import { COLOR, SERIES, SIZE } from "./theme.ts";

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
  box: Box,
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
    text(box.x, box.y - 18, "Means, and the samples drawn around them", {
      size: SIZE.heading,
      bold: true,
    }),
    rect(
      box.x,
      box.y,
      box.width,
      box.height,
      `fill="none" stroke="${COLOR.rule}"`,
    ),
    ...from.map((place, m) => circle(place, radii[0][m], MARKS.before)),
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
      "a circle's area is its weight; an arrow, a mean that moved far",
      { size: SIZE.small, fill: COLOR.muted, anchor: "middle" },
    ),
  ].join("");
}

/** From the plane to the box, all places inside, equal units on both axes. */
function fitPlaces(
  { x, y, width, height }: Box,
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
  box: Box,
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
