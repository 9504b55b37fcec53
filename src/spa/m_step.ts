/**
 * The training-free update (M-step): the mixture moves to its own
 * samples, weighted by how well their predictions explain the choice.
 */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import {
  type GaussianMixture,
  logSumExp,
  normalizeLogWeights,
} from "./mixture.ts";
import type { Latents } from "./sample_gmm.ts";

/** Options of `mStep`. */
export interface MStepOptions {
  /**
   * Weight of what was known before, in samples: the prior of a component's
   * moments is its current ones, worth this many samples. Default 16, for the
   * few choices of one image: the means follow them, the deviations shrink.
   * With 2000 many choices drive the mixture to the user's own Gaussian, means
   * and deviations; with 4 a component collapses onto its few likely samples.
   */
  readonly prior?: number;
  /** Standard deviations never fall below this. Default 0.02. */
  readonly least?: number;
  /**
   * Whether a component has one mean and one deviation for all channels (the
   * config's `scalarMoments`). Default false.
   */
  readonly scalar?: boolean;
}

/** Replaces every row of d values by its mean. */
function poolRows(values: Float64Array, d: number) {
  for (let at = 0; at < values.length; at += d) {
    const row = values.subarray(at, at + d);
    row.fill(row.reduce((sum, value) => sum + value) / d);
  }
}

/**
 * One M-step. With responsibilities w_n in proportion to exp(T l_n), summing
 * to N, every component's mean and variance become the maximum a posteriori
 * ones of its samples; pi_m becomes proportional to pi_m times the mean
 * likelihood of its samples. A component without samples keeps its moments
 * and its weight.
 *
 * @param distribution The mixture the samples were drawn from.
 * @param latents The samples z_n and their components.
 * @param logLikelihood T l_n, [N].
 * @returns The updated mixture.
 */
export function mStep(
  distribution: GaussianMixture,
  latents: Latents,
  logLikelihood: Float64Array,
  { prior = 16, least = 0.02, scalar = false }: MStepOptions = {},
): GaussianMixture {
  const { logWeights } = distribution;
  const means = contiguous(distribution.means);
  const deviations = contiguous(distribution.deviations);
  const values = contiguous(latents.values).data;
  const [M, d] = means.shape;
  const N = latents.components.length;
  const total = logSumExp(logLikelihood);
  const responsibility = logLikelihood.map((value) =>
    N * Math.exp(value - total)
  );

  const mass = new Float64Array(M);
  const count = new Float64Array(M);
  const sums = new Float64Array(M * d);
  for (let n = 0; n < N; n++) {
    const m = latents.components[n];
    mass[m] += responsibility[n];
    count[m]++;
    for (let i = 0; i < d; i++) {
      sums[m * d + i] += responsibility[n] * values[n * d + i];
    }
  }
  if (scalar) poolRows(sums, d);
  const newMeans = Float32Array.from(
    sums,
    (sum, at) => {
      const m = Math.floor(at / d);
      return (prior * means.data[at] + sum) / (prior + mass[m]);
    },
  );
  const squares = Float64Array.from(newMeans, (mean, at) => {
    const before = means.data[at], deviation = deviations.data[at];
    return prior * (deviation ** 2 + (before - mean) ** 2);
  });
  for (let n = 0; n < N; n++) {
    const m = latents.components[n];
    for (let i = 0; i < d; i++) {
      const at = m * d + i;
      const distance = values[n * d + i] - newMeans[at];
      squares[at] += responsibility[n] * distance ** 2;
    }
  }
  if (scalar) poolRows(squares, d);
  const newDeviations = Float32Array.from(squares, (sum, at) => {
    const m = Math.floor(at / d);
    return Math.max(least, Math.sqrt(sum / (prior + mass[m])));
  });
  const newWeights = logWeights.map((value, m) =>
    count[m] > 0 ? value + Math.log(Math.max(1e-12, mass[m] / count[m])) : value
  );
  return {
    logWeights: normalizeLogWeights(newWeights),
    means: ndarray(newMeans, [M, d]),
    deviations: ndarray(newDeviations, [M, d]),
  };
}
