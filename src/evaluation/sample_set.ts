/** Metrics of how well a proposal's samples cover the raters' masks. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { dice, diceSoft, meanMask } from "../metrics/overlap.ts";
import {
  diceMax,
  expectedCalibrationError,
  generalizedEnergyDistance,
  hungarianMatchedDice,
  type Masks,
} from "../metrics/sample_set.ts";
import type { Proposal } from "../spa/cluster.ts";
import { mapToImage, maskToImage } from "../spa/frame.ts";
import type { Predictions } from "../spa/predictions.ts";

/**
 * Metrics of a set of samples against a set of annotations, each computed by
 * the function of its name. All are 0..1 except the energy distance, 0..2, and
 * the spread, 0..0.5.
 */
export interface SampleSetMetrics {
  /** Squared generalized energy distance, 0..2; less is better. */
  readonly energyDistance: number;
  /** Dice_max of the annotations: is every opinion found? */
  readonly diceMaxOfAnnotations: number;
  /** Dice_max of the samples: is every sample somebody's opinion? */
  readonly diceMaxOfSamples: number;
  /** Hungarian-matched Dice. */
  readonly matchedDice: number;
  /** Dice of the mean probability and the share of raters. */
  readonly diceSoft: number;
  /** Sample spread of the proposal. */
  readonly spread: number;
  /** Expected calibration error of the mean probability, over all raters. */
  readonly calibrationError: number;
}

/**
 * Measures the fresh samples of a proposal, thresholded at the image's own
 * size, and its mean probability against the masks of all raters.
 *
 * @param proposal A result of `cluster`.
 * @param annotations At least one mask, [H, W].
 * @returns The metrics; the spread is that of all the proposal's predictions.
 * @throws {RangeError} When there is no annotation, one is of another size than
 * the image, or there are too many for {@linkcode hungarianMatchedDice}.
 */
export function sampleSetMetrics(
  { predictions, recommended, spread }: Proposal,
  annotations: Masks,
): SampleSetMetrics {
  const samples = freshSamples(predictions);
  const mean = mapToImage(recommended.probability, predictions.frame);
  const best = diceMax(samples, annotations);
  return {
    energyDistance: generalizedEnergyDistance(samples, annotations),
    diceMaxOfAnnotations: best.ofAnnotations,
    diceMaxOfSamples: best.ofSamples,
    matchedDice: hungarianMatchedDice(samples, annotations),
    diceSoft: diceSoft(mean, meanMask(annotations)),
    spread,
    calibrationError: calibrationError(mean, annotations),
  };
}

/** The fresh samples as masks of the image's size. */
function freshSamples({ probabilities, latents, frame }: Predictions) {
  const [, height, width] = probabilities.shape;
  const maps = probabilities.data as Float32Array;
  // the fresh samples come first
  return Array.from(latents.components, (_, n) => {
    const map = maps.subarray(n * height * width, (n + 1) * height * width);
    return maskToImage(ndarray(map, [height, width]), frame);
  });
}

/**
 * What the components of the mixture mean: the mean Dice of each one's fresh
 * samples with each rater's mask.
 *
 * @param proposal A result of `cluster`.
 * @param masks The raters' masks by name, [H, W] each.
 * @param M The number of components.
 * @returns By rater, one number for each component, [M]; null where a component
 * has no sample.
 */
export function componentDice(
  { predictions }: Pick<Proposal, "predictions">,
  masks: ReadonlyMap<string, NdArray<Uint8Array>>,
  M: number,
): Record<string, (number | null)[]> {
  const { components } = predictions.latents;
  const samples = freshSamples(predictions);
  return Object.fromEntries(
    Array.from(masks, ([rater, mask]) => {
      const sums = new Float64Array(M), counts = new Float64Array(M);
      samples.forEach((sample, n) => {
        sums[components[n]] += dice(sample, mask);
        counts[components[n]]++;
      });
      return [
        rater,
        Array.from(sums, (sum, m) => counts[m] > 0 ? sum / counts[m] : null),
      ];
    }),
  );
}

/** The error of one map against all masks together. */
function calibrationError(
  map: NdArray<Float32Array>,
  masks: Masks,
): number {
  const { size } = map;
  const shape = [masks.length, ...map.shape];
  const probability = new Float32Array(masks.length * size);
  const truth = new Uint8Array(masks.length * size);
  masks.forEach((mask, r) => {
    probability.set(contiguous(map).data, r * size);
    truth.set(contiguous(mask).data, r * size);
  });
  return expectedCalibrationError(
    ndarray(probability, shape),
    ndarray(truth, shape),
  );
}
