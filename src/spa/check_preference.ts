/** Whether a preference goes with a model and an embedding. */

import { maskSide } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import type { ImageEmbedding } from "./embedding.ts";
import type { Frame } from "./frame.ts";
import type { Preference } from "./preference.ts";

function show({ height, width, side }: Frame): string {
  return `${height} x ${width} in a square of ${side}`;
}

/**
 * Throws a RangeError unless a preference is of the embedding's image, and its
 * maps are as large as the model's own.
 *
 * @param action What is about to be done, for the error.
 */
export function checkPreference(
  action: string,
  { config }: Pick<Model, "config">,
  { frame }: Pick<ImageEmbedding, "frame">,
  { feedback, kept }: Preference,
): void {
  const expected = show(frame), found = show(feedback.frame);
  if (expected !== found) {
    throw new RangeError(
      `Cannot ${action} as the preference must be of the embedding's image, ${expected}: current value is ${found}`,
    );
  }
  const side = maskSide(config);
  const maps = feedback.choices.map(({ recommended }) => recommended.shape[0]);
  if (kept) maps.push(kept.probabilities.shape[1]);
  const other = maps.find((found) => found !== side);
  if (other === undefined) return;
  throw new RangeError(
    `Cannot ${action} as the preference's maps must be the model's, ${side} x ${side}: current value is ${other} x ${other}`,
  );
}
