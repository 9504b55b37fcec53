// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Model } from "../model/model.ts";
import { encodeRegion, type ImageEmbedding } from "./embedding.ts";
import { regionOfChoice } from "./encode.ts";
import { frameOf } from "./frame.ts";
import type { Preference } from "./preference.ts";
import { carryPreference } from "./start_preference.ts";
import type { UpdateOptions } from "./update_preference.ts";

/**
 * Lets the region follow a choice. From one click the network guesses how large the
 * object is; the chosen candidate tells. Where the region that was looked at is
 * much too wide, too narrow, or off the object, the network looks again, and the
 * preference is carried there.
 *
 * @param model The network.
 * @param embedding The region that the choice was made in.
 * @param preference The preference after the choice.
 * @param chosen The chosen candidate's map, [4h, 4h], 0..1.
 * @param update As for `updatePreference`.
 * @returns The same embedding and preference where the region will do, else new
 * ones; the caller owns the new embedding.
 * @throws {RangeError} When the preference is of another image or model.
 * @throws {TypeError} When the model or the embedding is disposed.
 */
export async function followChoice(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  chosen: NdArray<Float32Array>,
  update: UpdateOptions = {},
): Promise<{
  readonly embedding: ImageEmbedding;
  readonly preference: Preference;
}> {
  const { frame: { height, width, side }, image } = embedding;
  const { points } = preference.feedback;
  const region = regionOfChoice(chosen, embedding.frame, points);
  if (!region) return { embedding, preference };
  const frame = frameOf(height, width, side, region);
  const other = await encodeRegion(model, image, frame);
  try {
    return {
      embedding: other,
      preference: await carryPreference(model, other, preference, update),
    };
  } catch (error) {
    other.dispose();
    throw error;
  }
}
