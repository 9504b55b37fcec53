/**
 * The evidence of a choice for each mixture component: the E-step as the
 * likelihood of the chosen mask under the component's own predictions.
 */

import { logSumExp, normalizeLogWeights } from "./mixture.ts";

/** Effective number of independent pixels T, as a share of all pixels. */
export const EVIDENCE_TEMPERATURE = 0.025;

/**
 * Share of the older evidence that stays when a choice is added. The method
 * keeps all of it; then a profile of a hundred choices could not change its
 * mind in less than another hundred.
 */
export const EVIDENCE_MEMORY = 0.5;

/** What a choice adds to a component is at most this far below the largest. */
const FLOOR = Math.log(1e-4);

/**
 * T l_n of every sample: T times the mean over pixels of
 * log Bernoulli(mask; y_n).
 *
 * @param maps Probability maps, row-major, [n, pixels].
 * @param mask The chosen map; its pixels of at least 0.5 are the mask.
 */
export function maskLogLikelihood(
  maps: Float32Array,
  n: number,
  mask: Float32Array,
  temperature = EVIDENCE_TEMPERATURE,
): Float64Array {
  const size = mask.length;
  // what is multiplied is y inside the mask and 1 - y outside: base + sign * y
  const base = mask.map((value) => value >= 0.5 ? 0 : 1);
  const sign = mask.map((value) => value >= 0.5 ? 1 : -1);
  const result = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    result[i] = temperature * logProduct(maps, i * size, base, sign);
  }
  return result;
}

/** The least that a pixel's likelihood is taken for. */
const LEAST = 1e-4;

/** Sum over pixels of the logarithm of base + sign * map, within its bounds. */
function logProduct(
  maps: Float32Array,
  from: number,
  base: Float32Array,
  sign: Float32Array,
): number {
  const size = base.length;
  let sum = 0;
  for (let p = 0; p < size;) {
    // one logarithm for 64 factors, which are at least 1e-256 together; two
    // several products at once: each multiplication waits for the one before
    const end = Math.min(size, p + 64);
    let a = 1, b = 1;
    for (; p + 1 < end; p += 2) {
      const y = base[p] + sign[p] * maps[from + p];
      const z = base[p + 1] + sign[p + 1] * maps[from + p + 1];
      a *= y < LEAST ? LEAST : y > 1 - LEAST ? 1 - LEAST : y;
      b *= z < LEAST ? LEAST : z > 1 - LEAST ? 1 - LEAST : z;
    }
    if (p < end) {
      const y = base[p] + sign[p] * maps[from + p];
      a *= y < LEAST ? LEAST : y > 1 - LEAST ? 1 - LEAST : y;
      p++;
    }
    sum += Math.log(a * b);
  }
  return sum;
}

/**
 * Adds a choice to the accumulated evidence, which fades: for each component,
 * log( (1/N_m) sum over its samples of exp(T l_n) ). Predictions that are all
 * equal add nothing. A component without samples gets the samples' average, so
 * that its weight stays what it was where samples follow pi.
 *
 * @param evidence Log evidence so far, [M].
 * @param logLikelihood T l_n of the samples, [N].
 * @param components Component of each sample, [N].
 * @param memory Share of the evidence so far that stays, 0..1.
 * @returns The new log evidence, [M], normalized to sum to 1 as weights.
 */
export function addEvidence(
  evidence: Float64Array,
  logLikelihood: Float64Array,
  components: Int32Array,
  memory = EVIDENCE_MEMORY,
): Float64Array {
  const M = evidence.length;
  const members: number[][] = Array.from({ length: M }, () => []);
  for (let n = 0; n < components.length; n++) {
    members[components[n]].push(logLikelihood[n]);
  }
  const average = logSumExp(logLikelihood) - Math.log(logLikelihood.length);
  const added = members.map((values) =>
    values.length > 0 ? logSumExp(values) - Math.log(values.length) : average
  );
  const largest = Math.max(...added);
  return normalizeLogWeights(
    added.map((value, m) =>
      Math.max(FLOOR, value - largest) + memory * evidence[m]
    ),
  );
}
