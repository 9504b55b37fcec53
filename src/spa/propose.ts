import type { Model } from "../model/model.ts";
import { cluster, type Proposal } from "./cluster.ts";
import { decode } from "./decode.ts";
import type { ImageEmbedding } from "./embedding.ts";
import type { Preference } from "./preference.ts";
import { createRandom } from "../random.ts";
import { sampleGMM } from "./sample_gmm.ts";

/** How proposals are made. */
export interface ProposalOptions {
  /** Samples N per proposal, a positive integer; default 48. */
  readonly samples?: number;
  /** Variations per proposal, by default as many as samples; see `decode`. */
  readonly variations?: number;
  /** Candidates K per proposal, a positive integer; default 4. */
  readonly candidates?: number;
  /** Seed of the samples and the clustering, any finite number; default 0. */
  readonly seed?: number;
}

/**
 * Samples, decodes and clusters: the proposal of a preference. Every state of a
 * session has a seed of its own, so that no two draw the same noise.
 *
 * @param redraws How often the same preference was drawn from before.
 */
export async function propose(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  { samples = 48, variations, candidates = 4, seed = 0 }: ProposalOptions,
  redraws = 0,
): Promise<Proposal> {
  const { iteration, feedback } = preference;
  const path = [redraws, iteration, feedback.points.length];
  const own = createRandom(seed, ...path).integer(2 ** 32);
  const latents = sampleGMM(preference.distribution, {
    samples,
    seed: own,
  });
  const predictions = await decode(model, embedding, preference, {
    latents,
    variations,
  });
  return cluster(predictions, { candidates, seed: own });
}
