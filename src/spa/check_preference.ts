/** Whether a preference goes with a model and an embedding. */

import { maskSide } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { type ImageEmbedding, modelNumber, sameIdentity } from "./embedding.ts";
import { type Preference, stateOf } from "./preference.ts";
import type { Predictions } from "./predictions.ts";
import { InputError } from "../input_error.ts";

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
