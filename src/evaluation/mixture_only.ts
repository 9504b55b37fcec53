/** What is left of the method where nothing but the mixture carries a choice on. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Proposal } from "../spa/cluster.ts";
import type { Preference } from "../spa/preference.ts";

/** The preference with its choices removed; only the mixture remains. */
export function mixtureAlone(
  { kept: _, ...preference }: Preference,
): Preference {
  return { ...preference, feedback: { ...preference.feedback, choices: [] } };
}

/** A proposal without any but the fresh samples: the others are no evidence. */
export function freshAlone(proposal: Proposal): Proposal {
  const { candidates, predictions } = proposal;
  const { components } = predictions.latents;
  const N = components.length;
  const [, side] = predictions.probabilities.shape;
  const maps = predictions.probabilities.data.subarray(0, N * side * side);
  return {
    ...proposal,
    candidates: candidates.map((candidate) => ({
      ...candidate,
      members: candidate.members.filter((i) => i < N),
    })),
    predictions: {
      ...predictions,
      components,
      probabilities: ndarray(maps as Float32Array, [N, side, side]),
    },
  };
}
