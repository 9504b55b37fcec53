import type { Model } from "../model/model.ts";
import { checkPreference } from "./check_preference.ts";
import type { ImageEmbedding } from "./embedding.ts";
import type { Point } from "./feedback.ts";
import { isInRegion } from "./frame.ts";
import { moveParts } from "./mixture.ts";
import type { Preference } from "./preference.ts";
import type { UpdateOptions } from "./update_preference.ts";
import { checkPoint, generateDistribution } from "./start_preference.ts";
import { InputError } from "../input_error.ts";

/** A click, and how it updates. */
export interface PointUpdate extends UpdateOptions {
  /** The click, positive or negative. */
  readonly point: Point;
}

/**
 * Adds a click to a preference: the generator sees it with everything before.
 * Under the rule `m-step` the mixture does not change. Before the first choice a
 * profile does not change either. In both cases the click counts only in decoding.
 * A click is no choice: the iteration stays the same. In `decode`, samples that
 * contradict the click count for less, and for still less when it is repeated.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param preference The preference so far; not changed.
 * @param update The click; the rule, and which parts of the mixture move.
 * @returns The new preference.
 * @throws {RangeError} When the point lies outside the image or the region, its
 * label is not 0 or 1, or the preference is of another image or model.
 * @throws {TypeError} When the model or the embedding is disposed and the rule
 * is `generator`.
 */
export async function addPoint(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  { point, ...options }: PointUpdate,
): Promise<Preference> {
  checkPoint(point, embedding.frame);
  if (!isInRegion(embedding.frame, point)) {
    const { left, top, right, bottom } = embedding.region;
    throw new InputError(
      `Cannot add the point as it must lie in the region, x in ${left}..${right} and y in ${top}..${bottom}: current value is (${point.x}, ${point.y})`,
    );
  }
  checkPreference("add a point", model, embedding, preference);
  const { feedback, evidence, distribution: old, carried } = preference;
  const extended = { ...feedback, points: [...feedback.points, point] };
  const stays = options.rule === "m-step" || carried;
  const distribution = stays ? old : moveParts(
    old,
    await generateDistribution(model, embedding, extended, evidence),
    options,
  );
  return { ...preference, distribution, feedback: extended };
}
