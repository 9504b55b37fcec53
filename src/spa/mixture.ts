/** The preference distribution p(z): a Gaussian mixture over latents. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";

/**
 * The preference distribution p(z) = sum_m pi_m N(z; mu_m, diag sigma_m^2), as
 * host values: M components over d latent channels.
 */
export interface GaussianMixture {
  /** Natural logarithms of pi, [M]; the weights sum to 1. */
  readonly logWeights: Float64Array;
  /** mu, [M, d]. */
  readonly means: NdArray<Float32Array>;
  /** sigma, [M, d], positive. */
  readonly deviations: NdArray<Float32Array>;
}

/** log sum_i exp(x_i), without overflow. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] > largest) largest = values[i];
  }
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}

/** Log weights shifted so that the weights sum to 1. */
export function normalizeLogWeights(
  logWeights: ArrayLike<number>,
): Float64Array {
  const total = logSumExp(logWeights);
  return Float64Array.from(logWeights, (value) => value - total);
}

/** The parts of a mixture that an update may move, and the others as before. */
export function moveParts(
  before: GaussianMixture,
  updated: GaussianMixture,
  { moments = true, weights = true }: {
    readonly moments?: boolean;
    readonly weights?: boolean;
  },
): GaussianMixture {
  return {
    logWeights: (weights ? updated : before).logWeights,
    means: (moments ? updated : before).means,
    deviations: (moments ? updated : before).deviations,
  };
}
