/** Legends: whole, whatever the names, and one look for one rater. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Case, Dataset } from "../../src/datasets/dataset.ts";
import { candidateFigure } from "../../src/figures/candidates_figure.ts";
import { datasetFigure } from "../../src/figures/dataset_figure.ts";
import { evaluationFigure } from "../../src/figures/evaluation_figures.ts";
import type { Figure } from "../../src/figures/figure.ts";
import { loadFonts } from "../../src/figures/fonts.ts";
import { maskFigure } from "../../src/figures/image_figure.ts";
import {
  COLOR,
  RATER_LINES,
  raterLine,
  RATERS,
  SERIES,
} from "../../src/figures/svg.ts";
import { targetOf } from "../helpers/evaluation_results.ts";

const SIDE = 1000;
const image = ndarray(new Float32Array(SIDE * SIDE), [SIDE, SIDE, 1]);
const mask = ndarray(new Uint8Array(SIDE * SIDE).fill(1), [SIDE, SIDE]);

function datasetOf(...raters: string[]): Dataset {
  const item: Case = {
    ...{ id: "one", patient: "one", raters },
    readImage: () => Promise.resolve(ndarray(new Float32Array(64), [8, 8, 1])),
    readMask: () =>
      Promise.resolve(ndarray(new Uint8Array(64).fill(1, 9, 12), [8, 8])),
  };
  return { name: "raters", cases: [item] };
}

/** The legend's labels, each of which ends inside the figure. */
async function legendOf(figure: Figure): Promise<string[]> {
  const fonts = await loadFonts();
  const svg = await figure.toSVG();
  const items =
    /<g transform="translate\((\d+) ([\d.]+)\)">(?:(?!<g transform).)*?<text x="33" y="12.5"[^>]*>([^<]*)</g;
  return [...svg.matchAll(items)].map(([, x, y, label]) => {
    const right = Number(x) + 33 + fonts.width(label, 12);
    assert(right <= figure.width - 19, `${label} ends at ${right}`);
    assert(Number(y) + 18 <= figure.height, `${label} at ${y}`);
    return label;
  });
}

const PEOPLE = [
  "Dr. Maria Hernandez-Gutierrez",
  "Dr. Wolfgang Maximilian Meyer",
  "Prof. Alexandra Papadopoulou",
  "Dr. Jean-Baptiste Montmorency",
  "Dr. Oluwaseun Adebayo-Williams",
  "Prof. Kristiina Vaalgamaa",
];

Deno.test("datasetFigure() has room for the names of six people", async () => {
  const labels = await legendOf(datasetFigure(datasetOf(...PEOPLE)));
  assert.deepEqual(labels, PEOPLE.toSorted().map((name) => `rater ${name}`));
});

Deno.test("datasetFigure() counts the raters beyond those with lines of their own", async () => {
  const raters = Array.from({ length: 13 }, (_, i) => `${i + 1}`);
  const labels = await legendOf(datasetFigure(datasetOf(...raters)));
  assert.deepEqual(labels, [
    ...raters.slice(0, RATER_LINES).map((name) => `rater ${name}`),
    "+ 3 more",
  ]);
});

Deno.test("datasetFigure() shortens a name that is longer than the figure", async () => {
  const [label] = await legendOf(datasetFigure(datasetOf("x".repeat(300))));
  assert.match(label, /^rater x+…$/);
});

Deno.test("candidateFigure() and maskFigure() have room for large counts and long labels", async () => {
  const candidate = {
    ...{ mask, added: mask, removed: mask, share: 0.5, members: [] },
    probability: ndarray(new Float32Array(SIDE * SIDE), [SIDE, SIDE]),
  };
  const counts = await legendOf(candidateFigure({ image, candidate }));
  assert.deepEqual(counts, [
    "candidate, 1000000 px",
    "added, 1000000 px",
    "removed, 1000000 px",
  ]);
  const labels = await legendOf(maskFigure({
    ...{
      image,
      mask,
      truth: mask,
      label: "majority of four raters of the clinic",
    },
    points: [{ x: 1, y: 1 }, { x: 5, y: 5, label: 0 }],
    box: { left: 1, top: 1, right: 9, bottom: 9 },
  }));
  assert.equal(labels.length, 5);
});

Deno.test("a rater has one color and dash in all figures, which mean nothing else", async () => {
  const results = ["10", "9"].map((rater) => ({
    ...targetOf("a", [0.5, 0.6]),
    rater,
  }));
  const bundle = await evaluationFigure(results).toBundle();
  // deno-lint-ignore no-explicit-any -- plotly's JSON
  const { data } = bundle["application/vnd.plotly.v1+json"] as any;
  const svg = await datasetFigure(datasetOf("10", "9")).toSVG();
  ["9", "10"].forEach((rater, place) => {
    const { color, dash } = raterLine(place);
    const { line } = data.find(({ name }: { name: string }) =>
      name === `rater ${rater}`
    );
    assert.equal(line.color, color);
    const lengths = dash.map((part) => `${1.5 * part}px`).join() || "solid";
    assert.equal(line.dash, lengths);
    const label = svg.indexOf(`>rater ${rater}<`);
    const mark = svg.lastIndexOf("<path", label);
    assert(svg.slice(mark, label).includes(`stroke="${color}"`));
  });
  const looks = Array.from(
    { length: RATER_LINES },
    (_, i) => JSON.stringify(raterLine(i)),
  );
  assert.equal(new Set(looks).size, RATER_LINES);
  const taken: string[] = [...Object.values(COLOR), ...SERIES];
  for (const color of RATERS) assert(!taken.includes(color), color);
});
