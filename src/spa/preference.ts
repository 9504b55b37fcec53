/**
 * A user's preference about one image: immutable; an update makes a new one. It
 * goes with one model and one embedding alone, which every verb checks.
 */

import { contiguous } from "../arrays/contiguous.ts";
import { digest } from "../digest.ts";
import {
  type Identity,
  type ImageEmbedding,
  modelNumber,
  sameIdentity,
} from "./embedding.ts";
import type { Feedback } from "./feedback.ts";
import type { GaussianMixture } from "./mixture.ts";
import type { KeptSamples, Predictions } from "./predictions.ts";
import type { Profile } from "./profile.ts";
import { maskSide } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { InputError } from "../input_error.ts";

/** What is known about the user: the distribution and what it came from. */
export interface Preference {
  /** The preference distribution p(z). */
  readonly distribution: GaussianMixture;
  /**
   * Accumulated log evidence a, [M], in nats: zeros before any choice. After a
   * choice it is normalized, so that its exponentials sum to 1.
   * A choice adds its own evidence to half of the evidence before (the method keeps
   * all of it): a user may change their mind.
   */
  readonly evidence: Float64Array;
  /** The profile that it started with; it moves p(z) until the first choice. */
  readonly profile?: Profile;
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
   * Samples of squares that the region might be as well, in the region's places,
   * for the first proposal: one click leaves open how large the object is. Absent
   * where the region is known, and after any feedback.
   */
  readonly around?: KeptSamples;
  /** The profile for the next image. Absent before any choice. */
  readonly habit?: Profile;
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

/**
 * Throws a RangeError unless a preference is of the embedding, and its maps are
 * as large as the model's own.
 *
 * @param action What is about to be done, for the error.
 */
export function checkPreference(
  action: string,
  model: Model,
  embedding: ImageEmbedding,
  { feedback, kept, identity }: Preference,
): void {
  const side = maskSide(model.config);
  const maps = feedback.choices.map(({ recommended }) => recommended.shape[0]);
  if (kept) maps.push(kept.probabilities.shape[1]);
  const other = maps.find((found) => found !== side);
  if (other !== undefined) {
    throw new InputError(
      `Cannot ${action} as the preference's maps must be the model's, ${side} x ${side}: current value is ${other} x ${other}`,
    );
  }
  checkModel(action, model, embedding);
  const own = embedding.identity;
  if (sameIdentity(own, identity)) return;
  const found = own.model !== identity.model
    ? "of another model"
    : own.image !== identity.image
    ? "of another image"
    : "of another region: carryPreference() takes it along";
  throw new InputError(
    `Cannot ${action} as the preference must be of this embedding: current value is ${found}`,
  );
}

/** Throws a RangeError unless an embedding is of the model. */
export function checkModel(
  action: string,
  model: Model,
  { identity }: ImageEmbedding,
): void {
  if (identity.model === modelNumber(model)) return;
  throw new InputError(
    `Cannot ${action} as the embedding must be of this model: current value is of another one; encode the image again`,
  );
}

/**
 * Throws a RangeError unless a proposal was made with the preference.
 *
 * @param action What is about to be done, for the error.
 */
export function checkProposal(
  action: string,
  preference: Preference,
  { identity, state }: Predictions,
): void {
  const known = identity && sameIdentity(identity, preference.identity);
  if (known && state === stateOf(preference)) return;
  const found = !identity
    ? "one that decode() did not make"
    : !known
    ? "one of another image, region or model"
    : "an older or a newer one";
  throw new InputError(
    `Cannot ${action} as the proposal must be made with this preference: current value is ${found}`,
  );
}
