/**
 * What a simulated user of a baseline says: nothing, a box, or a click inside
 * the target and then one at the centre of the largest error after another.
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Feedback } from "../spa/feedback.ts";

/** How the user of a method interacts. */
export type Interaction = "clicks" | "box" | "none";

/** The prediction before, as the next one's mask prompt. */
export function withMask(
  feedback: Feedback,
  map: NdArray<Float32Array>,
): Feedback {
  const choice = { recommended: map, candidates: [map], chosen: 0 };
  return { ...feedback, choices: [...feedback.choices.slice(-1), choice] };
}
