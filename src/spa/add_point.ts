import type { Model } from "../model/model.ts";
import type { ImageEmbedding } from "./encode.ts";
import type { Point } from "./feedback.ts";
import type { Preference } from "./preference.ts";
import { checkPoint, generateDistribution } from "./start_preference.ts";

/**
 * Adds a click to a preference: the generator sees it with everything before.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param preference The preference so far; not changed.
 * @param point The click, positive or negative.
 * @returns The new preference.
 * @throws {RangeError} When the point lies outside the image.
 */
export async function addPoint(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  point: Point,
): Promise<Preference> {
  checkPoint(point, embedding.frame);
  const { feedback, evidence } = preference;
  const extended = { ...feedback, points: [...feedback.points, point] };
  const distribution = await generateDistribution(
    model,
    embedding,
    extended,
    evidence,
  );
  return { ...preference, distribution, feedback: extended };
}
