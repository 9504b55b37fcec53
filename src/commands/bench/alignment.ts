import type { Model } from "../../model/model.ts";
import { cluster } from "../../spa/cluster.ts";
import { decode } from "../../spa/decode.ts";
import { encode, type ImageEmbedding } from "../../spa/encode.ts";
import type { Preference } from "../../spa/preference.ts";
import { sampleGMM } from "../../spa/sample_gmm.ts";
import { startPreference } from "../../spa/start_preference.ts";
import { updatePreference } from "../../spa/update_preference.ts";
import { CLICK } from "./setting.ts";

/** Milliseconds of one iteration. */
export interface IterationTimes {
  /** Sampling, the decoder, and the shares of the samples. */
  readonly decode: number;
  readonly cluster: number;
  readonly update: number;
}

/** Iterations of one session, as in the paper. */
export const SESSION = 6;

/** Samples N of one iteration. */
const SAMPLES = 48;

/** Milliseconds that a call takes, and its result. */
export async function time<T>(
  call: () => T | Promise<T>,
): Promise<[milliseconds: number, result: T]> {
  const start = performance.now();
  const result = await call();
  return [performance.now() - start, result];
}

/** Encodes and waits until the embedding is there, on any engine. */
export async function encodeAndWait(
  model: Model,
  image: Parameters<typeof encode>[1],
): Promise<ImageEmbedding> {
  const embedding = await encode(model, image);
  await embedding.values.read();
  return embedding;
}

/** The first preference: a click in the middle of the object. */
export function start(
  model: Model,
  embedding: ImageEmbedding,
): Promise<Preference> {
  return startPreference(model, embedding, { points: [CLICK] });
}

/** One iteration, in which the user picks each candidate in turn. */
export async function iterate(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  seed: number,
): Promise<{ times: IterationTimes; preference: Preference }> {
  const [decoding, predictions] = await time(() => {
    const options = { count: SAMPLES, seed };
    const latents = sampleGMM(preference.distribution, options);
    return decode(model, embedding, latents, preference);
  });
  const [clustering, proposal] = await time(() =>
    cluster(predictions, { count: 4, seed })
  );
  const choice = seed % proposal.candidates.length;
  const [update, next] = await time(() =>
    updatePreference(model, embedding, preference, proposal, choice)
  );
  return {
    times: { decode: decoding, cluster: clustering, update },
    preference: next,
  };
}
