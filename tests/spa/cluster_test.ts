import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom, type Random } from "../../src/random.ts";
import { cluster, meanMap, momentsOf } from "../../src/spa/cluster.ts";
import { type Frame, frameOf } from "../../src/spa/frame.ts";
import { knownGrams } from "../../src/spa/kmeans.ts";
import { drawVariations, type Predictions } from "../../src/spa/predictions.ts";
import { close } from "../helpers/close.ts";

/** Predictions from rows of probabilities, side x side each. */
function predictionsOf(
  rows: readonly number[][],
  shares: readonly number[] = rows.map(() => 1 / rows.length),
  frame?: Frame,
): Predictions {
  const side = Math.sqrt(rows[0].length);
  const components = Int32Array.from(rows, (_, i) => i % 3);
  return {
    probabilities: ndarray(Float32Array.from(rows.flat()), [
      rows.length,
      side,
      side,
    ]),
    components,
    shares: Float64Array.from(shares),
    latents: {
      values: ndarray(new Float32Array(), [0, 1]),
      components,
      seed: 0,
    },
    frame: frame ?? frameOf(side, side, side),
  };
}

// Four pixels; the image is as large as the map, so nothing is interpolated.
const rows = [
  [0.9, 0.8, 0.2, 0.1], // two much alike
  [0.9, 0.6, 0.2, 0.1],
  [0.1, 0.4, 0.9, 0.1], // and another
];
const shares = [0.3, 0.2, 0.5];

Deno.test("cluster() recommends the weighted mean probability, thresholded", () => {
  const { recommended } = cluster(predictionsOf(rows, shares), {
    candidates: 2,
  });
  // .3 * .9 + .2 * .9 + .5 * .1 = .5, .3 * .8 + .2 * .6 + .5 * .4 = .56 ...
  close(recommended.probability.data, [0.5, 0.56, 0.55, 0.1]);
  assert.deepEqual([...recommended.mask.data].slice(1), [1, 1, 0]);
  const equal = cluster(predictionsOf(rows), { candidates: 2 }).recommended;
  close(equal.probability.data, [1.9 / 3, 0.6, 1.3 / 3, 0.1]);
  assert.deepEqual([...equal.mask.data], [1, 1, 0, 0]);
});

Deno.test("meanMap() of certain samples is certain, whatever their shares", () => {
  const random = createRandom(4);
  const maps = new Float32Array(96).fill(1);
  for (let trial = 0; trial < 200; trial++) {
    const shares = Float64Array.from({ length: 96 }, () => random.uniform());
    assert.equal(meanMap(maps, shares, [...shares.keys()])[0], 1);
  }
});

Deno.test("cluster() gives the clusters' weighted means as candidates, the largest share first", () => {
  const { candidates } = cluster(predictionsOf(rows, [0.3, 0.1, 0.6]), {
    candidates: 2,
  });
  assert.deepEqual(candidates.map(({ members }) => members), [[2], [0, 1]]);
  close(candidates.map(({ share }) => share), [0.6, 0.4]);
  close(candidates[0].probability.data, [0.1, 0.4, 0.9, 0.1]);
  close(candidates[1].probability.data, [0.9, 0.75, 0.2, 0.1]);
  assert.deepEqual([...candidates[0].mask.data], [0, 0, 1, 0]);
  assert.deepEqual([...candidates[1].mask.data], [1, 1, 0, 0]);
});

Deno.test("cluster() says what each candidate adds to the recommendation and removes", () => {
  const { recommended, candidates } = cluster(
    predictionsOf(rows, [0.3, 0.1, 0.6]),
    { candidates: 2 },
  );
  // .3 * .9 + .1 * .9 + .6 * .1 = .42, .54, .62, .1
  assert.deepEqual([...recommended.mask.data], [0, 1, 1, 0]);
  assert.deepEqual([...candidates[0].added.data], [0, 0, 0, 0]);
  assert.deepEqual([...candidates[0].removed.data], [0, 1, 0, 0]);
  assert.deepEqual([...candidates[1].added.data], [1, 0, 0, 0]);
  assert.deepEqual([...candidates[1].removed.data], [0, 0, 1, 0]);
});

Deno.test("cluster() gives the entropy of the mean in nats, 0 to ln 2", () => {
  const { entropy, recommended } = cluster(
    predictionsOf([[0.5, 0, 1, 0.1], [0.5, 0, 1, 0.3]]),
  );
  assert.deepEqual([...recommended.mask.data], [1, 0, 1, 0]); // a half is in
  // -.2 ln .2 - .8 ln .8
  close(entropy.data, [Math.LN2, 0, 0, 0.5004024235], 1e-6);
});

Deno.test("cluster() measures spread as the mean weighted deviation of the samples", () => {
  // pixel 1: values 0 and 1 with shares 1/4 and 3/4: sqrt(3) / 4; the rest 0
  const { spread } = cluster(
    predictionsOf([[0, 0.5, 1, 0], [1, 0.5, 1, 0]], [0.25, 0.75]),
  );
  close([spread], [Math.sqrt(3) / 16]);
  close([
    momentsOf(
      Float32Array.of(0.2, 0.8, 0.2, 0.8),
      Float64Array.of(0.5, 0.5),
    ).spread,
  ], [0]);
});

Deno.test("cluster() has its candidates' members and shares cover all samples once", () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = createRandom(seed);
    const maps = Array.from(
      { length: 48 },
      () => Array.from({ length: 36 }, () => random.uniform()),
    );
    const raw = maps.map(() => random.uniform());
    const total = raw.reduce((a, b) => a + b);
    const own = raw.map((value) => value / total);
    const { candidates, entropy } = cluster(predictionsOf(maps, own), { seed });
    assert.equal(candidates.length, 4);
    close([candidates.reduce((sum, { share }) => sum + share, 0)], [1], 1e-9);
    const members = candidates.flatMap(({ members }) => members);
    assert.deepEqual(members.toSorted((a, b) => a - b), [...maps.keys()]);
    candidates.forEach(({ share, members }, k) => {
      assert.ok(k === 0 || share <= candidates[k - 1].share);
      close([share], [members.reduce((sum, i) => sum + own[i], 0)], 1e-9);
    });
    assert.ok(entropy.data.every((e) => e >= 0 && e <= Math.LN2 + 1e-6));
  }
});

/** Samples of 36 pixels and as many variations, with the Gram matrix of both. */
async function varied(samples: Float32Array, random: Random) {
  const n = samples.length / 36;
  const even = new Float64Array(n).fill(1 / n);
  const { maps, gram } = await drawVariations(samples, even, n, random);
  const all = [...samples, ...maps];
  const predictions = predictionsOf(
    Array.from({ length: 2 * n }, (_, i) => all.slice(36 * i, 36 * (i + 1))),
  );
  return { predictions, gram };
}

Deno.test("cluster() goes by the Gram matrix that the engine has computed", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const random = createRandom(seed);
    const samples = Float32Array.from({ length: 12 * 36 }, random.uniform);
    const { predictions, gram } = await varied(samples, random);
    const members = () =>
      cluster(predictions, { seed }).candidates.map(({ members }) => members);
    const own = members();
    knownGrams.set(predictions.probabilities, gram);
    assert.deepEqual(members(), own);
    knownGrams.set(predictions.probabilities, gram.toReversed());
    assert.notDeepEqual(members(), own);
  }
});

Deno.test("cluster() gives one candidate for samples that hardly differ, and their variations", async () => {
  for (const noise of [0, 1e-7, 5e-5]) {
    const random = createRandom(6);
    const map = Float32Array.from({ length: 36 }, random.uniform);
    const samples = Float32Array.from(
      { length: 48 * 36 },
      (_, i) => map[i % 36] * (1 - noise * random.uniform()),
    );
    const { predictions, gram } = await varied(samples, random);
    assert.equal(cluster(predictions).candidates.length, 1);
    knownGrams.set(predictions.probabilities, gram);
    assert.equal(cluster(predictions).candidates.length, 1);
  }
});

Deno.test("cluster() gives one candidate, the recommendation, for identical predictions", () => {
  const { candidates, recommended, spread } = cluster(
    predictionsOf(Array.from({ length: 48 }, () => [0.9, 0.2, 0.6, 0.4])),
  );
  assert.equal(candidates.length, 1);
  close([candidates[0].share], [1], 1e-9);
  assert.equal(candidates[0].members.length, 48);
  assert.deepEqual(candidates[0].mask.data, recommended.mask.data);
  assert.ok(candidates[0].added.data.every((value) => value === 0));
  assert.ok(candidates[0].removed.data.every((value) => value === 0));
  assert.ok(spread < 1e-6);
});

Deno.test("cluster() gives fewer candidates than asked for where fewer are distinct", () => {
  const third = [0.9, 0.8, 0.9, 0.1];
  const maps = Array.from({ length: 12 }, (_, i) => [...rows, third][i % 4]);
  const { candidates } = cluster(predictionsOf(maps), { candidates: 8 });
  // the first two of the four maps have the same mask
  assert.deepEqual(candidates.map(({ members }) => members.length), [6, 3, 3]);
});

Deno.test("cluster() finds another mask where the means of K clusters have the same", () => {
  const certain = [0.95, 0.95, 0.1, 0.1], doubtful = [0.55, 0.55, 0.45, 0.45];
  const other = [0.55, 0.55, 0.55, 0.45];
  const maps = [
    ...new Array(10).fill(certain),
    ...new Array(10).fill(doubtful),
    other,
    other,
  ];
  // the two clusters are the certain ones and the rest, whose mean is the same mask
  const { candidates } = cluster(predictionsOf(maps), { candidates: 2 });
  assert.deepEqual(candidates.map(({ members }) => members.length), [20, 2]);
  assert.deepEqual([...candidates[0].mask.data], [1, 1, 0, 0]);
  assert.deepEqual([...candidates[1].mask.data], [1, 1, 1, 0]);
  assert.deepEqual(
    candidates[0].members,
    candidates[0].members.toSorted((a, b) => a - b),
  );
});

Deno.test("cluster() never gives two candidates of the same mask", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = createRandom(seed, 3);
    const maps = Array.from({ length: 24 }, () => {
      const size = 0.5 + 0.2 * random.normal(); // all near one threshold
      return Array.from(
        { length: 9 },
        (_, i) => Math.min(1, Math.max(0, size + (i - 4) / 8)),
      );
    });
    const { candidates } = cluster(predictionsOf(maps));
    const masks = candidates.map(({ mask }) => [...mask.data].join(""));
    assert.equal(new Set(masks).size, masks.length);
    const all = candidates.flatMap(({ members }) => [...members]);
    assert.equal(new Set(all).size, 24);
    close([candidates.reduce((sum, { share }) => sum + share, 0)], [1]);
  }
});

Deno.test("cluster() gives masks and entropy at the image's own size, arrays without gaps", () => {
  // an image of 3 x 6 pixels in a square of side 8, whose map has side 4
  const random = createRandom(1);
  const maps = Array.from(
    { length: 9 },
    () => Array.from({ length: 16 }, () => random.uniform()),
  );
  const { recommended, candidates, entropy } = cluster(
    predictionsOf(maps, undefined, frameOf(3, 6, 8)),
    { candidates: 3 },
  );
  const atImage = [
    recommended.mask,
    entropy,
    ...candidates.flatMap(({ mask, added, removed }) => [mask, added, removed]),
  ];
  for (const { shape, stride, offset, data } of atImage) {
    assert.deepEqual([shape, stride, offset], [[3, 6], [6, 1], 0]);
    assert.equal(data.length, 18);
  }
  for (const { probability } of [recommended, ...candidates]) {
    assert.deepEqual(probability.shape, [4, 4]);
    assert.deepEqual(probability.stride, [4, 1]);
    assert.equal(probability.data.length, 16);
  }
});

Deno.test("cluster() gives the same proposal for the same seed", () => {
  const random = createRandom(2);
  const maps = Array.from(
    { length: 48 },
    () => Array.from({ length: 16 }, () => random.uniform()),
  );
  const labels = (seed: number) =>
    cluster(predictionsOf(maps), { seed }).candidates.map((c) => c.members);
  assert.deepEqual(labels(1), labels(1));
});

Deno.test("cluster() refuses a count that is no positive integer", () => {
  for (const count of [0, -4, 2.5, NaN, Infinity]) {
    assert.throws(
      () => cluster(predictionsOf(rows), { candidates: count }),
      new RangeError(
        `Cannot cluster predictions as candidates must be a positive integer: current value is ${count}`,
      ),
    );
  }
});
