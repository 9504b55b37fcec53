/** The trained weights as one flat vector, and back; the mean of several models' weights. */

import { sizeOf } from "../engine/tensors.ts";
import type { HostWeights, WeightDeclarations } from "../model/weights.ts";
import { InputError } from "../input_error.ts";

/** The flat vector of the trained weights, and the rest. */
export function splitWeights(
  declarations: WeightDeclarations,
  weights: HostWeights,
) {
  const declared = [...declarations];
  const trained = declared.filter(([, { trainable }]) => trainable);
  const total = trained.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
  const vector = new Float32Array(total);
  let offset = 0;
  for (const [name, { shape }] of trained) {
    vector.set(weights.get(name)!.data, offset);
    offset += sizeOf(shape);
  }
  const frozen = Object.fromEntries(
    declared.filter(([, { trainable }]) => !trainable)
      .map(([name]) => [name, weights.get(name)!]),
  );
  return { vector, frozen };
}

/** The weights by name, of the flat vector and the rest. */
export function joinWeights(
  declared: WeightDeclarations,
  vector: Float32Array,
  frozen: Record<string, { data: Float32Array; shape: readonly number[] }>,
): HostWeights {
  const weights = new Map<
    string,
    { data: Float32Array; shape: readonly number[] }
  >();
  let offset = 0;
  for (const [name, { shape, trainable }] of declared) {
    if (!trainable) {
      weights.set(name, frozen[name]);
      continue;
    }
    const end = offset + sizeOf(shape);
    weights.set(name, { data: vector.slice(offset, end), shape });
    offset = end;
  }
  return weights;
}

/**
 * The mean of several models' weights ("model soups", Wortsman et al. 2022): of
 * runs that started from the same weights it is often better than each.
 *
 * @param models Weights of one config, at least one.
 * @throws {RangeError} When they are not all of one config.
 */
export function averageWeights(models: readonly HostWeights[]): HostWeights {
  const [first, ...others] = models;
  const refuse = (found: string) =>
    new InputError(
      `Cannot average the weights as all must be of one config: current value is ${found}`,
    );
  for (const { size } of others) {
    if (size !== first.size) throw refuse(`${first.size} and ${size} weights`);
  }
  return new Map([...first].map(([name, { data, shape }]) => {
    const mean = Float64Array.from(data);
    for (const weights of others) {
      const found = weights.get(name);
      if (`${found?.shape}` !== `${shape}`) {
        throw refuse(`${name} of [${shape}] and [${found?.shape ?? "none"}]`);
      }
      for (let i = 0; i < mean.length; i++) mean[i] += found!.data[i];
    }
    const average = mean.map((sum) => sum / models.length);
    return [name, { data: Float32Array.from(average), shape }];
  }));
}
