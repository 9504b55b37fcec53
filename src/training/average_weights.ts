import type { HostWeights } from "../model/weights.ts";
import { InputError } from "../input_error.ts";

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
