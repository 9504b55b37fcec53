/**
 * Synthetic targets on real images: the pieces around a place, from
 * segmentations of the image at several scales. They teach the network to
 * segment the thing at a click, of any kind (as ScribblePrompt and UniverSeg
 * do), and that a click has nested answers: part, object, whole.
 *
 * All maps are square, at the decoder's resolution, row-major.
 */

import type { Random } from "../random.ts";
import { guideOf, mergeTree, type Tree } from "./merge_tree.ts";
import {
  componentAt,
  fillHoles,
  resizeMask,
  smoothMask,
} from "./shape_operations.ts";

/** Valid answers to a click at one place. */
export interface Answers {
  /**
   * `levels`: nested things, the smallest first. `manners`: one thing, drawn as
   * `MANNERS` says.
   */
  readonly kind: "levels" | "manners";
  /** Masks, 0 or 1, [side * side]. */
  readonly masks: readonly Uint8Array[];
  /** The manner of each mask, where they are manners. */
  readonly manners?: readonly Manner[];
  /** The pixel that they are answers to; it is in all of them. */
  readonly seed: number;
}

/** How raters of one thing depart from each other. */
export const MANNERS = [
  "plain",
  "strict",
  "generous",
  "smooth",
  "attached",
] as const;

/** One of them. */
export type Manner = typeof MANNERS[number];

/** A level is at least this many times as large as the one below. */
const LEAST_RATIO = 1.6;

/** Share of the region that a target covers, at least and at most. */
const LEAST_SHARE = 0.004, LARGEST_SHARE = 0.45;

/** A target has at most this share of the region's edge. */
const LARGEST_EDGE_SHARE = 0.3;

/** Places tried until one has answers. */
const TRIES = 12;

/** A nested set that could be a level. */
interface Level {
  readonly area: number;
  /** How distinct it is; more distinct sets are drawn more often. */
  readonly score: number;
  mask(): Uint8Array;
}

/** Draws from a Gumbel distribution. */
function gumbel(random: Random): number {
  return -Math.log(-Math.log(Math.min(1 - 1e-12, random.uniform() + 1e-12)));
}

/**
 * Picks up to `count` levels, the distinct ones sooner, each at least
 * `LEAST_RATIO` times as large as the next smaller one; smallest first.
 */
export function pickLevels<L extends Pick<Level, "area" | "score">>(
  levels: readonly L[],
  count: number,
  random: Random,
): L[] {
  const order = levels.map((level) => [level.score + gumbel(random), level])
    .sort(([a], [b]) => (b as number) - (a as number)) as [number, L][];
  const taken: L[] = [];
  for (const [, level] of order) {
    if (taken.length === count) break;
    const apart = taken.every(({ area }) =>
      Math.max(area, level.area) >= LEAST_RATIO * Math.min(area, level.area)
    );
    if (apart) taken.push(level);
  }
  return taken.sort((a, b) => a.area - b.area);
}

/** The pieces of a tree that hold a pixel, from its leaf to the root. */
function levelsOfTree(tree: Tree, seed: number, side: number): Level[] {
  const levels: Level[] = [];
  for (let node = tree.leaf[seed]; node >= 0; node = tree.parent[node]) {
    const parent = tree.parent[node];
    if (!isWorthy(tree.area[node], tree.edge[node], side)) continue;
    const outer = parent < 0 ? tree.cost[node] : tree.cost[parent];
    levels.push({
      area: tree.area[node],
      score: Math.log((outer + 1e-3) / (tree.cost[node] + 1e-3)),
      mask: () => tree.mask(node),
    });
  }
  return levels;
}

/** Whether a set is a target: not too small, too large, or too much at the edge. */
function isWorthy(area: number, edge: number, side: number): boolean {
  const share = area / side ** 2;
  return share >= LEAST_SHARE && share <= LARGEST_SHARE &&
    edge <= LARGEST_EDGE_SHARE * 4 * side;
}

/** Steps of tolerance of a flood. */
const TOLERANCES = 128;

/**
 * How much a pixel's intensity may differ from the seed's for a flood to reach
 * every pixel: connected level sets around the seed, nested.
 *
 * @param guide [side * side * 3].
 * @returns 0 .. `TOLERANCES` - 1, [side * side].
 */
export function floodTolerance(
  guide: Float32Array,
  seed: number,
  side: number,
): Uint8Array {
  const n = side * side;
  const apart = new Float32Array(n);
  let largest = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let c = 0; c < 3; c++) {
      sum += (guide[3 * i + c] - guide[3 * seed + c]) ** 2;
    }
    apart[i] = Math.sqrt(sum);
    if (apart[i] > largest) largest = apart[i];
  }
  const result = new Uint8Array(n);
  if (largest === 0) return result;
  const levelOf = (i: number) =>
    Math.min(TOLERANCES - 1, Math.floor(apart[i] / largest * TOLERANCES));
  const queues: number[][] = Array.from({ length: TOLERANCES }, () => []);
  const seen = new Uint8Array(n);
  queues[0].push(seed);
  seen[seed] = 1;
  for (let level = 0; level < TOLERANCES; level++) {
    const queue = queues[level];
    for (const i of queue) { // grows while it is walked
      result[i] = level;
      const x = i % side, y = (i - x) / side;
      for (
        const j of [
          x > 0 ? i - 1 : -1,
          x < side - 1 ? i + 1 : -1,
          y > 0 ? i - side : -1,
          y < side - 1 ? i + side : -1,
        ]
      ) {
        if (j < 0 || seen[j]) continue;
        seen[j] = 1;
        queues[Math.max(level, levelOf(j))].push(j);
      }
    }
  }
  return result;
}

/** The connected level sets around a seed. */
function levelsOfFlood(
  guide: Float32Array,
  seed: number,
  side: number,
): Level[] {
  const tolerance = floodTolerance(guide, seed, side);
  const area = new Float64Array(TOLERANCES),
    edge = new Float64Array(TOLERANCES);
  for (let i = 0; i < tolerance.length; i++) {
    area[tolerance[i]]++;
    const x = i % side, y = (i - x) / side;
    if (x === 0 || y === 0 || x === side - 1 || y === side - 1) {
      edge[tolerance[i]]++;
    }
  }
  for (let t = 1; t < TOLERANCES; t++) {
    area[t] += area[t - 1];
    edge[t] += edge[t - 1];
  }
  const levels: Level[] = [];
  for (let t = 0; t < TOLERANCES; t++) {
    if (!isWorthy(area[t], edge[t], side)) continue;
    // how far the tolerance may rise before the set grows by a fifth
    let stable = t;
    while (stable + 1 < TOLERANCES && area[stable + 1] < 1.2 * area[t]) {
      stable++;
    }
    levels.push({
      area: area[t],
      score: Math.log(1 + stable - t),
      mask: () => Uint8Array.from(tolerance, (value) => value <= t ? 1 : 0),
    });
  }
  return levels;
}

/** A random star-shaped blob around a place, [side * side]. */
function drawBlob(x: number, y: number, side: number, random: Random) {
  const amplitudes = [0, 0, 0.3, 0.18, 0.12].map((a) => a * random.normal());
  const phases = amplitudes.map(() => 2 * Math.PI * random.uniform());
  const turn = Math.PI * random.uniform();
  const stretch = Math.exp(0.35 * random.normal());
  const cos = Math.cos(turn), sin = Math.sin(turn);
  return (radius: number) => {
    const mask = new Uint8Array(side * side);
    for (let i = 0; i < mask.length; i++) {
      const dx = i % side - x, dy = Math.floor(i / side) - y;
      const u = (cos * dx + sin * dy) * stretch;
      const v = (cos * dy - sin * dx) / stretch;
      const angle = Math.atan2(v, u);
      let reach = 1;
      for (let k = 2; k < amplitudes.length; k++) {
        reach += amplitudes[k] * Math.cos(k * angle - phases[k]);
      }
      if (Math.hypot(u, v) <= radius * Math.max(0.3, reach)) mask[i] = 1;
    }
    return mask;
  };
}

/** Blobs of growing size around a seed, each moved to the edges of small pieces. */
function levelsOfBlob(
  tree: Tree,
  seed: number,
  side: number,
  random: Random,
): Level[] {
  const blob = drawBlob(seed % side, Math.floor(seed / side), side, random);
  let radius = side * (0.05 + 0.08 * random.uniform());
  const levels: Level[] = [];
  const size = new Float64Array(tree.parent.length);
  for (const leaf of tree.leaf) size[leaf]++;
  for (let k = 0; k < 4; k++) {
    const inside = new Float64Array(tree.parent.length);
    blob(radius).forEach((value, i) => inside[tree.leaf[i]] += value);
    inside[tree.leaf[seed]] = size[tree.leaf[seed]];
    const mask = Uint8Array.from(
      tree.leaf,
      (leaf) => 2 * inside[leaf] >= size[leaf] ? 1 : 0,
    );
    const whole = componentAt(mask, seed, side);
    const area = whole.reduce((sum, value) => sum + value, 0);
    let edge = 0;
    for (let i = 0; i < side; i++) {
      edge += whole[i] + whole[(side - 1) * side + i] + whole[i * side] +
        whole[i * side + side - 1];
    }
    if (isWorthy(area, edge, side)) {
      levels.push({ area, score: 0, mask: () => whole });
    }
    radius *= 1.35 + 0.5 * random.uniform();
  }
  return levels;
}

/**
 * Cleans nested masks alike, so that they stay nested: outlines are smoothed,
 * holes filled, and what does not hang together with the seed is left out.
 *
 * @returns Those that still are targets, smallest first.
 */
function clean(
  masks: readonly Uint8Array[],
  seed: number,
  side: number,
  random: Random,
): Uint8Array[] {
  const width = random.uniform() < 0.8
    ? (0.01 + 0.018 * random.uniform()) * side
    : 0;
  const filled = random.uniform() < 0.85;
  const least = LEAST_SHARE * side ** 2;
  const cleaned: Uint8Array[] = [];
  let before = 0;
  for (const mask of masks) {
    let result = smoothMask(mask, width, side);
    if (!result[seed]) continue;
    result = componentAt(result, seed, side);
    if (filled) result = fillHoles(result, side);
    const area = result.reduce((sum, value) => sum + value, 0);
    if (area < Math.max(least, LEAST_RATIO * before)) continue;
    if (area > 1.1 * LARGEST_SHARE * side ** 2) continue;
    before = area;
    cleaned.push(result);
  }
  return cleaned;
}

/** 4 pi area / outline^2: about 1 for a disc, 0.6 for an ellipse of 1 to 4. */
function compactness(mask: Uint8Array, side: number): number {
  let area = 0, outline = 0;
  for (let i = 0; i < mask.length; i++) {
    area += mask[i];
    if (i % side < side - 1 && mask[i] !== mask[i + 1]) outline++;
    if (i < side * (side - 1) && mask[i] !== mask[i + side]) outline++;
  }
  // of an outline of any direction, steps along two axes count 4 / pi too much
  return 4 * Math.PI * area / (outline * Math.PI / 4) ** 2;
}

/** One thing as several raters would draw it. */
function drawManners(
  mask: Uint8Array,
  around: Uint8Array | undefined,
  seed: number,
  side: number,
  random: Random,
): Answers {
  const area = mask.reduce((sum, value) => sum + value, 0);
  const radius = Math.sqrt(area / Math.PI);
  const reach = () => Math.max(0.8, radius * (0.08 + 0.14 * random.uniform()));
  const grown = resizeMask(mask, radius * 0.6, side);
  const drawn: Record<Manner, Uint8Array | undefined> = {
    plain: mask,
    strict: resizeMask(mask, -reach(), side),
    generous: resizeMask(mask, reach(), side),
    smooth: smoothMask(mask, radius * (0.3 + 0.3 * random.uniform()), side),
    // with what hangs on to it nearby
    attached: around && mask.map((v, i) => v | (grown[i] & around[i])),
  };
  const least = LEAST_SHARE * side ** 2 / 2;
  const manners = MANNERS.filter((name) =>
    drawn[name]?.[seed] &&
    drawn[name]!.reduce((sum, value) => sum + value, 0) >= least
  );
  return {
    kind: "manners",
    masks: manners.map((name) => drawn[name]!),
    manners,
    seed,
  };
}

/** A pixel at random, more often in the middle of the region. */
function drawSeed(side: number, random: Random): number {
  const at = () => {
    const place = random.uniform() < 0.7
      ? 0.25 + 0.5 * random.uniform()
      : 0.05 + 0.9 * random.uniform();
    return Math.floor(place * side);
  };
  return at() * side + at();
}

/** The source of targets: one region, segmented once. */
export interface SegmentedRegion {
  readonly side: number;
  readonly guide: Float32Array;
  readonly tree: Tree;
}

/**
 * Segments a region, with a scale and a measure of contrast drawn at random.
 *
 * @param pixels The region as the network sees it, [S, S, 3].
 * @param size S.
 * @param side Side of the masks; S is a multiple of it.
 */
export function segmentRegion(
  pixels: Float32Array,
  size: number,
  side: number,
  random: Random,
): SegmentedRegion {
  const guide = guideOf(pixels, size, side, random.integer(3));
  return { side, guide, tree: mergeTree(guide, side, random) };
}

/**
 * Draws valid answers to a click at a random place of a region: nested pieces of
 * a segmentation at several scales, nested level sets, nested blobs at edges; or
 * one of these as raters of different manners would draw it.
 *
 * @param taken Where the place is not to be, at least 0.5, [side * side].
 * @returns Undefined where no place that was tried has any.
 */
export function drawAnswers(
  { side, guide, tree }: SegmentedRegion,
  random: Random,
  taken?: Float32Array,
): Answers | undefined {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const seed = drawSeed(side, random);
    if (taken && taken[seed] >= 0.5) continue;
    const way = random.uniform();
    const levels = way < 0.6
      ? levelsOfTree(tree, seed, side)
      : way < 0.85
      ? levelsOfFlood(guide, seed, side)
      : levelsOfBlob(tree, seed, side, random);
    const nested = random.uniform() < 0.65;
    const count = nested ? 2 + random.integer(3) : 2;
    const picked = pickLevels(levels, count, random);
    const masks = clean(picked.map((l) => l.mask()), seed, side, random);
    if (masks.length === 0) continue;
    // most things that people mark are compact
    const compact = compactness(masks[0], side);
    if (random.uniform() > 0.2 + 1.6 * compact) continue;
    if (nested && masks.length > 1) return { kind: "levels", masks, seed };
    if (nested && attempt < TRIES / 2) continue;
    return drawManners(masks[0], masks[1], seed, side, random);
  }
  return undefined;
}
