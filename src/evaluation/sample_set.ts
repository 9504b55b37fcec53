/** Metrics of how well a proposal's samples cover the raters' masks. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { diceSoft, meanMask } from "../metrics/overlap.ts";
import {
  diceMax,
  expectedCalibrationError,
  generalizedEnergyDistance,
  hungarianMatchedDice,
  type Masks,
} from "../metrics/sample_set.ts";
import type { Proposal } from "../spa/cluster.ts";
import { mapToImage, maskToImage } from "../spa/frame.ts";

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
  const { probabilities, latents, frame } = predictions;
  const [, height, width] = probabilities.shape;
  const maps = probabilities.data as Float32Array;
  // the fresh samples come first
  const samples = Array.from(latents.components, (_, n) => {
    const map = maps.subarray(n * height * width, (n + 1) * height * width);
    return maskToImage(ndarray(map, [height, width]), frame);
  });
  const mean = mapToImage(recommended.probability, frame);
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
