/** The preference generator, and the samples of what it makes. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { checkFinite } from "../engine/engine.ts";
import { type Model, programsOf } from "../model/model.ts";
import { decodeLatents } from "./decode_latents.ts";
import type { ImageEmbedding } from "./embedding.ts";
import { type Feedback, packFeedback } from "./feedback.ts";
import type { GaussianMixture } from "./mixture.ts";
import type { KeptSamples } from "./predictions.ts";
import type { Preference } from "./preference.ts";
import { keepPrepared, takePrepared } from "./prepared.ts";
import { withProfile } from "./profile.ts";
import { sampleGMM } from "./sample_gmm.ts";

/** What a distribution is made of. */
type Known = Pick<Preference, "feedback" | "evidence" | "profile" | "habit">;

/** Runs the preference generator on feedback: p(z) as host values. */
export async function generateDistribution(
  model: Model,
  embedding: ImageEmbedding,
  feedback: Feedback,
  evidence: Float64Array,
): Promise<GaussianMixture> {
  const inputs = packFeedback(model.config, [feedback]);
  const { choice: _, ...prompts } = inputs;
  const { components: M, latentChannels: d } = model.config;
  const weights = await model.deviceWeights();
  const made = await programsOf(model).generate({
    ...prompts,
    weights,
    embedding: embedding.values,
    evidence: { data: Float32Array.from(evidence), shape: [1, M] },
  });
  const { logWeights, means, deviations, shared } = made;
  for (const { data } of [logWeights, means, deviations]) {
    checkFinite("generate the distribution", data);
  }
  keepPrepared(embedding, { feedback, weights, inputs, shared });
  return {
    logWeights: Float64Array.from(logWeights.data),
    means: ndarray(means.data as Float32Array, [M, d]),
    deviations: ndarray(deviations.data as Float32Array, [M, d]),
  };
}

/**
 * The distribution of a preference that was told something other than a choice: the
 * generator's, and until the first choice the profile added.
 */
export async function distributionOf(
  model: Model,
  embedding: ImageEmbedding,
  { feedback, evidence, profile, habit }: Known,
): Promise<GaussianMixture> {
  return withProfile(
    await generateDistribution(model, embedding, feedback, evidence),
    habit ? undefined : profile,
  );
}

/**
 * A few samples of what the generator makes, decoded.
 *
 * @param count Samples, always of the same noise.
 * @returns Probability maps, [n, m, m], in the embedding's region.
 */
export async function drawFirst(
  model: Model,
  embedding: ImageEmbedding,
  known: Known,
  count: number,
): Promise<KeptSamples> {
  const { feedback } = known;
  const distribution = await distributionOf(model, embedding, known);
  const { values, components } = sampleGMM(distribution, { samples: count });
  const [N, d] = values.shape;
  const weights = await model.deviceWeights();
  const prepared = takePrepared(embedding, { feedback, weights });
  const { data, shape } = await decodeLatents(
    model,
    embedding,
    prepared?.inputs ?? packFeedback(model.config, [feedback]),
    { data: values.data as Float32Array, shape: [1, N, d] },
    { shared: prepared?.shared },
  );
  const [, , side] = shape;
  return {
    probabilities: ndarray(data as Float32Array, [N, side, side]),
    components,
  };
}
