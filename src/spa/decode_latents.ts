/** Runs the decoder on latents, some samples at a time. */

import type { DeviceTensor, HostTensor } from "../engine/tensors.ts";
import { type ModelConfig, samplesAtOnce } from "../model/config.ts";
import { type Model, programsOf } from "../model/model.ts";
import type { ImageEmbedding } from "./encode.ts";
import type { FeedbackInputs } from "./feedback.ts";

/** Cuts latents [1, N, d] into calls of equal shape; the last is filled up with zeros. */
function cut({ data, shape }: HostTensor, config: ModelConfig): HostTensor[] {
  const [, N, d] = shape;
  const count = Math.min(N, samplesAtOnce(config));
  return Array.from({ length: Math.ceil(N / count) }, (_, i) => {
    const part = new Float32Array(count * d);
    part.set(
      (data as Float32Array).subarray(i * count * d, (i + 1) * count * d),
    );
    return { data: part, shape: [1, count, d] };
  });
}

/**
 * Decodes latents to probability maps.
 *
 * @param model The network.
 * @param embedding The encoded image.
 * @param inputs The feedback on it.
 * @param latents [1, N, d].
 * @returns [1, N, 4h, 4h].
 */
export async function decodeLatents(
  model: Model,
  embedding: Pick<ImageEmbedding, "values" | "detail">,
  { choice, ...inputs }: FeedbackInputs,
  latents: HostTensor,
): Promise<HostTensor> {
  const { share, decode, join } = programsOf(model);
  const { values, detail } = embedding;
  const weights = await model.deviceWeights();
  const N = latents.shape[1];
  const { hasMask } = inputs;
  const { shared } = await share({ ...inputs, weights, embedding: values });
  const made: DeviceTensor[] = Object.values(shared);
  try {
    const parts: DeviceTensor[] = [];
    for (const part of cut(latents, model.config)) {
      const { logits } = await decode({
        weights,
        shared,
        detail,
        latents: part,
      });
      made.push(logits);
      parts.push(logits);
    }
    const shares = {
      data: new Float32Array(N).fill(1 / N),
      shape: [1, N],
    };
    const { probabilities } = await join({
      weights,
      parts,
      choice,
      hasMask,
      shares,
    });
    return probabilities;
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}
