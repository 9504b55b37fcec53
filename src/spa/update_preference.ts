// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Model } from "../model/model.ts";
import type { Proposal } from "./cluster.ts";
import type { ImageEmbedding } from "./encode.ts";
import { addEvidence, maskLogLikelihood } from "./evidence.ts";
import type { Feedback } from "./feedback.ts";
import type { Predictions } from "./predictions.ts";
import type { Preference } from "./preference.ts";
import { generateDistribution } from "./start_preference.ts";

/** Samples kept from one iteration to the next, at most. */
export const MOST_KEPT = 48;

/** What an update changes; all of it by default. */
export interface UpdateOptions {
  /** Whether the means and deviations are updated; default true. */
  readonly moments?: boolean;
  /** Whether the weights pi are updated; default true. */
  readonly weights?: boolean;
}

/** The chosen cluster's own samples, the newest first. */
function keep(
  predictions: Predictions,
  members: readonly number[],
): Predictions {
  const { probabilities, components, shares, frame } = predictions;
  const staying = members.slice(0, MOST_KEPT);
  const side = probabilities.shape[1];
  const area = side * side;
  const maps = new Float32Array(staying.length * area);
  staying.forEach((i, k) =>
    maps.set(
      probabilities.data.subarray(i * area, (i + 1) * area) as Float32Array,
      k * area,
    )
  );
  return {
    probabilities: ndarray(maps, [staying.length, side, side]),
    components: Int32Array.from(staying, (i) => components[i]),
    shares: Float64Array.from(staying, (i) => shares[i]),
    fresh: 0,
    frame,
  };
}

/**
 * Updates the preference with a choice: evidence for every mixture component,
 * then the generator on the feedback so far, and the chosen cluster's own
 * samples kept for the next proposal (`method.md`, Update).
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param preference The preference the proposal was made with; not changed.
 * @param proposal What the user was shown.
 * @param choice Index of the candidate the user picked.
 * @param options Which parts of the mixture move; for ablations.
 * @returns The new preference.
 * @throws {RangeError} When there is no such candidate.
 */
export async function updatePreference(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  proposal: Proposal,
  choice: number,
  { moments = true, weights = true }: UpdateOptions = {},
): Promise<Preference> {
  const { candidates, predictions, recommended } = proposal;
  const chosen = candidates[choice];
  if (!chosen) {
    throw new RangeError(
      `Cannot update as the choice must be a candidate, 0..${
        candidates.length - 1
      }: current value is ${choice}`,
    );
  }
  const maps = predictions.probabilities.data as Float32Array;
  const evidence = addEvidence(
    preference.evidence,
    maskLogLikelihood(
      maps,
      predictions.components.length,
      chosen.probability.data as Float32Array,
    ),
    predictions.components,
  );
  const feedback: Feedback = {
    ...preference.feedback,
    choices: [...preference.feedback.choices, {
      recommended: recommended.probability,
      candidates: candidates.map(({ probability }) => probability),
      chosen: choice,
    }],
  };
  const generated = await generateDistribution(
    model,
    embedding,
    feedback,
    evidence,
  );
  const { distribution: old } = preference;
  return {
    distribution: {
      logWeights: (weights ? generated : old).logWeights,
      means: (moments ? generated : old).means,
      deviations: (moments ? generated : old).deviations,
    },
    evidence,
    feedback,
    kept: keep(predictions, chosen.members),
    iteration: preference.iteration + 1,
  };
}
