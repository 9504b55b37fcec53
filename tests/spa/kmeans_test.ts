/** K-means on the Gram matrix against K-means on the points themselves. */
import assert from "node:assert/strict";
import { createRandom, type Random } from "../../src/random.ts";
import { gramMatrix, kMeans } from "../../src/spa/kmeans.ts";

type Point = number[];

/** Points around a few centers. */
function drawPoints(
  random: Random,
  n: number,
  dimensions: number,
  centers: number,
  noise: number,
): Point[] {
  const middle = Array.from(
    { length: centers },
    () => Array.from({ length: dimensions }, () => random.normal()),
  );
  // what the Gram matrix is made of: values of a Float32Array
  return Array.from(
    { length: n },
    (_, i) =>
      middle[i % centers].map((value) =>
        Math.fround(value + noise * random.normal())
      ),
  );
}

function gramOf(points: readonly Point[]): Float64Array {
  const rows = Float32Array.from(points.flat());
  return gramMatrix(rows, points.length, points[0].length);
}

const squaredDistance = (a: Point, b: Point) =>
  a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);

/** Weighted centroids of the clusters. */
function centroidsOf(
  points: readonly Point[],
  weights: ArrayLike<number>,
  labels: ArrayLike<number>,
  count: number,
): Point[] {
  const sums = Array.from({ length: count }, () => points[0].map(() => 0));
  const mass = new Array(count).fill(0);
  points.forEach((point, i) => {
    mass[labels[i]] += weights[i];
    point.forEach((value, k) => sums[labels[i]][k] += weights[i] * value);
  });
  return sums.map((sum, k) => sum.map((value) => value / mass[k]));
}

/** Sum of weight times squared distance to the own centroid. */
function inertiaOf(
  points: readonly Point[],
  weights: ArrayLike<number>,
  labels: ArrayLike<number>,
  count: number,
): number {
  const centroids = centroidsOf(points, weights, labels, count);
  return points.reduce(
    (sum, point, i) =>
      sum + weights[i] * squaredDistance(point, centroids[labels[i]]),
    0,
  );
}

/** Lloyd's K-means on the points, random seeds, many restarts. */
function directKMeans(
  points: readonly Point[],
  weights: ArrayLike<number>,
  count: number,
  random: Random,
): { labels: number[]; inertia: number } {
  let best = { labels: [] as number[], inertia: Infinity };
  for (let restart = 0; restart < 60; restart++) {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(random.integer(points.length));
    let centroids = [...chosen].map((i) => points[i]);
    let labels: number[] = [];
    for (let iteration = 0; iteration < 60; iteration++) {
      const next = points.map((point) => {
        const distances = centroids.map((c) => squaredDistance(point, c));
        return distances.indexOf(Math.min(...distances));
      });
      if (next.every((label, i) => label === labels[i])) break;
      labels = next;
      const used = [...new Set(labels)].sort((a, b) => a - b);
      labels = labels.map((label) => used.indexOf(label));
      centroids = centroidsOf(points, weights, labels, used.length);
    }
    const inertia = inertiaOf(points, weights, labels, centroids.length);
    if (inertia < best.inertia) best = { labels, inertia };
  }
  return best;
}

/** Labels renumbered in order of appearance. */
function canonical(labels: ArrayLike<number>): number[] {
  const order = [...new Set(Array.from(labels))];
  return Array.from(labels, (label) => order.indexOf(label));
}

function close(actual: number, expected: number) {
  assert.ok(
    Math.abs(actual - expected) <= 1e-5 * Math.max(1, expected),
    `${actual} is not ${expected}`,
  );
}

for (const weighted of [false, true]) {
  const how = weighted ? "weighted " : "";
  Deno.test(`kMeans() on the Gram matrix gives the clusters and inertia of direct ${how}K-means`, () => {
    for (let trial = 0; trial < 60; trial++) {
      const random = createRandom(trial, Number(weighted));
      const K = 2 + random.integer(4);
      const points = drawPoints(random, 24, 6, K, 0.25);
      const weights = points.map(() => weighted ? random.uniform() + 0.05 : 1);
      const expected = directKMeans(points, weights, K, random);
      const actual = kMeans(gramOf(points), weights, K, random, 60);
      close(actual.inertia, expected.inertia);
      assert.deepEqual(canonical(actual.labels), canonical(expected.labels));
      assert.equal(actual.count, new Set(expected.labels).size);
    }
  });
}

Deno.test("kMeans() finds the best of all partitions of a few points", () => {
  for (let trial = 0; trial < 30; trial++) {
    const random = createRandom(trial, 2);
    const points = drawPoints(random, 7, 2, 7, 0);
    const weights = points.map(() => random.uniform() + 0.1);
    let best = Infinity;
    for (let code = 0; code < 3 ** 6; code++) { // the first point in cluster 0
      let rest = code;
      const raw = [
        0,
        ...Array.from({ length: 6 }, () => {
          const label = rest % 3;
          rest = Math.floor(rest / 3);
          return label;
        }),
      ];
      const labels = canonical(raw);
      const count = Math.max(...labels) + 1;
      best = Math.min(best, inertiaOf(points, weights, labels, count));
    }
    close(kMeans(gramOf(points), weights, 3, random, 40).inertia, best);
  }
});

Deno.test("kMeans() reports the inertia of its labels, each point nearest to its own centroid", () => {
  for (let trial = 0; trial < 100; trial++) {
    const random = createRandom(trial, 3);
    const points = drawPoints(random, 48, 20, 3, 1); // no clear clusters
    const weights = points.map(() => random.uniform());
    const { labels, count, inertia } = kMeans(
      gramOf(points),
      weights,
      4,
      random,
    );
    close(inertia, inertiaOf(points, weights, labels, count));
    const centroids = centroidsOf(points, weights, labels, count);
    points.forEach((point, i) => {
      const distances = centroids.map((c) => squaredDistance(point, c));
      const own = distances[labels[i]];
      assert.ok(own <= Math.min(...distances) + 1e-5);
    });
    assert.deepEqual(new Set(labels), new Set([0, 1, 2, 3].slice(0, count)));
    assert.equal(count, 4);
  }
});

Deno.test("kMeans() gives fewer clusters for fewer distinct points, and none empty", () => {
  const distinct = [[0.3, 1], [0.7, -1], [5, 5]];
  for (let seed = 0; seed < 50; seed++) {
    const random = createRandom(seed, 4);
    const which = Array.from(
      { length: 20 },
      (_, i) => i < 3 ? i : random.integer(3),
    );
    const points = which.map((i) => distinct[i]);
    const { labels, count, inertia } = kMeans(
      gramOf(points),
      points.map(() => 1),
      6,
      random,
    );
    assert.equal(count, 3);
    assert.ok(Math.abs(inertia) < 1e-5);
    assert.deepEqual(canonical(labels), canonical(which));
  }
});

Deno.test("kMeans() gives one cluster for identical points", () => {
  const points = Array.from({ length: 9 }, () => [0.1, 0.2, 0.3]);
  const { labels, count, inertia } = kMeans(
    gramOf(points),
    points.map(() => 1 / 9),
    4,
    createRandom(1),
  );
  assert.equal(count, 1);
  assert.deepEqual([...labels], new Array(9).fill(0));
  assert.ok(Math.abs(inertia) < 1e-9);
});

Deno.test("kMeans() takes points that differ by rounding alone as one", () => {
  const points = Array.from(
    { length: 8 },
    (_, i) => [0.5, 0.25, i < 4 ? 0.3 : 0.3 + 1e-6 * i],
  );
  const weights = points.map(() => 1);
  const { count } = kMeans(gramOf(points), weights, 4, createRandom(1));
  assert.equal(count, 1);
});

Deno.test("kMeans() lets points without weight follow, and never lead", () => {
  // the two points at 10 have no weight: both centers belong to the others
  const points = [[0], [0.1], [1], [1.1], [10], [10.1]];
  const weights = [1, 1, 1, 1, 0, 0];
  for (let seed = 0; seed < 20; seed++) {
    const { labels, inertia } = kMeans(
      gramOf(points),
      weights,
      2,
      createRandom(seed, 5),
    );
    assert.deepEqual(canonical(labels), [0, 0, 1, 1, 1, 1]);
    close(inertia, 4 * 0.05 ** 2);
  }
});
