// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { createRandom, type Random } from "../random.ts";
import type { GaussianMixture } from "./mixture.ts";
import { InputError } from "../input_error.ts";

/** Samples z of a mixture, each with the component it was drawn from. */
export interface Latents {
  /** z, [N, d]. */
  readonly values: NdArray<Float32Array>;
  /** m_n, the component of each sample, [N], in 0 .. M - 1. */
  readonly components: Int32Array;
  /** Seed of the draws; `decode` draws its variations from it as well. */
  readonly seed: number;
}

/**
 * Systematic resampling: `count` draws that follow the weights as closely as
 * possible, component m drawn floor(N pi_m) or ceil(N pi_m) times.
 */
export function drawComponents(
  logWeights: Float64Array,
  count: number,
  random: Random,
): Int32Array {
  const components = new Int32Array(count);
  const offset = random.uniform();
  let component = 0;
  let cumulative = Math.exp(logWeights[0]);
  for (let n = 0; n < count; n++) {
    const position = (n + offset) / count;
    while (cumulative <= position && component < logWeights.length - 1) {
      cumulative += Math.exp(logWeights[++component]);
    }
    components[n] = component;
  }
  return components;
}

/**
 * Draws latent preferences from the mixture, step 1 of an iteration: one
 * component per sample by systematic resampling, then one z ~ N(mu, diag sigma²)
 * for the whole image.
 *
 * @param distribution The mixture.
 * @param options `samples`: N, default 48, the paper's. `seed`: any finite number,
 * default 0; equal seeds give equal samples.
 * @returns The samples, ordered by component; component m has floor(N pi_m) or
 * ceil(N pi_m) of them.
 * @throws {RangeError} When `samples` is not a positive integer, or `seed` not
 * finite.
 *
 * @example Four samples of a mixture of two
 * ```ts
 * import ndarray from "ndarray";
 * import { sampleGMM } from "@spa-seg/spa";
 *
 * const { components, values } = sampleGMM({
 *   logWeights: Float64Array.of(Math.log(0.75), Math.log(0.25)),
 *   means: ndarray(Float32Array.of(-1, 1), [2, 1]),
 *   deviations: ndarray(Float32Array.of(0.1, 0.1), [2, 1]),
 * }, { samples: 4 });
 * components; // 0, 0, 0, 1
 * values.shape; // [4, 1]
 * ```
 */
export function sampleGMM(
  distribution: GaussianMixture,
  { samples = 48, seed = 0 }: { samples?: number; seed?: number } = {},
): Latents {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new InputError(
      `Cannot sample the mixture as samples must be a positive integer: current value is ${samples}`,
    );
  }
  const random = createRandom(seed);
  const { logWeights } = distribution;
  const means = contiguous(distribution.means);
  const deviations = contiguous(distribution.deviations);
  const d = means.shape[1];
  const components = drawComponents(logWeights, samples, random);
  const values = new Float32Array(samples * d);
  for (let n = 0; n < samples; n++) {
    for (let i = 0; i < d; i++) {
      const at = components[n] * d + i;
      values[n * d + i] = means.data[at] +
        deviations.data[at] * random.normal();
    }
  }
  return { values: ndarray(values, [samples, d]), components, seed };
}
