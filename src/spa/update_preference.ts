/**
 * What a user's answer changes in a preference: a choice, by the generator or by
 * the training-free M-step, and a click.
 */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import type { Model } from "../model/model.ts";
import {
  checkPreference,
  checkProposal,
  type Preference,
} from "./preference.ts";
import { meanMap, type Proposal } from "./cluster.ts";
import type { ImageEmbedding } from "./embedding.ts";
import { addEvidence, maskLogLikelihood } from "./evidence.ts";
import {
  addChoice,
  type Choice,
  type Feedback,
  mapOf,
  maskPrompt,
  type Point,
} from "./feedback.ts";
import { clickLogLikelihood } from "./feedback_likelihood.ts";
import {
  type GaussianMixture,
  logSumExp,
  moveParts,
  normalizeLogWeights,
} from "./mixture.ts";
import {
  keepSamples,
  type Samples,
  type WeightedSamples,
} from "./predictions.ts";
import { distributionOf, generateDistribution } from "./generate.ts";
import { checkPoint } from "./start_preference.ts";
import { addToProfile } from "./profile.ts";
import { InputError } from "../input_error.ts";
import type { Latents } from "./sample_gmm.ts";
import { type Frame, isInRegion } from "./frame.ts";

/** How an update is made. */
export interface UpdateOptions {
  /**
   * `generator` (default): the trained generator on the feedback so far, with
   * the evidence. `m-step`: the training-free update of the mixture itself: its
   * weights and means move to the samples that explain the choice, and its
   * deviations shrink about them.
   */
  readonly rule?: "generator" | "m-step";
  /** Whether the means and deviations are updated; default true. */
  readonly moments?: boolean;
  /**
   * Whether the weights pi are updated; default true. With `moments`, the
   * paper's ablation of the update.
   */
  readonly weights?: boolean;
}

/** A choice, and how it updates. */
export interface ChoiceUpdate extends UpdateOptions {
  /** What the user was shown. */
  readonly proposal: Proposal;
  /** Index of the candidate the user picked, from 0. */
  readonly choice: number;
}

/** What was shown, and what of it was chosen: maps at the decoder's resolution. */
export interface Shown {
  /** All samples with their components, fresh ones before older ones. */
  readonly samples: Pick<WeightedSamples, "maps" | "components">;
  /** The recommended map, [m, m]. */
  readonly recommended: NdArray<Float32Array>;
  /** The candidates' maps, [m, m] each. */
  readonly candidates: readonly NdArray<Float32Array>[];
  /** Index of the chosen candidate, from 0. */
  readonly chosen: number;
  /** The samples of its cluster. */
  readonly members: readonly number[];
}

/**
 * What a choice teaches, whether a user or a simulated user of training made it:
 * the evidence for the components, the choice as feedback, and the cluster's own
 * samples, to be shown again.
 *
 * @param before The evidence so far, [M].
 */
export function learnChoice(
  before: Float64Array,
  { samples, recommended, candidates, chosen, members }: Shown,
): {
  readonly evidence: Float64Array;
  readonly choice: Choice;
  readonly kept: Samples;
  /** T l_n of every sample, [n]. */
  readonly logLikelihood: Float64Array;
} {
  const { maps, components } = samples;
  const logLikelihood = maskLogLikelihood(
    maps,
    components.length,
    contiguous(candidates[chosen]).data,
  );
  return {
    evidence: addEvidence(before, logLikelihood, components),
    choice: { recommended, candidates, chosen },
    kept: keepSamples(samples, members),
    logLikelihood,
  };
}

/**
 * Updates the preference with a choice: evidence for every mixture component
 * (the E-step: the likelihood of the chosen mask under the component's
 * predictions), then the generator on the feedback so far, and at most 48 of the
 * chosen cluster's own samples kept for the next proposal.
 *
 * Beyond the method, the evidence counts kept samples and variations as
 * predictions of the component they came from, as the network was trained.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param preference The preference the proposal was made with; not changed.
 * @param update The proposal and the choice; the rule, and which parts of the
 * mixture move (ablations).
 * @returns The new preference, one iteration further.
 * @throws {RangeError} When there is no such candidate or rule, or the
 * preference or the proposal is of another image, region or model, or the
 * proposal was not made with this preference.
 * @throws {TypeError} When the model or the embedding is disposed and the rule
 * is `generator`.
 *
 * @example Pick the first candidate
 * ```ts
 * import * as spa from "@spa-seg/spa";
 *
 * using model = await spa.loadModel();
 * const { image } = spa.phantom({ kind: "kidney", seed: 9 });
 * using embedding = await spa.encode(model, image);
 * const preference = await spa.startPreference(model, embedding, {
 *   points: [{ x: 50, y: 35 }],
 * });
 * const latents = spa.sampleGMM(preference.distribution);
 * const predictions = await spa.decode(model, embedding, preference, { latents });
 * const proposal = spa.cluster(predictions);
 * const updated = await spa.updatePreference(model, embedding, preference, {
 *   proposal,
 *   choice: 0,
 * });
 * updated.iteration; // 1
 * ```
 */
export async function updatePreference(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  { proposal, choice, ...options }: ChoiceUpdate,
): Promise<Preference> {
  const { candidates, predictions, recommended } = proposal;
  const chosen = candidates[choice];
  if (!chosen) {
    throw new InputError(
      `Cannot update as the choice must be a candidate, 0..${
        candidates.length - 1
      }: current value is ${choice}`,
    );
  }
  const { rule = "generator" } = options;
  if (rule !== "generator" && rule !== "m-step") {
    throw new InputError(
      `Cannot update as the rule must be "generator" or "m-step": current value is "${rule}"`,
    );
  }
  checkPreference("update", model, embedding, preference);
  checkProposal("update", preference, predictions);
  const { probabilities, components } = predictions;
  const { evidence, choice: learned, kept, logLikelihood } = learnChoice(
    preference.evidence,
    {
      samples: { maps: contiguous(probabilities).data, components },
      recommended: recommended.probability,
      candidates: candidates.map(({ probability }) => probability),
      chosen: choice,
      members: chosen.members,
    },
  );
  const feedback: Feedback = {
    ...preference.feedback,
    choices: addChoice(preference.feedback.choices, learned),
  };
  const { latents } = predictions;
  const first = logLikelihood.slice(0, latents.components.length);
  const { distribution: old } = preference;
  const updated = rule === "m-step"
    ? mStep(old, latents, first, {
      scalar: model.config.scalarMoments,
    })
    : await generateDistribution(model, embedding, feedback, evidence);
  const distribution = moveParts(old, updated, options);
  return {
    distribution,
    evidence,
    identity: preference.identity,
    feedback,
    ...(preference.profile && { profile: preference.profile }),
    habit: preference.habit ?? addToProfile(
      preference.profile,
      first,
      latents.components,
      evidence.length,
    ),
    kept: {
      probabilities: ndarray(kept.maps, [
        kept.components.length,
        ...probabilities.shape.slice(1),
      ]),
      components: Int32Array.from(kept.components),
    },
    iteration: preference.iteration + 1,
  };
}

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

/**
 * What a click teaches, whether a user's or a simulated one's of training: the
 * mean of the samples that were shown, each weighed by how well it goes with the
 * click, is the network's next mask prompt (as a prediction is in segment-anything,
 * Kirillov et al. 2023, section 3).
 *
 * @param shown The samples, row-major, [n, side * side], and their shares.
 * @param point The click, in pixels of the image.
 * @param frame Places of the image and the region.
 */
export function learnClick(
  { maps, shares }: Pick<WeightedSamples, "maps" | "shares">,
  point: Point,
  frame: Frame,
): Choice {
  const n = shares.length;
  const likelihood = clickLogLikelihood(maps, n, [point], frame);
  const weights = normalizeLogWeights(
    shares.map((share, i) => Math.log(share) + likelihood[i]),
  ).map(Math.exp);
  const mean = meanMap(maps, weights, [...weights.keys()]);
  return maskPrompt(mapOf(mean, Math.sqrt(mean.length)));
}

/** A click, and how it updates. */
export interface PointUpdate extends UpdateOptions {
  /** The click, positive or negative. */
  readonly point: Point;
  /**
   * What the user was shown, made with this preference. The click corrects it: the
   * mean of its samples, in which those that go with the click count for more, is
   * the network's next mask prompt. Absent: the click stands by itself, and masks
   * are made afresh.
   */
  readonly proposal?: Proposal;
}

/**
 * Adds a click to a preference: the generator sees it with everything before,
 * and with the mask that it makes of the proposal. Under the rule `m-step` the
 * mixture does not change: the click counts only in decoding. A click is no choice: the iteration stays the same. In `decode`, samples that
 * contradict the click count for less, and for still less when it is repeated.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param preference The preference so far; not changed.
 * @param update The click, and what was shown; the rule, and which parts of the
 * mixture move.
 * @returns The new preference.
 * @throws {RangeError} When the point lies outside the image or the region, its
 * label is not 0 or 1, the preference or the proposal is of another image,
 * region or model, or the proposal was not made with this preference.
 * @throws {TypeError} When the model or the embedding is disposed and the rule
 * is `generator`.
 */
export async function addPoint(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  { point, proposal, ...options }: PointUpdate,
): Promise<Preference> {
  checkPoint(point, embedding.frame);
  if (!isInRegion(embedding.frame, point)) {
    const { left, top, right, bottom } = embedding.region;
    throw new InputError(
      `Cannot add the point as it must lie in the region, x in ${left}..${right} and y in ${top}..${bottom}: current value is (${point.x}, ${point.y})`,
    );
  }
  checkPreference("add a point", model, embedding, preference);
  const { around: _, ...before } = preference;
  const { feedback, distribution: old } = before;
  let { choices } = feedback;
  if (proposal) {
    const { predictions } = proposal;
    checkProposal("add a point", preference, predictions);
    const { shares, probabilities } = predictions;
    const shown = { maps: contiguous(probabilities).data, shares };
    choices = addChoice(choices, learnClick(shown, point, feedback.frame));
  }
  const points = [...feedback.points, point];
  const extended = { ...feedback, points, choices };
  const distribution = options.rule === "m-step" ? old : moveParts(
    old,
    await distributionOf(model, embedding, {
      ...before,
      feedback: extended,
    }),
    options,
  );
  return { ...before, distribution, feedback: extended };
}
