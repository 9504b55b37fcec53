// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import type { Model } from "../model/model.ts";
import { checkPreference, checkProposal } from "./check_preference.ts";
import type { Proposal } from "./cluster.ts";
import type { ImageEmbedding } from "./embedding.ts";
import { mStep } from "./m_step.ts";
import { addEvidence, maskLogLikelihood } from "./evidence.ts";
import { addChoice, type Choice, type Feedback } from "./feedback.ts";
import { moveParts } from "./mixture.ts";
import {
  keepSamples,
  type Samples,
  type WeightedSamples,
} from "./predictions.ts";
import type { Preference } from "./preference.ts";
import { generateDistribution } from "./start_preference.ts";
import { InputError } from "../input_error.ts";

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
  /** The recommended map, [4h, 4h]. */
  readonly recommended: NdArray<Float32Array>;
  /** The candidates' maps, [4h, 4h] each. */
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
  const { distribution: old } = preference;
  const updated = rule === "m-step"
    ? mStep(old, latents, logLikelihood.slice(0, latents.components.length), {
      scalar: model.config.scalarMoments,
    })
    : await generateDistribution(model, embedding, feedback, evidence);
  const distribution = moveParts(old, updated, options);
  return {
    distribution,
    evidence,
    identity: preference.identity,
    feedback,
    habit: preference.habit ?? { distribution, evidence },
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
