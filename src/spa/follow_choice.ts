// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Model } from "../model/model.ts";
import { encodeRegion, type ImageEmbedding } from "./embedding.ts";
import { regionOfChoice } from "./find_region.ts";
import { type Box, frameOf } from "./frame.ts";
import type { Preference } from "./preference.ts";
import { carryPreference } from "./start_preference.ts";
import type { UpdateOptions } from "./update_preference.ts";

/** Where the network looks, and what is known of the user there. */
export interface Look {
  /** The region's embedding. */
  readonly embedding: ImageEmbedding;
  /** The preference in it. */
  readonly preference: Preference;
}

/**
 * Looks at another region of the image, and carries the preference there.
 *
 * @param model The network.
 * @param look The present region and preference; its embedding stays.
 * @param region In pixels of the image; widened to a square.
 * @param update As for `updatePreference`.
 * @returns The new ones; the caller owns the embedding.
 * @throws As `carryPreference`.
 */
export async function lookAt(
  model: Model,
  { embedding, preference }: Look,
  region: Box,
  update?: UpdateOptions,
): Promise<Look> {
  const { frame: { height, width, side }, image } = embedding;
  const frame = frameOf(height, width, side, region);
  const other = await encodeRegion(model, image, frame);
  try {
    const carried = await carryPreference(model, other, preference, update);
    return { embedding: other, preference: carried };
  } catch (error) {
    other.dispose();
    throw error;
  }
}

/**
 * Lets the region follow a choice. From one click the network guesses how large the
 * object is; the chosen candidate tells. Where the region that was looked at is
 * much too wide, too narrow, or off the object, the network looks again, and the
 * preference is carried there.
 *
 * @param model The network.
 * @param embedding The region that the choice was made in.
 * @param preference The preference after the choice.
 * @param chosen The chosen candidate's map, [m, m], 0..1.
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
): Promise<Look> {
  const { points } = preference.feedback;
  const region = regionOfChoice(chosen, embedding.frame, points);
  const look = { embedding, preference };
  return region ? await lookAt(model, look, region, update) : look;
}
