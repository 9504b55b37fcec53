/** A checkpoint whose batch normalizations are folded into its convolutions. */

import type { HostTensor } from "../engine/tensors.ts";
import type { Checkpoint, ReadOptions } from "./checkpoint.ts";
import { InputError } from "../input_error.ts";

/** Epsilon of PyTorch's `BatchNorm2d`. */
const EPSILON = 1e-5;

/** Names of a convolution without bias and its normalization (`Conv2d_BN`). */
const CONVOLUTION = /(^|\.)c\.weight$/;

/** The parts of a normalization that count. */
const PARTS = ["weight", "bias", "running_mean", "running_var"] as const;

/** Where in a checkpoint the normalization of one convolution lies. */
type Normalization = Readonly<Record<typeof PARTS[number], string>>;

/**
 * Folds every batch normalization `X.bn` that follows a convolution `X.c` without
 * bias, as in TinyViT's checkpoints: `X.c.weight` is scaled, `X.c.bias` is new,
 * and what `X.bn` holds is gone from the names. A checkpoint without any is given
 * back as it is.
 */
export function foldBatchNorms(checkpoint: Checkpoint): Checkpoint {
  const known = new Set(checkpoint.names);
  const norms = new Map<string, Normalization>(); // by the convolution's start
  for (const name of known) {
    if (!CONVOLUTION.test(name)) continue;
    const start = name.slice(0, -"c.weight".length);
    const parts = Object.fromEntries(
      PARTS.map((part) => [part, `${start}bn.${part}`]),
    ) as Normalization;
    const fits = !known.has(`${start}c.bias`) &&
      PARTS.every((part) => known.has(parts[part]) && isVector(parts[part])) &&
      checkpoint.shape(name)[0] === checkpoint.shape(parts.weight)[0];
    if (fits) norms.set(start, parts);
  }
  if (norms.size === 0) return checkpoint;

  function isVector(name: string) {
    return checkpoint.shape(name).length === 1;
  }
  const gone = new Set<string>();
  for (const [start, parts] of norms) {
    for (const name of Object.values(parts)) gone.add(name);
    gone.add(`${start}bn.num_batches_tracked`);
  }
  const folded = (name: string, end: string) =>
    name.endsWith(end) ? norms.get(name.slice(0, -end.length)) : undefined;
  /** What stands in the file for a name. */
  const source = (name: string) => folded(name, "c.bias")?.bias ?? name;

  async function read(
    name: string,
    options?: ReadOptions,
  ): Promise<HostTensor> {
    const part = async (name: string) =>
      (await checkpoint.read(name, options)).data;
    const ofWeight = folded(name, "c.weight");
    const norm = ofWeight ?? folded(name, "c.bias");
    if (!norm) return await checkpoint.read(name, options);
    const gamma = await part(norm.weight);
    const variance = await part(norm.running_var);
    const scale = Float64Array.from(
      variance,
      (value, i) => gamma[i] / Math.sqrt(value + EPSILON),
    );
    const negative = variance.findIndex((value) => !(value >= 0));
    if (negative >= 0) {
      throw new InputError(
        `Cannot fold the batch normalization as "${norm.running_var}" must be >= 0: current value at ${negative} is ${
          variance[negative]
        }`,
      );
    }
    if (!ofWeight) {
      const [beta, mean] = [
        await part(norm.bias),
        await part(norm.running_mean),
      ];
      const data = Float32Array.from(
        beta,
        (value, i) => value - mean[i] * scale[i],
      );
      return { data, shape: [data.length] };
    }
    const { data, shape } = await checkpoint.read(name, options);
    const size = data.length / scale.length;
    return {
      data: Float32Array.from(
        data,
        (value, i) => value * scale[Math.floor(i / size)],
      ),
      shape,
    };
  }

  return {
    format: checkpoint.format,
    metadata: checkpoint.metadata,
    skipped: checkpoint.skipped,
    names: [
      ...checkpoint.names.filter((name) => !gone.has(name)),
      ...[...norms.keys()].map((start) => `${start}c.bias`),
    ],
    shape: (name) => checkpoint.shape(source(name)),
    type: (name) => checkpoint.type(source(name)),
    read,
    close: () => checkpoint.close(),
    [Symbol.dispose]: () => checkpoint.close(),
  };
}
