/** The training-free updates, by hand and on a toy decoder. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom } from "../../src/random.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { addEvidence, maskLogLikelihood } from "../../src/spa/evidence.ts";
import { frameOf } from "../../src/spa/frame.ts";
import {
  type GaussianMixture,
  normalizeLogWeights,
} from "../../src/spa/mixture.ts";
import { mStep } from "../../src/spa/update_preference.ts";
import { type Latents, sampleGMM } from "../../src/spa/sample_gmm.ts";
import { close } from "../helpers/close.ts";

function mixtureOf(
  weights: number[],
  means: number[][],
  deviations: number[][],
): GaussianMixture {
  const shape = [means.length, means[0].length];
  return {
    logWeights: Float64Array.from(weights, Math.log),
    means: ndarray(Float32Array.from(means.flat()), shape),
    deviations: ndarray(Float32Array.from(deviations.flat()), shape),
  };
}

function latentsOf(values: number[][], components: number[]): Latents {
  const shape = [values.length, values[0].length];
  return {
    values: ndarray(Float32Array.from(values.flat()), shape),
    components: Int32Array.from(components),
    seed: 0,
  };
}

Deno.test("mStep() moves a component to its samples, weighted, with the old moments as prior", () => {
  // likelihoods 1 : 3, so responsibilities 1/2 and 3/2; a prior of 2 samples
  const { means, deviations } = mStep(
    mixtureOf([1], [[1]], [[0.5]]),
    latentsOf([[0], [4]], [0, 0]),
    Float64Array.of(-100, -100 + Math.log(3)),
    { prior: 2 },
  );
  close(means.data, [(2 * 1 + 0.5 * 0 + 1.5 * 4) / 4]); // 2
  const squares = 2 * (0.5 ** 2 + 1 ** 2) + 0.5 * 2 ** 2 + 1.5 * 2 ** 2;
  close(deviations.data, [Math.sqrt(squares / 4)]);
});

Deno.test("mStep() of scalar moments is that of all channels as one", () => {
  const likelihood = Float64Array.of(-1, -2);
  const { means, deviations } = mStep(
    mixtureOf([1], [[1, 1]], [[0.5, 0.5]]),
    latentsOf([[0, 1], [4, 2]], [0, 0]),
    likelihood,
    { prior: 2, scalar: true },
  );
  // a channel's sums over samples, averaged over the channels
  const [a, b] = [2 / (1 + Math.exp(-1)), 2 / (1 + Math.exp(1))];
  const mean = (2 * 1 + a * 0.5 + b * 3) / 4;
  const spread = [0, 1].map((x) => a * (x - mean) ** 2)
    .concat([4, 2].map((x) => b * (x - mean) ** 2));
  const square = 2 * (0.5 ** 2 + (1 - mean) ** 2) +
    spread.reduce((sum, value) => sum + value) / 2;
  close(means.data, [mean, mean]);
  close(deviations.data, [Math.sqrt(square / 4), Math.sqrt(square / 4)]);
});

Deno.test("mStep() reweighs the components by their samples' mean likelihood", () => {
  const { logWeights } = mStep(
    mixtureOf([0.2, 0.6, 0.2], [[0], [0], [0]], [[1], [1], [1]]),
    latentsOf([[0], [0], [0]], [0, 1, 1]),
    Float64Array.of(0.3, 0.1, 0.5).map(Math.log),
  );
  // the first two: .2 * .3 and .6 * .3; the third, unsampled, as the average
  close(logWeights.map(Math.exp), [0.2, 0.6, 0.2]);
});

Deno.test("mStep() leaves a component without samples where it is", () => {
  const before = mixtureOf([0.5, 0.5], [[1, 2], [3, 4]], [[0.1, 0.2], [
    0.3,
    0.4,
  ]]);
  const after = mStep(
    before,
    latentsOf([[5, 5], [6, 6]], [0, 0]),
    Float64Array.of(0, -1),
  );
  close([after.means.get(1, 0), after.means.get(1, 1)], [3, 4]);
  close([after.deviations.get(1, 0), after.deviations.get(1, 1)], [0.3, 0.4]);
  close(after.logWeights.map(Math.exp), [0.5, 0.5]);
  assert.deepEqual([...before.means.data], [1, 2, 3, 4]); // not changed
});

Deno.test("mStep() is stable however sharp the likelihood, deviations bounded below", () => {
  let mixture = mixtureOf([0.5, 0.5], [[0], [1]], [[1], [1]]);
  for (let i = 0; i < 200; i++) {
    mixture = mStep(
      mixture,
      latentsOf([[3], [3], [-3], [-3]], [0, 1, 0, 1]),
      Float64Array.of(0, -1e9, -1e9, -1e9),
    );
  }
  const weights = mixture.logWeights.map(Math.exp);
  close([weights[0] + weights[1]], [1], 1e-9);
  close([weights[0], mixture.means.get(0, 0)], [1, 3], 1e-3);
  const least = Math.min(...mixture.deviations.data);
  assert.ok(least >= 0.02 - 1e-6 && least < 0.03, `${least}`);
});

// The toy decoder: z in 2-D is a disc's radius and its shift to the right.
const SIDE = 20;

function decodeDisc(z: readonly number[]): Float32Array {
  const [radius, x, y] = [5 + 1.5 * z[0], 9.5 + 1.5 * z[1], 9.5];
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const distance = Math.hypot(i % SIDE - x, Math.floor(i / SIDE) - y);
    return 1 / (1 + Math.exp((distance - radius) / 0.4));
  });
}

function decodeAll({ values }: Latents): Float32Array {
  const [N] = values.shape;
  const maps = new Float32Array(N * SIDE * SIDE);
  for (let n = 0; n < N; n++) {
    maps.set(decodeDisc([values.get(n, 0), values.get(n, 1)]), n * SIDE * SIDE);
  }
  return maps;
}

/** Four components, far apart and wide. */
const wide = mixtureOf(
  [0.25, 0.25, 0.25, 0.25],
  [[-1, -1], [-1, 1], [1, -1], [1, 1]],
  new Array(4).fill([0.7, 0.7]),
);

/** Mean and deviation of the whole mixture: [mean 0, mean 1, dev 0, dev 1]. */
function momentsOf({ logWeights, means, deviations }: GaussianMixture) {
  const sum = (of: (m: number) => number) =>
    logWeights.reduce((s, log, m) => s + Math.exp(log) * of(m), 0);
  const mean = [0, 1].map((i) => sum((m) => means.get(m, i)));
  const deviation = [0, 1].map((i) =>
    Math.sqrt(
      sum((m) => means.get(m, i) ** 2 + deviations.get(m, i) ** 2) -
        mean[i] ** 2,
    )
  );
  return [...mean, ...deviation];
}

const users = [
  { mean: [0.8, -0.6], deviation: [0.5, 0.4] },
  { mean: [-0.7, 0.5], deviation: [0.3, 0.6] },
];

for (const { mean, deviation } of users) {
  Deno.test(`repeated M-steps drive p(z) to a user's own Gaussian, N([${mean}], [${deviation}])`, () => {
    const random = createRandom(1, 5);
    const iterations = 400;
    let mixture = wide; // mean 0, deviation 1.22
    const average = [0, 0, 0, 0]; // over the second half
    for (let t = 0; t < iterations; t++) {
      const latents = sampleGMM(mixture, { samples: 96, seed: t });
      const wanted = mean.map((m, i) => m + deviation[i] * random.normal());
      const likelihood = maskLogLikelihood(
        decodeAll(latents),
        96,
        decodeDisc(wanted),
        1,
      );
      mixture = mStep(mixture, latents, likelihood, { prior: 2000 });
      if (t < iterations / 2) continue;
      momentsOf(mixture).forEach((value, k) =>
        average[k] += value / (iterations / 2)
      );
    }
    console.log(`p(z): ${average.map((v) => v.toFixed(3)).join(", ")}`);
    close(average.slice(0, 2), mean, 0.12);
    average.slice(2).forEach((value, i) =>
      assert.ok(
        Math.abs(value / deviation[i] - 1) < 0.3,
        `deviation ${value} is not ${deviation[i]} within 30 %`,
      )
    );
  });
}

/** What the user is shown, and picks: the candidate nearest to the mask. */
function pick(latents: Latents, wanted: Float32Array, seed: number) {
  const N = latents.components.length;
  const maps = decodeAll(latents);
  const { candidates } = cluster({
    probabilities: ndarray(maps, [N, SIDE, SIDE]),
    components: latents.components,
    shares: new Float64Array(N).fill(1 / N),
    latents,
    frame: frameOf(SIDE, SIDE, SIDE),
  }, { candidates: 4, seed });
  const distances = candidates.map(({ probability }) =>
    probability.data.reduce((sum, p, i) => sum + (p - wanted[i]) ** 2, 0)
  );
  const nearest = candidates[distances.indexOf(Math.min(...distances))];
  return { maps, chosen: nearest.probability.data as Float32Array };
}

Deno.test("choices among four candidates lead the M-step to what the user has in mind", () => {
  const corners = [[0.8, -0.6], [-0.7, 0.5], [1, 1], [0, 0], [0.3, -1.2]];
  let [start, end] = [0, 0]; // mean distance of p(z)'s mean, in z
  for (const wanted of corners) {
    for (const seed of [0, 100]) {
      let mixture = wide;
      for (let t = 0; t < 12; t++) {
        const latents = sampleGMM(mixture, { samples: 48, seed: seed + t });
        const { maps, chosen } = pick(latents, decodeDisc(wanted), t);
        const likelihood = maskLogLikelihood(maps, 48, chosen);
        mixture = mStep(mixture, latents, likelihood, { prior: 16 });
      }
      const distance = (of: GaussianMixture) => {
        const [a, b] = momentsOf(of);
        return Math.hypot(a - wanted[0], b - wanted[1]) / 10;
      };
      start += distance(wide);
      end += distance(mixture);
    }
  }
  console.log(`distance ${start.toFixed(3)} -> ${end.toFixed(3)}`);
  assert.ok(start > 0.8 && end < 0.25, `${start} -> ${end}`);
});

Deno.test("evidence alone leads pi to the component nearest to the user", () => {
  const narrow = mixtureOf(
    [0.4, 0.3, 0.2, 0.1],
    [[-1, -1], [-1, 1], [1, -1], [1, 1]],
    new Array(4).fill([0.3, 0.3]),
  );
  [[-1.1, -0.9], [-0.8, 1.2], [1, -1], [1.3, 0.8]].forEach((mean, nearest) => {
    const random = createRandom(nearest, 6);
    let evidence: Float64Array = new Float64Array(4);
    let logWeights = narrow.logWeights;
    const history: number[] = [];
    for (let t = 0; t < 6; t++) {
      const latents = sampleGMM({ ...narrow, logWeights }, {
        samples: 48,
        seed: t,
      });
      const wanted = mean.map((m) => m + 0.2 * random.normal());
      const { maps, chosen } = pick(latents, decodeDisc(wanted), t);
      evidence = addEvidence(
        evidence,
        maskLogLikelihood(maps, 48, chosen),
        latents.components,
      );
      logWeights = normalizeLogWeights(
        narrow.logWeights.map((log, m) => log + evidence[m]),
      );
      history.push(Math.exp(logWeights[nearest]));
    }
    console.log(`pi: ${history.map((p) => p.toFixed(3)).join(", ")}`);
    const last = (history[3] + history[4] + history[5]) / 3;
    assert.ok(last > 0.85 && Math.min(...history) > 0.6, `${history}`);
  });
});
