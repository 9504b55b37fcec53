import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { mixtureFigure } from "../../src/figures/mixture_figure.ts";
import { principalPlane } from "../../src/figures/principal_plane.ts";
import { COLOR, SERIES } from "../../src/figures/svg.ts";
import type { Candidate } from "../../src/spa/cluster.ts";
import type { GaussianMixture } from "../../src/spa/mixture.ts";
import type { Predictions } from "../../src/spa/predictions.ts";
import { decodePNG } from "../helpers/pixels.ts";

const close = (a: number, b: number, tolerance = 1e-6) =>
  assert(Math.abs(a - b) <= tolerance, `${a} and ${b}`);

Deno.test("principalPlane() finds the axes of an ellipse, turned and moved", () => {
  // (+-3, 0) and (0, +-1), turned by 30 degrees, moved, in three dimensions
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const points = [[3, 0], [-3, 0], [0, 1], [0, -1]].map(([u, v]) => [
    5 + c * u - s * v,
    -2 + s * u + c * v,
    7,
  ]);
  const { project, shares } = principalPlane(points);
  close(shares[0], 18 / 20);
  close(shares[1], 2 / 20);
  const places = points.map(project);
  const sign = Math.sign(places[0][0]);
  [[3, 0], [-3, 0]].forEach(([u, v], i) => {
    close(places[i][0], sign * u);
    close(places[i][1], v);
  });
  close(Math.abs(places[2][1]), 1);
  close(places[2][1], -places[3][1]);
  project([5, -2, 100]).forEach((value) => close(value, 0)); // the mean, aside
});

Deno.test("principalPlane() gives a zero axis where points do not differ", () => {
  const line = principalPlane([[0, 0], [2, 2], [4, 4]]);
  close(line.shares[0], 1);
  assert.equal(line.shares[1], 0);
  close(Math.abs(line.project([4, 4])[0]), Math.sqrt(8));
  close(line.project([9, 9])[1], 0);
  const one = principalPlane([[3, 4]]);
  assert.deepEqual(one.shares, [0, 0]);
  assert.deepEqual(one.project([5, 5]), [0, 0]);
});

function mixture(weights: number[], means: number[][]): GaussianMixture {
  const shape = [means.length, means[0].length];
  return {
    logWeights: Float64Array.from(weights, Math.log),
    means: ndarray(Float32Array.from(means.flat()), shape),
    deviations: ndarray(new Float32Array(means.flat().length).fill(1), shape),
  };
}

const BEFORE = mixture([0.5, 0.25, 0.25], [[0, 0], [10, 0], [0, 4]]);
const AFTER = mixture([0.2, 0.75, 0.05], [[0, 0], [10, 2], [0, 4]]);
const PREDICTIONS = {
  latents: {
    values: ndarray(Float32Array.of(1, 1, 9, 1, 10, 1), [3, 2]),
    components: Int32Array.of(0, 1, 1),
  },
} as Predictions;
const CHOSEN = { members: [1, 2, 3] } as unknown as Candidate; // 3 is kept

/** Attributes of every element of a kind, as numbers where they are. */
function elements(svg: string, tag: string): Record<string, string>[] {
  return [...svg.matchAll(new RegExp(`<${tag} ([^>]*?)/?>`, "g"))].map((m) =>
    Object.fromEntries(
      [...m[1].matchAll(/([\w-]+)="([^"]*)"/g)].map(([, k, v]) => [k, v]),
    )
  );
}

Deno.test("mixtureFigure() draws bars as high and circles as large as the weights", async () => {
  const svg = await mixtureFigure(BEFORE, AFTER).toSVG();
  const after = elements(svg, "rect").filter((rect) =>
    rect.stroke === SERIES[0] && rect.rx === undefined
  );
  assert.equal(after.length, 3);
  const heights = after.map(({ height }) => Number(height));
  close(heights[0] / heights[1], 0.2 / 0.75, 1e-3);
  close(heights[2] / heights[1], 0.05 / 0.75, 1e-3);
  assert(heights[1] <= 300 && heights[1] > 200);

  const radii = elements(svg, "circle").map(({ r }) => Number(r));
  assert.equal(radii.length, 6);
  close((radii[3] / radii[4]) ** 2, 0.2 / 0.75, 1e-2);
  close((radii[0] / radii[1]) ** 2, 2, 2e-2);
});

Deno.test("mixtureFigure() marks the chosen samples, and an arrow where a mean moved", async () => {
  const figure = mixtureFigure(BEFORE, AFTER, {
    proposal: { candidates: [CHOSEN], predictions: PREDICTIONS },
    chosen: 0,
    title: "First <choice>",
  });
  const svg = await figure.toSVG();
  const dots = elements(svg, "circle").slice(6);
  const legend = dots.slice(-2);
  assert.equal(dots.length - legend.length, 3); // the kept one has no latent
  assert.equal(legend[1].fill, COLOR.ink); // not a color of other marks
  const chosen = dots.filter(({ fill }) => fill === legend[1].fill);
  assert.equal(chosen.length, 2 + 1);

  const arrows = [...svg.matchAll(/<path d="M([\d.]+) ([\d.]+)L[^Z]*"/g)];
  assert.equal(arrows.length, 1);
  const circles = elements(svg, "circle");
  assert.equal(arrows[0][1], circles[1].cx); // from the second mean
  assert.equal(arrows[0][2], circles[1].cy);
  assert(svg.includes("sample of the chosen candidate"));
  assert(svg.includes("First &lt;choice&gt;"));
  assert.match(figure.alt, /largest is now number 2 with 75 %/);
  const { width, height } = await decodePNG(await figure.toPNG({ scale: 1 }));
  assert.deepEqual([width, height], [figure.width, figure.height]);
  for (const { cx, cy, r } of circles.slice(0, 9)) {
    assert(Number(cx) - Number(r) > 456 && Number(cx) + Number(r) < 880);
    assert(Number(cy) - Number(r) > 92 && Number(cy) + Number(r) < 392);
  }
});

Deno.test("mixtureFigure() refuses mixtures of two kinds and a choice there is not", () => {
  const other = mixture([1], [[0, 0]]);
  assert.throws(() => mixtureFigure(BEFORE, other), {
    name: "RangeError",
    message: /current values are \[3,2\] and \[1,2\]/,
  });
  assert.throws(() => mixtureFigure(BEFORE, AFTER, { chosen: 1 }), {
    name: "RangeError",
    message: /chosen must be a candidate of the proposal: current value is 1/,
  });
});
