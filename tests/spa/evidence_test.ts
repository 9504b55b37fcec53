import assert from "node:assert/strict";
import { createRandom } from "../../src/random.ts";
import { addEvidence, maskLogLikelihood } from "../../src/spa/evidence.ts";
import { normalizeLogWeights } from "../../src/spa/mixture.ts";
import { close as closeTo } from "../helpers/close.ts";

const close = (
  actual: ArrayLike<number>,
  expected: number[],
  tolerance = 1e-9,
) => closeTo(actual, expected, tolerance);

/** pi after the evidence of one choice, with none before. */
function posterior(
  weights: number[],
  logLikelihood: number[],
  components: number[],
): number[] {
  const evidence = addEvidence(
    new Float64Array(weights.length),
    Float64Array.from(logLikelihood),
    Int32Array.from(components),
  );
  return [...normalizeLogWeights(
    evidence.map((a, m) => a + Math.log(weights[m])),
  )].map(Math.exp);
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

Deno.test("maskLogLikelihood() is T times the mean log Bernoulli, over the pixels' number", () => {
  // the mask is the pixels of at least 0.5: the first and the third
  const mask = Float32Array.of(0.5, 0.49, 1, 0);
  const maps = Float32Array.of(0.8, 0.4, 0.5, 0.1, 0.25, 0.5, 0.5, 0.5);
  close(
    maskLogLikelihood(maps, 2, mask, 0.1),
    [
      0.1 * Math.log(0.8 * 0.6 * 0.5 * 0.9),
      0.1 * Math.log(0.25 * 0.5 * 0.5 * 0.5),
    ],
    1e-7,
  );
});

Deno.test("maskLogLikelihood() stays finite for a map that is certain and wrong", () => {
  const [value] = maskLogLikelihood(
    Float32Array.of(0, 1),
    1,
    Float32Array.of(1, 0),
    1,
  );
  close([value], [2 * Math.log(1e-4)], 1e-3);
});

Deno.test("addEvidence() reweighs each component by its samples' mean likelihood", () => {
  // mean likelihoods (.2 + .4) / 2 = .3 and .1, weights .5 and .5
  const logs = [0.2, 0.4, 0.1].map(Math.log);
  close(posterior([0.5, 0.5], logs, [0, 0, 1]), [0.75, 0.25]);
  // with weights .2 and .8: .06 and .08
  close(posterior([0.2, 0.8], logs, [0, 0, 1]), [3 / 7, 4 / 7]);
});

Deno.test("addEvidence() gives weights that sum to 1", () => {
  const random = createRandom(1);
  let evidence: Float64Array = new Float64Array(16);
  for (let i = 0; i < 50; i++) {
    evidence = addEvidence(
      evidence,
      Float64Array.from({ length: 48 }, () => -1000 * random.uniform()),
      Int32Array.from({ length: 48 }, () => random.integer(16)),
    );
    close([sum([...evidence].map(Math.exp))], [1]);
  }
});

Deno.test("addEvidence() leaves pi unchanged by equal predictions", () => {
  const random = createRandom(2);
  const map = Array.from({ length: 64 }, () => random.uniform());
  const maps = Float32Array.from(new Array(12).fill(map).flat());
  const mask = Float32Array.from({ length: 64 }, () => random.uniform());
  const likelihood = maskLogLikelihood(maps, 12, mask);
  const weights = [0.1, 0.2, 0.3, 0.4];
  const components = Array.from({ length: 12 }, (_, i) => i % 4);
  close(posterior(weights, [...likelihood], components), weights, 1e-12);
});

Deno.test("addEvidence() lets older evidence fade by half, and adds to it", () => {
  const before = Float64Array.of(0.9, 0.1).map(Math.log);
  const components = Int32Array.of(0, 1);
  const after = (logs: number[], memory?: number) =>
    [...addEvidence(before, Float64Array.from(logs), components, memory)]
      .map(Math.exp);
  close(after([-2, -2]), [0.75, 0.25]); // nothing new: 9 to 1, its square root
  close(after([-2, -2], 1), [0.9, 0.1]);
  close(after([Math.log(1), Math.log(0.5)]), [6 / 7, 1 / 7]);
});

Deno.test("shuffling the mask's pixels changes pi", () => {
  // component 0 predicts the left half, component 1 the upper half
  const side = 16;
  const area = side * side;
  const maps = new Float32Array(2 * area);
  for (let i = 0; i < area; i++) {
    maps[i] = i % side < side / 2 ? 0.9 : 0.1;
    maps[area + i] = i < area / 2 ? 0.9 : 0.1;
  }
  const left = maps.slice(0, area);
  const random = createRandom(3);
  const shuffled = left.slice();
  for (let i = area - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  const weightsOf = (mask: Float32Array) =>
    posterior([0.5, 0.5], [...maskLogLikelihood(maps, 2, mask)], [0, 1]);
  assert.ok(weightsOf(left)[0] > 0.9, `${weightsOf(left)}`);
  const [first] = weightsOf(shuffled);
  assert.ok(Math.abs(first - weightsOf(left)[0]) > 0.1, `${first}`);
});

Deno.test("a component without samples keeps its weight", () => {
  // samples as pi has them: twice as many of the first as of the second
  const before = [0.4, 0.2, 0.4];
  const after = posterior(before, [-1, -2, -0.5], [0, 0, 1]);
  close([after[2]], [0.4]);
  assert.ok(after[1] > before[1]);
});

Deno.test("addEvidence() is stable for any effective number of pixels", () => {
  const evidence = new Float64Array(3);
  const components = Int32Array.of(0, 1, 2, 0);
  for (const T of [1, 1e3, 1e6, 1e12]) {
    const logs = Float64Array.of(-0.5, -0.1, -0.4, -0.7).map((l) => T * l);
    const after = addEvidence(evidence, logs, components);
    assert.ok(after.every(Number.isFinite), `T = ${T}: ${after}`);
    close([sum([...after].map(Math.exp))], [1]);
    assert.equal(after.indexOf(Math.max(...after)), 1);
  }
});

Deno.test("addEvidence() never gives a component up for good", () => {
  // a hundred choices for the first component, then three for the second
  let evidence: Float64Array = new Float64Array(2);
  const components = Int32Array.of(0, 1);
  for (let i = 0; i < 100; i++) {
    evidence = addEvidence(evidence, Float64Array.of(0, -1e6), components);
  }
  assert.ok(Math.exp(evidence[0]) > 0.999);
  for (let i = 0; i < 3; i++) {
    evidence = addEvidence(evidence, Float64Array.of(-20, 0), components);
  }
  assert.ok(Math.exp(evidence[1]) > 0.9, `${evidence}`);
});

Deno.test("addEvidence() adds to what it was, the older halved", () => {
  const first = addEvidence(
    new Float64Array(2),
    Float64Array.of(0, Math.log(0.5)),
    Int32Array.of(0, 1),
  );
  const second = addEvidence(
    first,
    Float64Array.of(0, Math.log(0.5)),
    Int32Array.of(0, 1),
    0.5,
  );
  // log ratios: ln 2, then ln 2 + ln 2 / 2
  close([second[0] - second[1]], [1.5 * Math.LN2]);
});
