/** Runs the decoder on latents, some samples at a time. */

import { checkFinite } from "../engine/engine.ts";
import { type HostTensor, sizeOf } from "../engine/tensors.ts";
import { samplesAtOnce } from "../model/config.ts";
import { type Model, programsOf } from "../model/model.ts";
import { PointLabel } from "../model/prompt_encoder.ts";
import type { ImageEmbedding } from "./embedding.ts";
import type { FeedbackInputs } from "./feedback.ts";
import type { SharedTensors } from "./prepared.ts";

type Programs = ReturnType<typeof programsOf>;

/** A host tensor of one value. */
function filled(shape: readonly number[], value: number): HostTensor {
  return { data: new Float32Array(sizeOf(shape)).fill(value), shape };
}

/** Cuts latents [1, N, d] into equal calls; zeros fill up the last. */
function cut({ data, shape }: HostTensor, atOnce: number): HostTensor[] {
  const [, N, d] = shape;
  const calls = Math.ceil(N / atOnce);
  const count = Math.ceil(N / calls);
  return Array.from({ length: calls }, (_, i) => {
    const part = filled([1, count, d], 0);
    const from = i * count * d;
    part.data.set(data.subarray(from, from + count * d));
    return part;
  });
}

/** Whether no prompt slot is left for one more click. */
function isFull({ labels }: Pick<FeedbackInputs, "labels">): boolean {
  return labels.data.at(-1) !== PointLabel.empty;
}

/**
 * Compiles what the next click will need, as it has no slot left: adding it
 * then takes no longer than adding any other.
 */
async function compileAhead(
  model: Model,
  inputs: Parameters<Programs["share"]>[0],
  job: Parameters<Programs["decode"]>[0],
) {
  const { config } = model;
  const { generate, share, decode } = programsOf(model);
  const T = 2 * inputs.labels.shape[1];
  const next = {
    ...inputs,
    points: filled([1, T, 2], 0),
    labels: filled([1, T], 0),
  };
  const evidence = filled([1, config.components], 0);
  await generate.compile({ ...next, evidence });
  await share.compile(next);
  const shared = {
    ...job.shared,
    sparse: filled([1, T, config.channels], 0),
    filled: filled([1, T], 0),
  };
  await decode.compile({ ...job, shared });
}

/**
 * Decodes latents to probability maps.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param inputs The feedback on it.
 * @param latents [1, N, d].
 * @param options `atOnce`: samples that the decoder takes in one call, at most.
 * `shared`: what all samples share, where it is prepared; disposed when done.
 * `keep`: share of the way to the last choice that the network has learned to
 * move the mean, 0..1.
 * @returns [1, N, m, m].
 */
export async function decodeLatents(
  model: Model,
  { values, detail }: Pick<ImageEmbedding, "values" | "detail">,
  { choice, ...inputs }: FeedbackInputs,
  latents: HostTensor,
  { atOnce = samplesAtOnce(model.config), shared: prepared, keep = 1 }: {
    readonly atOnce?: number;
    readonly shared?: SharedTensors;
    readonly keep?: number;
  } = {},
): Promise<HostTensor> {
  const { share, decode, join } = programsOf(model);
  const weights = await model.deviceWeights();
  const N = latents.shape[1];
  const sharing = { ...inputs, weights, embedding: values };
  const shared = prepared ?? (await share(sharing)).shared;
  const jobs = cut(latents, atOnce)
    .map((latents) => ({ weights, shared, detail, latents }));
  // all are posted before the first is awaited: the engine never waits for us
  const calls = jobs.map((job) => decode(job));
  try {
    if (isFull(inputs)) await compileAhead(model, sharing, jobs[0]);
    const parts = (await Promise.all(calls)).map(({ logits }) => logits);
    const { probabilities } = await join({
      weights,
      parts,
      choice,
      hasMask: {
        ...inputs.hasMask,
        data: Float32Array.from(inputs.hasMask.data, (has) => keep * has),
      },
      shares: filled([1, N], 1 / N),
    });
    checkFinite("decode", probabilities.data);
    return probabilities;
  } finally {
    for (const call of await Promise.allSettled(calls)) {
      if (call.status === "fulfilled") call.value.logits.dispose();
    }
    for (const tensor of Object.values(shared)) tensor.dispose();
  }
}
