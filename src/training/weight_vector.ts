/** The trained weights as one flat vector, and back. */

import { sizeOf } from "../engine/tensors.ts";
import type { HostWeights, WeightDeclarations } from "../model/weights.ts";

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
