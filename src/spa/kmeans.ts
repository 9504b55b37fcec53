/**
 * Weighted K-means on a Gram matrix: with few points of many dimensions, every
 * distance to a centroid follows exactly from the points' inner products, so
 * that restarts cost next to nothing. Clusters with the same mask are joined.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Random } from "../random.ts";

/**
 * Gram matrices [n, n] of maps [n, height, width] that an engine has computed,
 * of the maps less one that is the same for all. Whoever makes new maps of them
 * has none, and `gramMatrix` computes it.
 */
export const knownGrams: WeakMap<NdArray<Float32Array>, Float64Array> =
  new WeakMap();

/**
 * Inner products of all pairs of rows, less the rows' mean.
 *
 * @param rows Points, row-major, [n, dimensions].
 * @returns [n, n], row-major.
 */
export function gramMatrix(
  rows: Float32Array,
  n: number,
  dimensions: number,
): Float64Array {
  const mean = new Float64Array(dimensions);
  rows.forEach((value, i) => mean[i % dimensions] += value / n);
  const centered = rows.map((value, i) => value - mean[i % dimensions]);
  const gram = new Float64Array(n * n);
  const row = (i: number) =>
    centered.subarray(i * dimensions, (i + 1) * dimensions);
  for (let i = 0; i < n; i++) {
    const a = row(i);
    for (let j = 0; j <= i; j++) {
      const b = row(j);
      let sum = 0;
      for (let k = 0; k < dimensions; k++) sum += a[k] * b[k];
      gram[i * n + j] = gram[j * n + i] = sum;
    }
  }
  return gram;
}

/** A partition of points into clusters. */
export interface Clustering {
  /** Cluster of each point, 0 .. count - 1. */
  readonly labels: Int32Array;
  /** Number of clusters, at most the number asked for; none is empty. */
  readonly count: number;
  /** Sum over points of weight times squared distance to the own centroid. */
  readonly inertia: number;
}

/** The points of every cluster, in order. */
export function membersOf(
  { labels, count }: Pick<Clustering, "labels" | "count">,
): number[][] {
  const members = Array.from({ length: count }, (): number[] => []);
  labels.forEach((k, i) => members[k].push(i));
  return members;
}

/**
 * Points are taken as one where they are no farther apart than two maps that
 * differ by 0.01 in one pixel, squared, or than the rounding of a Gram matrix in
 * float32, as a share of its largest entry.
 */
const SAME = 1e-4, ROUNDING = 1e-6;

/**
 * K-means with k-means++ seeding; of several restarts the lowest inertia wins.
 *
 * @param gram Inner products of the points, [n, n].
 * @param weights Weight of each point, [n], not negative.
 * @param count Clusters K; fewer distinct points give fewer clusters.
 * @param random Stream for the seeding.
 * @param restarts Number of restarts.
 */
export function kMeans(
  gram: Float64Array,
  weights: ArrayLike<number>,
  count: number,
  random: Random,
  restarts = 8,
): Clustering {
  let best: Clustering | undefined;
  for (let i = 0; i < restarts; i++) {
    const labels = seed(gram, weights, count, random);
    const result = descend(gram, weights, labels);
    if (!best || result.inertia < best.inertia) best = result;
  }
  return best!;
}

/** Chooses seeds by k-means++ and assigns every point to its nearest one. */
function seed(
  gram: Float64Array,
  weights: ArrayLike<number>,
  count: number,
  random: Random,
): Int32Array {
  const n = weights.length;
  const labels = new Int32Array(n);
  const nearest = new Float64Array(n).fill(Infinity);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, gram[i * n + i]);
  const same = Math.max(SAME, ROUNDING * largest);

  const add = (center: number, label: number) => {
    for (let i = 0; i < n; i++) {
      let distance = gram[i * n + i] + gram[center * n + center] -
        2 * gram[i * n + center];
      if (distance < same) distance = 0;
      if (distance < nearest[i]) {
        nearest[i] = distance;
        labels[i] = label;
      }
    }
  };
  add(draw(weights, random)!, 0);
  for (let k = 1; k < count; k++) {
    const chances = nearest.map((distance, i) => distance * weights[i]);
    const center = draw(chances, random);
    if (center === undefined) break;
    add(center, k);
  }
  return labels;
}

/** An index drawn with chances in proportion to `chances`, if any is positive. */
function draw(chances: ArrayLike<number>, random: Random): number | undefined {
  let total = 0;
  for (let i = 0; i < chances.length; i++) total += chances[i];
  if (!(total > 0)) return undefined;
  let rest = random.uniform() * total;
  let last: number | undefined;
  for (let i = 0; i < chances.length; i++) {
    if (chances[i] <= 0) continue;
    last = i;
    rest -= chances[i];
    if (rest < 0) break;
  }
  return last;
}

/** Lloyd's iterations until no label changes. */
function descend(
  gram: Float64Array,
  weights: ArrayLike<number>,
  labels: Int32Array,
): Clustering {
  const n = labels.length;
  let inertia = Infinity;
  for (let iteration = 0; iteration < 100; iteration++) {
    const count = dropEmpty(labels);
    const mass = new Float64Array(count);
    const toCluster = new Float64Array(n * count); // sum_j in k of w_j <i, j>
    for (let j = 0; j < n; j++) mass[labels[j]] += weights[j];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        toCluster[i * count + labels[j]] += weights[j] * gram[i * n + j];
      }
    }
    const norm = new Float64Array(count); // squared norm of the mass * centroid
    for (let i = 0; i < n; i++) {
      norm[labels[i]] += weights[i] * toCluster[i * count + labels[i]];
    }
    let changed = false;
    inertia = 0;
    for (let i = 0; i < n; i++) {
      let nearest = labels[i];
      let least = Infinity;
      for (let k = 0; k < count; k++) {
        if (mass[k] <= 0) continue;
        const distance = gram[i * n + i] -
          2 * toCluster[i * count + k] / mass[k] +
          norm[k] / mass[k] ** 2;
        if (
          distance < least - 1e-12 || (k === labels[i] && distance <= least)
        ) {
          least = distance;
          nearest = k;
        }
      }
      if (nearest !== labels[i]) changed = true;
      labels[i] = nearest;
      inertia += weights[i] * Math.max(0, least);
    }
    if (!changed) break;
  }
  return { labels, count: dropEmpty(labels), inertia };
}

/** Renumbers labels so that no number is unused; returns how many there are. */
function dropEmpty(labels: Int32Array): number {
  const numbers = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    let number = numbers.get(labels[i]);
    if (number === undefined) numbers.set(labels[i], number = numbers.size);
    labels[i] = number;
  }
  return numbers.size;
}

/** Samples whose mean is one mask. */
export interface Group {
  /** Their indices, ascending. */
  readonly members: readonly number[];
  /** Their mean probability, [m, m]. */
  readonly probability: NdArray<Float32Array>;
  /** The mask at the image's pixels in the region, 0 or 1. */
  readonly mask: Uint8Array;
}

/** Whether two masks of one size are the same. */
function sameMask({ mask: a }: Group, { mask: b }: Group): boolean {
  return a.every((value, i) => value === b[i]);
}

/**
 * Joins groups whose masks are the same. Then the joint mean has that mask too.
 */
function joinEqual(
  groups: readonly Group[],
  join: (members: number[]) => Group,
) {
  const joined: Group[] = [];
  for (const group of groups) {
    const at = joined.findIndex((other) => sameMask(group, other));
    if (at < 0) {
      joined.push(group);
      continue;
    }
    const members = [...joined[at].members, ...group.members];
    joined[at] = join(members.sort((a, b) => a - b));
  }
  return joined;
}

/**
 * Groups of samples with `count` distinct masks, or fewer where there are no
 * more: where means of K clusters make the same mask, more clusters are tried.
 *
 * @param clusterInto Clusters the samples into so many clusters.
 * @param groupOf The group of some of the samples.
 */
export function distinctGroups(
  count: number,
  clusterInto: (count: number) => Clustering,
  groupOf: (members: number[]) => Group,
): Group[] {
  let best: Group[] = [];
  for (let tried = count; tried <= 2 * count; tried++) {
    const { labels, count: found } = clusterInto(tried);
    const groups = membersOf({ labels, count: found }).map(groupOf);
    const distinct = joinEqual(groups, groupOf);
    if (distinct.length > best.length && distinct.length <= count) {
      best = distinct;
    }
    if (best.length === count || found < tried) break;
  }
  return best;
}
