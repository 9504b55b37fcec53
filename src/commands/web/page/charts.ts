/**
 * The page's two charts: Dice from step to step, and the preference distribution
 * that moves.
 *
 * @module
 */
import { principalPlane } from "../../../figures/principal_plane.ts";
import type { GaussianMixture } from "../../../spa/mixture.ts";
import type { Latents } from "../../../spa/sample_gmm.ts";

type Attributes = Readonly<Record<string, string | number>>;

/** An element of SVG. */
function svg(name: string, attributes: Attributes, text?: string): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(element, attributes);
  if (text !== undefined) element.textContent = text;
  return element;
}

function set(element: SVGElement, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, `${value}`);
  }
}

/** Steps that the axis has room for, at least. */
const STEPS = 6;

/**
 * Draws Dice by step.
 *
 * @param values One per step, 0..1, or undefined where no reference is known.
 */
export function drawDice(
  root: SVGSVGElement,
  values: readonly number[] | undefined,
): void {
  root.replaceChildren();
  if (!values?.length) {
    const reason = values
      ? "Dice appears with the first click"
      : "needs a reference mask";
    root.setAttribute("aria-label", reason);
    root.append(
      svg("text", { x: 160, y: 85, "text-anchor": "middle" }, reason),
    );
    return;
  }
  const low = Math.max(0, Math.floor(10 * Math.min(...values, 0.8)) / 10);
  const last = values.length - 1;
  const [left, right, top, bottom] = [32, 306, 12, 140];
  const step = (right - left) / Math.max(STEPS, last);
  const x = (i: number) => left + i * step;
  const y = (value: number) =>
    bottom - (bottom - top) * (value - low) / (1 - low);
  const spacing = 1 - low > 0.5 ? 0.2 : 0.1;
  for (let tick = 1; tick > low - 1e-9; tick -= spacing) {
    const at = y(tick);
    root.append(
      svg("line", { class: "rule", x1: left, x2: right, y1: at, y2: at }),
      svg(
        "text",
        { x: left - 6, y: at + 4, "text-anchor": "end" },
        tick.toFixed(1),
      ),
    );
  }
  const every = Math.ceil(Math.max(STEPS, last) / 12);
  for (let i = 0; i <= Math.max(STEPS, last); i += every) {
    root.append(
      svg("text", { x: x(i), y: bottom + 16, "text-anchor": "middle" }, `${i}`),
    );
  }
  root.append(
    svg("text", {
      x: (left + right) / 2,
      y: bottom + 30,
      "text-anchor": "middle",
    }, "step"),
    svg("polyline", {
      class: "curve",
      points: values.map((value, i) => `${x(i)},${y(value)}`).join(" "),
    }),
    ...values.map((value, i) =>
      svg("circle", { class: "dot", cx: x(i), cy: y(value), r: 4 })
    ),
    svg("text", {
      class: "value",
      x: Math.min(x(last) + 7, right - 24),
      y: Math.max(y(values[last]) - 8, top + 4),
    }, values[last].toFixed(3)),
  );
  const list = values.map((value) => value.toFixed(3)).join(", ");
  root.setAttribute("aria-label", `Dice by step: ${list}`);
}

type Place = readonly [number, number];

/** Components of less weight get no number. */
const NUMBERED = 0.1;
/** Radius of a component of weight 1. */
const RADIUS = 52;
const WIDTH = 320, HEIGHT = 210, ROOM = 24;

/**
 * The mixture in the plane in which its first means and samples spread the most.
 * The plane stays for a session, so that what moves has moved.
 */
export class MixtureChart {
  readonly #root: SVGSVGElement;
  #project?: (latent: ArrayLike<number>) => Place;
  #places: Place[] = [];
  #components: SVGElement[] = [];
  #samples: SVGElement[] = [];
  #others = svg("g", {});

  constructor(root: SVGSVGElement) {
    this.#root = root;
    this.clear();
  }

  /** Forgets the session. */
  clear(): void {
    this.#project = undefined;
    this.#places = [];
    this.#components = [];
    this.#samples = [];
    this.#others = svg("g", {});
    const reason = "appears with the first click";
    this.#root.replaceChildren(
      svg(
        "text",
        { x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle" },
        reason,
      ),
    );
    this.#root.setAttribute("aria-label", reason);
  }

  /**
   * Shows a mixture, with where it was before, and the samples drawn from it.
   */
  show(now: GaussianMixture, before: GaussianMixture, latents: Latents): void {
    const means = rowsOf(now.means), samples = rowsOf(latents.values);
    if (!this.#project) {
      this.#project = principalPlane([...means, ...samples]).project;
      this.#root.replaceChildren();
      this.#components = means.map(() => svg("circle", { class: "component" }));
      this.#samples = samples.map(() =>
        svg("circle", { class: "sample", r: 1.8 })
      );
      this.#root.append(...this.#components, ...this.#samples, this.#others);
    }
    const project = this.#project;
    const [to, from] = [means, rowsOf(before.means)].map((rows) =>
      rows.map((row) => project(row))
    );
    const dots = samples.map((row) => project(row));
    this.#places.push(...to, ...dots);
    const fit = fitInto(this.#places);
    const weights = Array.from(now.logWeights, Math.exp);
    const old = Array.from(before.logWeights, Math.exp);
    to.forEach((place, m) => {
      const [cx, cy] = fit(place);
      const r = Math.max(2, RADIUS * Math.sqrt(weights[m]));
      set(this.#components[m], { cx, cy, r });
    });
    dots.forEach((place, n) => {
      const [cx, cy] = fit(place);
      set(this.#samples[n], { cx, cy });
    });
    this.#others.replaceChildren(
      ...(now === before ? [] : from.flatMap((place, m) => {
        const [x1, y1] = fit(place), [x2, y2] = fit(to[m]);
        const r = Math.max(2, RADIUS * Math.sqrt(old[m]));
        return [
          svg("circle", { class: "before", cx: x1, cy: y1, r }),
          svg("line", { class: "path", x1, y1, x2, y2 }),
        ];
      })),
      ...to.flatMap((place, m) => {
        if (weights[m] < NUMBERED) return [];
        const [x, y] = fit(place);
        const label = `${Math.round(100 * weights[m])} %`;
        return [svg("text", { class: "number", x, y: y + 4 }, label)];
      }),
    );
    const largest = weights.indexOf(Math.max(...weights));
    this.#root.setAttribute(
      "aria-label",
      `The preference distribution: ${weights.length} components, the largest has ${
        Math.round(100 * weights[largest])
      } % of the weight${
        now === before
          ? ""
          : `, before it had ${Math.round(100 * old[largest])} %`
      }`,
    );
  }

  /** Marks the samples behind a candidate, by their indices; none unmarks all. */
  mark(members: readonly number[] = []): void {
    const marked = new Set(members);
    this.#samples.forEach((dot, n) =>
      dot.classList.toggle("member", marked.has(n))
    );
  }
}

/** From the plane into the chart, with equal units on both axes. */
function fitInto(places: readonly Place[]): (place: Place) => Place {
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const unit = Math.min(
    (WIDTH - 2 * ROOM) / Math.max(right - left, 1e-9),
    (HEIGHT - 2 * ROOM) / Math.max(high - low, 1e-9),
  );
  return ([x, y]) => [
    WIDTH / 2 + (x - (left + right) / 2) * unit,
    HEIGHT / 2 - (y - (low + high) / 2) * unit,
  ];
}

/** Rows of an array [rows, columns]. */
function rowsOf({ shape, data }: GaussianMixture["means"]): Float32Array[] {
  const [rows, columns] = shape;
  return Array.from(
    { length: rows },
    (_, r) => data.subarray(r * columns, (r + 1) * columns) as Float32Array,
  );
}
