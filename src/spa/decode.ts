// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { type Model, programsOf } from "../model/model.ts";
import type { ImageEmbedding } from "./encode.ts";
import { packFeedback } from "./feedback.ts";
import { choiceShares, type Predictions } from "./predictions.ts";
import type { Preference } from "./preference.ts";
import type { Latents } from "./sample_gmm.ts";

/**
 * Decodes latent preferences to probability maps, all samples in one batch,
 * and joins the samples of the clusters the user chose before. Samples that
 * contradict an earlier choice get a smaller share.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param latents Samples of `sampleGMM`.
 * @param preference The preference the samples were drawn from.
 * @returns Predictions for `cluster`.
 * @throws {RangeError} When the latents' width is not the model's.
 */
export async function decode(
  model: Model,
  embedding: ImageEmbedding,
  latents: Latents,
  preference: Preference,
): Promise<Predictions> {
  const { config } = model;
  const [N, d] = latents.values.shape;
  if (d !== config.latentChannels) {
    throw new RangeError(
      `Cannot decode as latents must have ${config.latentChannels} channels: current value is ${d}`,
    );
  }
  const { feedback, kept } = preference;
  const { probabilities } = await programsOf(model).decode({
    ...packFeedback(config, [feedback]),
    weights: await model.deviceWeights(),
    embedding: embedding.values,
    detail: embedding.detail,
    latents: { data: latents.values.data as Float32Array, shape: [1, N, d] },
  });
  const side = probabilities.shape[2];
  const area = side * side;
  const count = N + (kept?.components.length ?? 0);
  const maps = new Float32Array(count * area);
  maps.set(probabilities.data);
  const components = new Int32Array(count);
  components.set(latents.components);
  if (kept) {
    maps.set(kept.probabilities.data as Float32Array, N * area);
    components.set(kept.components, N);
  }
  const prior = new Float64Array(count).fill(1 / N);
  return {
    probabilities: ndarray(maps, [count, side, side]),
    components,
    shares: choiceShares(maps, prior, feedback.choices),
    latents,
    frame: feedback.frame,
    image: embedding.image,
  };
}
