// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { free } from "../engine/tensors.ts";
import type { Model } from "../model/model.ts";
import { checkPreference, type Preference, stateOf } from "./preference.ts";
import { decodeLatents } from "./decode_latents.ts";
import type { ImageEmbedding } from "./embedding.ts";
import { packFeedback } from "./feedback.ts";
import { knownGrams } from "./kmeans.ts";
import { takePrepared } from "./prepared.ts";
import { createRandom } from "../random.ts";
import { type Predictions, weighSamples } from "./predictions.ts";
import type { Latents } from "./sample_gmm.ts";
import { InputError } from "../input_error.ts";

/** What is decoded. */
export interface DecodeOptions {
  /** Samples of `sampleGMM`, drawn from the preference. */
  readonly latents: Latents;
  /**
   * Maps to draw from a Gaussian of low rank around the samples' logits (Monteiro
   * et al., "Stochastic Segmentation Networks", 2020); 0 for none. Default: as
   * many as latents. They need memory for the square of their number.
   */
  readonly variations?: number;
  /**
   * Share of the way to the last choice that the network has learned to move the
   * mean, 0..1, default 1; less where the choice is a mask of another slice.
   */
  readonly keep?: number;
}

/**
 * Decodes latent preferences to probability maps, steps 2 and 3 of an
 * iteration: fusion with the image embedding, then SAM's two-way mask decoder
 * with the feedback as its prompts.
 *
 * Beyond the method, the samples of the cluster that the user chose last and
 * variations of them all join the fresh ones, and the shares are not equal: a
 * fresh sample weighs 1, a kept one 8 and a variation 0.2, each times the
 * likelihood of all choices so far. After a choice the kept samples, which
 * explain it best, make up most of the recommendation.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param preference The preference the samples were drawn from.
 * @param options The samples, and how many variations of them.
 * @returns Predictions for `cluster`.
 * @throws {RangeError} When the latents' width is not the model's, `variations`
 * is no whole number >= 0, or the preference is of another image or model.
 * @throws {TypeError} When the model or the embedding is disposed.
 *
 * @example Decode 48 samples
 * ```ts
 * import * as spa from "@spa-seg/spa";
 *
 * using model = await spa.loadModel();
 * const { image } = spa.phantom({ kind: "kidney", seed: 9 });
 * using embedding = await spa.encode(model, image);
 * const preference = await spa.startPreference(model, embedding, {
 *   points: [{ x: 50, y: 35 }],
 * });
 * const latents = spa.sampleGMM(preference.distribution);
 * const predictions = await spa.decode(model, embedding, preference, { latents });
 * predictions.probabilities.shape; // [96, 128, 128]: as many variations
 * ```
 */
export async function decode(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  { latents, variations = latents.components.length, keep }: DecodeOptions,
): Promise<Predictions> {
  const { config } = model;
  const [N, d] = latents.values.shape;
  if (d !== config.latentChannels) {
    throw new InputError(
      `Cannot decode as latents must have ${config.latentChannels} channels: current value is ${d}`,
    );
  }
  if (!Number.isSafeInteger(variations) || variations < 0) {
    throw new InputError(
      `Cannot decode as variations must be a whole number >= 0: current value is ${variations}`,
    );
  }
  checkPreference("decode", model, embedding, preference);
  const { feedback, kept = preference.around } = preference;
  const weights = await model.deviceWeights();
  const prepared = takePrepared(embedding, { feedback, weights });
  const probabilities = await decodeLatents(
    model,
    embedding,
    prepared?.inputs ?? packFeedback(config, [feedback]),
    { data: contiguous(latents.values).data, shape: [1, N, d] },
    { shared: prepared?.shared, keep },
  );
  const side = probabilities.shape[2];
  const { maps, gram, ...weighted } = await weighSamples(
    {
      maps: probabilities.data as Float32Array,
      components: latents.components,
    },
    new Float64Array(N).fill(1 / N),
    {
      maps: kept ? contiguous(kept.probabilities).data : new Float32Array(),
      components: kept?.components ?? [],
      weight: kept?.weight,
    },
    feedback,
    variations,
    createRandom(latents.seed, preference.iteration),
  );
  free(probabilities.data);
  const all = ndarray(maps, [weighted.shares.length, side, side]);
  if (gram) knownGrams.set(all, gram);
  return {
    ...weighted,
    probabilities: all,
    latents,
    identity: embedding.identity,
    state: stateOf(preference),
    frame: feedback.frame,
    image: embedding.image,
  };
}
