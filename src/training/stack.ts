import { type HostTensor, sizeOf } from "../engine/tensors.ts";

/** Joins equally long parts to one tensor. */
export function stack(
  parts: readonly ArrayLike<number>[],
  shape: readonly number[],
): HostTensor {
  const data = new Float32Array(sizeOf(shape));
  parts.forEach((part, i) => data.set(part, i * part.length));
  return { data, shape };
}
