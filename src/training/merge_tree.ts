/**
 * A hierarchical segmentation: graph-based superpixels (Felzenszwalb and
 * Huttenlocher 2004), merged two by two, the most alike first, into a binary
 * tree (Salembier and Garrido 2000).
 */

import type { Random } from "../random.ts";

/** A binary tree of pieces; children come before their parents. */
export interface Tree {
  /** The smallest piece of each pixel, [side * side]. */
  readonly leaf: Int32Array;
  /** The piece that a piece is merged into, -1 for the last one. */
  readonly parent: Int32Array;
  /** Pixels of each piece. */
  readonly area: Float64Array;
  /** Pixels of each piece at the square's edge. */
  readonly edge: Float64Array;
  /**
   * The difference of the two parts of each piece; 0 for leaves. It never falls
   * from child to parent.
   */
  readonly cost: Float64Array;
  /** A piece's pixels, 0 or 1, [side * side]. */
  mask(piece: number): Uint8Array;
}

/**
 * Prepares a region for segmentation: averaged to the masks' resolution,
 * smoothed by [1, 2, 1] / 4 along both axes, and scaled to a standard deviation
 * of 1 over all.
 *
 * @param pixels [size, size, 3].
 * @param side Side of the masks; `size` is a multiple of it.
 * @param passes How often it is smoothed.
 * @returns [side * side * 3].
 */
export function guideOf(
  pixels: Float32Array,
  size: number,
  side: number,
  passes: number,
): Float32Array {
  const factor = size / side;
  let guide: Float32Array = new Float32Array(side * side * 3);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const at = 3 *
        (Math.floor(row / factor) * side + Math.floor(column / factor));
      for (let c = 0; c < 3; c++) {
        guide[at + c] += pixels[3 * (row * size + column) + c] / factor ** 2;
      }
    }
  }
  for (let pass = 0; pass < passes; pass++) {
    for (const step of [3, 3 * side]) guide = smoothAxis(guide, side, step);
  }
  let mean = 0, square = 0;
  for (const value of guide) {
    mean += value / guide.length;
    square += value * value / guide.length;
  }
  const deviation = Math.sqrt(Math.max(0, square - mean * mean)) || 1;
  return guide.map((value) => (value - mean) / deviation);
}

/** One pass of [1, 2, 1] / 4; edges repeat. */
function smoothAxis(guide: Float32Array, side: number, step: number) {
  const out = new Float32Array(guide.length);
  for (let i = 0; i < guide.length; i++) {
    const pixel = Math.floor(i / 3);
    const place = step === 3 ? pixel % side : Math.floor(pixel / side);
    const before = place > 0 ? guide[i - step] : guide[i];
    const after = place < side - 1 ? guide[i + step] : guide[i];
    out[i] = (before + 2 * guide[i] + after) / 4;
  }
  return out;
}

/** Distance of two pixels' values. */
function distance(guide: Float32Array, i: number, j: number): number {
  return Math.hypot(
    guide[3 * i] - guide[3 * j],
    guide[3 * i + 1] - guide[3 * j + 1],
    guide[3 * i + 2] - guide[3 * j + 2],
  );
}

/** Pairs of neighbors, row-major, and how much they differ. */
function neighborPairs(guide: Float32Array, side: number) {
  const count = 2 * side * (side - 1);
  const from = new Int32Array(count), to = new Int32Array(count);
  const weight = new Float32Array(count);
  let k = 0;
  for (let i = 0; i < side * side; i++) {
    if (i % side < side - 1) [from[k], to[k++]] = [i, i + 1];
    if (i < side * (side - 1)) [from[k], to[k++]] = [i, i + side];
  }
  for (k = 0; k < count; k++) weight[k] = distance(guide, from[k], to[k]);
  return { from, to, weight };
}

/** Disjoint sets of pixels. */
class Forest {
  readonly #parent: Int32Array;
  readonly size: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
    this.size = new Int32Array(count).fill(1);
  }

  root(i: number): number {
    while (this.#parent[i] !== i) {
      this.#parent[i] = this.#parent[this.#parent[i]];
      i = this.#parent[i];
    }
    return i;
  }

  join(a: number, b: number): number {
    if (this.size[a] < this.size[b]) [a, b] = [b, a];
    this.#parent[b] = a;
    this.size[a] += this.size[b];
    return a;
  }
}

/**
 * Superpixels of a guide.
 *
 * @param scale The larger, the larger they are.
 * @param least Pixels of the smallest one.
 * @returns The superpixel of each pixel, numbered from 0, and their number.
 */
export function superpixels(
  guide: Float32Array,
  side: number,
  scale: number,
  least: number,
): { labels: Int32Array; count: number } {
  const n = side * side;
  const { from, to, weight } = neighborPairs(guide, side);
  const order = Int32Array.from({ length: weight.length }, (_, k) => k)
    .sort((a, b) => weight[a] - weight[b]);
  const forest = new Forest(n);
  const inner = new Float32Array(n); // the largest difference within
  for (const k of order) {
    const a = forest.root(from[k]), b = forest.root(to[k]);
    if (a === b) continue;
    const tolerated = Math.min(
      inner[a] + scale / forest.size[a],
      inner[b] + scale / forest.size[b],
    );
    if (weight[k] <= tolerated) inner[forest.join(a, b)] = weight[k];
  }
  for (const k of order) {
    const a = forest.root(from[k]), b = forest.root(to[k]);
    if (a === b) continue;
    if (Math.min(forest.size[a], forest.size[b]) < least) forest.join(a, b);
  }
  const names = new Int32Array(n).fill(-1);
  const labels = new Int32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const root = forest.root(i);
    if (names[root] < 0) names[root] = count++;
    labels[i] = names[root];
  }
  return { labels, count };
}

/** The border between two neighboring pieces. */
interface Border {
  length: number;
  /** Sum of the differences across it. */
  contrast: number;
}

/** Superpixels at most: a coarser scale is taken where there are more. */
const MOST_LEAVES = 300;

/**
 * Builds the tree of a guide.
 *
 * @param guide See `guideOf`.
 * @param random Draws the scale of the leaves, and how much size counts.
 */
export function mergeTree(
  guide: Float32Array,
  side: number,
  random: Random,
): Tree {
  const n = side * side;
  let scale = Math.exp(0.5 * random.normal()) * 1.5;
  const least = Math.max(2, Math.round(n * 0.0008));
  let found = superpixels(guide, side, scale, least);
  while (found.count > MOST_LEAVES) {
    scale *= 2;
    found = superpixels(guide, side, scale, Math.ceil(least * scale));
  }
  const { labels, count } = found;
  const nodes = 2 * count - 1;
  const parent = new Int32Array(nodes).fill(-1);
  const area = new Float64Array(nodes), edge = new Float64Array(nodes);
  const cost = new Float64Array(nodes);
  const sums = new Float64Array(3 * nodes);
  for (let i = 0; i < n; i++) {
    const label = labels[i], x = i % side, y = (i - x) / side;
    area[label]++;
    if (x === 0 || y === 0 || x === side - 1 || y === side - 1) edge[label]++;
    for (let c = 0; c < 3; c++) sums[3 * label + c] += guide[3 * i + c];
  }
  const around: Map<number, Border>[] = Array.from(
    { length: nodes },
    () => new Map(),
  );
  const touch = (a: number, b: number, length: number, contrast: number) => {
    const border = around[a].get(b) ?? { length: 0, contrast: 0 };
    border.length += length;
    border.contrast += contrast;
    around[a].set(b, border);
    around[b].set(a, border);
  };
  const { from, to, weight } = neighborPairs(guide, side);
  for (let k = 0; k < weight.length; k++) {
    const a = labels[from[k]], b = labels[to[k]];
    if (a !== b) touch(a, b, 1, weight[k]);
  }

  const ofSize = 0.1 + 0.4 * random.uniform(), ofBorder = random.uniform();
  const unlike = (a: number, b: number, { length, contrast }: Border) => {
    let squared = 0;
    for (let c = 0; c < 3; c++) {
      squared += (sums[3 * a + c] / area[a] - sums[3 * b + c] / area[b]) ** 2;
    }
    const size = 2 * area[a] * area[b] / (area[a] + area[b]);
    return ((1 - ofBorder) * Math.sqrt(squared) +
      ofBorder * contrast / length) * size ** ofSize;
  };
  const alive = new Set(Array.from({ length: count }, (_, i) => i));
  // the most alike neighbor of every piece, found again where it changed
  const nearest = new Int32Array(nodes).fill(-1);
  const least2 = new Float64Array(nodes).fill(Infinity);
  const findNearest = (a: number) => {
    nearest[a] = -1;
    least2[a] = Infinity;
    for (const [b, border] of around[a]) {
      const value = unlike(a, b, border);
      if (value < least2[a]) [nearest[a], least2[a]] = [b, value];
    }
  };
  for (const a of alive) findNearest(a);
  for (let next = count; next < nodes; next++) {
    let a = -1;
    for (const i of alive) if (a < 0 || least2[i] < least2[a]) a = i;
    const b = nearest[a];
    cost[next] = Math.max(least2[a], cost[a], cost[b]);
    parent[a] = parent[b] = next;
    area[next] = area[a] + area[b];
    edge[next] = edge[a] + edge[b];
    for (let c = 0; c < 3; c++) {
      sums[3 * next + c] = sums[3 * a + c] + sums[3 * b + c];
    }
    alive.delete(a);
    alive.delete(b);
    alive.add(next);
    for (const old of [a, b]) {
      for (const [other, { length, contrast }] of around[old]) {
        around[other].delete(old);
        if (other !== a && other !== b) touch(next, other, length, contrast);
      }
      around[old].clear();
    }
    for (const other of around[next].keys()) findNearest(other);
    findNearest(next);
  }
  return {
    leaf: labels,
    parent,
    area,
    edge,
    cost,
    mask(piece) {
      const inside = new Uint8Array(nodes);
      inside[piece] = 1;
      for (let i = piece - 1; i >= 0; i--) {
        if (parent[i] >= 0 && inside[parent[i]]) inside[i] = 1;
      }
      return Uint8Array.from(labels, (label) => inside[label]);
    },
  };
}
