/** A user's preference about one image: immutable; an update makes a new one. */

import { contiguous } from "../arrays/contiguous.ts";
import { digest } from "../digest.ts";
import type { Identity } from "./embedding.ts";
import type { Feedback } from "./feedback.ts";
import type { GaussianMixture } from "./mixture.ts";
import type { KeptSamples } from "./predictions.ts";

/** What is known about the user: the distribution and what it came from. */
export interface Preference {
  /** The preference distribution p(z). */
  readonly distribution: GaussianMixture;
  /**
   * Accumulated log evidence a, [M], in nats: zeros before any choice, or the
   * profile's. After a choice it is normalized, so that its exponentials sum to 1.
   * A choice adds its own evidence to half of the evidence before (the method keeps
   * all of it): a user may change their mind.
   */
  readonly evidence: Float64Array;
  /** Whether p(z) is a profile's: until the first choice. */
  readonly carried?: boolean;
  /** The embedding it is about: no other is taken with it. */
  readonly identity: Identity;
  /** Points and choices so far. */
  readonly feedback: Feedback;
  /**
   * Samples of the cluster chosen last, at most 48, to be shown again; absent
   * before any choice.
   */
  readonly kept?: KeptSamples;
  /**
   * What was known after the first choice. It says most about the user's habits
   * and becomes the profile. Absent before any choice.
   */
  readonly habit?: Pick<Preference, "distribution" | "evidence">;
  /** Number of choices so far. */
  readonly iteration: number;
}

/** Tells the states of a user apart: a digest of all that an update moves. */
export function stateOf(
  { distribution, evidence, feedback, iteration }: Preference,
): string {
  const { logWeights, means, deviations } = distribution;
  const bytes = (values: Float64Array) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return digest([
    JSON.stringify([iteration, feedback.points, feedback.box]),
    bytes(logWeights),
    bytes(evidence),
    contiguous(means).data,
    contiguous(deviations).data,
  ]);
}
