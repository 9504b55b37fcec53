/**
 * Simulated users of training (Algorithm 1): each has a mask in mind, clicks
 * into it, picks the nearest candidate again and again, and then leaves.
 */

import { maskSide, type ModelConfig } from "../model/config.ts";
import type { Random } from "../random.ts";
import { clusterMaps, meanMap, spreadOf } from "../spa/cluster.ts";
import { addEvidence, maskLogLikelihood } from "../spa/evidence.ts";
import { type Feedback, mapOf } from "../spa/feedback.ts";
import { frameOf } from "../spa/frame.ts";
import { keepSamples, weighSamples } from "../spa/predictions.ts";
import type { Style } from "./augment.ts";
import type { RaterWeights } from "./raters.ts";

/** What a user wants, whatever the image. */
export interface Taste {
  /** The raters whose majority it is, unless they are anonymous. */
  readonly raters?: RaterWeights;
  readonly style?: Style;
}

/** A preference distribution p(z) as the network gives it, row-major. */
export interface MixtureValues {
  /** log pi, [M]. */
  readonly logWeights: Float32Array;
  /** mu, [M, d]. */
  readonly means: Float32Array;
  /** sigma, [M, d]. */
  readonly deviations: Float32Array;
}

/** A simulated user at work. */
export interface SimulatedTrainee {
  readonly taste: Taste;
  /** p(z) to start with, of the image before; by default the generator's. */
  readonly profile?: MixtureValues;
  /** What was known after the first choice: the profile on the next image. */
  habit?: {
    readonly mixture: MixtureValues;
    readonly evidence: Float64Array;
  };
  /** The mask in mind at the decoder's resolution, 0..1, [4h * 4h]. */
  readonly target: Float32Array;
  feedback: Feedback;
  evidence: Float64Array;
  /** Samples of the chosen clusters so far, row-major, and their components. */
  kept: Float32Array;
  keptComponents: Int32Array;
}

/** What one iteration of one user showed. */
export interface TraineeReport {
  /** Iteration, from 0. */
  readonly iteration: number;
  /** Dice of the recommendation. */
  readonly dice: number;
  /** Dice of the best candidate. */
  readonly best: number;
  /** Sample spread. */
  readonly spread: number;
}

/**
 * A user with a click at a random pixel of the mask in mind.
 *
 * @param before The same user on the image before, whose profile is carried if
 * the taste means something on another image.
 */
export function startTrainee(
  target: Float32Array,
  config: ModelConfig,
  random: Random,
  taste: Taste = {},
  before?: SimulatedTrainee,
): SimulatedTrainee {
  const side = maskSide(config);
  const inside: number[] = [];
  for (let i = 0; i < target.length; i++) if (target[i] >= 0.5) inside.push(i);
  const pixel = inside.length > 0
    ? inside[random.integer(inside.length)]
    : target.indexOf(Math.max(...target));
  const step = config.imageSize / side;
  const known = (taste.raters ?? taste.style) !== undefined;
  const habit = known ? before?.habit : undefined;
  const place = (i: number) => (i + random.uniform()) * step - 0.5;
  return {
    target,
    feedback: {
      points: [{ x: place(pixel % side), y: place(Math.floor(pixel / side)) }],
      choices: [],
      frame: frameOf(config.imageSize, config.imageSize, config.imageSize),
    },
    taste,
    ...(habit && { profile: habit.mixture }),
    evidence: habit?.evidence ?? new Float64Array(config.components),
    kept: new Float32Array(0),
    keptComponents: new Int32Array(0),
  };
}

/** Dice of two maps, both thresholded at one half. */
export function mapDice(a: Float32Array, b: Float32Array): number {
  let overlap = 0, total = 0;
  for (let i = 0; i < a.length; i++) {
    const p = a[i] >= 0.5 ? 1 : 0, q = b[i] >= 0.5 ? 1 : 0;
    overlap += p & q;
    total += p + q;
  }
  return total === 0 ? 1 : (2 * overlap) / total;
}

/**
 * One iteration of a user: sees the samples' candidates, picks the nearest,
 * and remembers. Gradients never pass through here.
 *
 * @param maps Fresh samples, one per component, row-major, [M, 4h * 4h].
 * @param weights pi, [M].
 * @param variations Variations of the samples to draw, by default M.
 */
export async function advanceTrainee(
  trainee: SimulatedTrainee,
  maps: Float32Array,
  weights: Float64Array,
  config: ModelConfig,
  random: Random,
  variations: number = config.components,
): Promise<TraineeReport> {
  const side = maskSide(config);
  const M = config.components;
  const { choices } = trainee.feedback;
  const { maps: pool, components, shares, gram } = await weighSamples(
    { maps, components: Array.from({ length: M }, (_, m) => m) },
    weights,
    { maps: trainee.kept, components: trainee.keptComponents },
    trainee.feedback,
    variations,
    random,
  );

  const all = Array.from(shares.keys());
  const recommended = meanMap(pool, shares, all);
  const { labels, count } = clusterMaps(pool, shares, 4, random, gram);
  const members = Array.from(
    { length: count },
    (_, k) => all.filter((i) => labels[i] === k),
  );
  const candidates = members.map((list) => meanMap(pool, shares, list));
  const dices = candidates.map((map) => mapDice(map, trainee.target));
  const chosen = dices.indexOf(Math.max(...dices));
  const report = {
    iteration: choices.length,
    dice: mapDice(recommended, trainee.target),
    best: dices[chosen],
    spread: spreadOf(pool, shares),
  };

  trainee.evidence = addEvidence(
    trainee.evidence,
    maskLogLikelihood(pool, components.length, candidates[chosen]),
    components,
  );
  trainee.feedback = {
    ...trainee.feedback,
    choices: [...choices, {
      recommended: mapOf(recommended, side),
      candidates: candidates.map((map) => mapOf(map, side)),
      chosen,
    }],
  };
  const kept = keepSamples({ maps: pool, components }, members[chosen]);
  trainee.kept = kept.maps;
  trainee.keptComponents = Int32Array.from(kept.components);
  return report;
}
