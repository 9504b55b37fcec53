/** What the engine's tests share. */
import assert from "node:assert/strict";
import type { EngineOptions } from "../../src/engine/engine.ts";
import type { HostData, HostTensor } from "../../src/engine/tensors.ts";

/** A program on the CPU will do for a GPU's numbers. */
export const ENGINE_OPTIONS: EngineOptions = { allowSoftware: true };

/** A host tensor. */
export function host(data: HostData, shape: number[]): HostTensor {
  return { data, shape };
}

/** Numbers in -1..1, the same for the same seed (Park and Miller). */
export function randoms(shape: readonly number[], seed = 1): Float32Array {
  let state = seed * 7919 + 1;
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = state * 48271 % 2147483647;
    return 2 * state / 2147483647 - 1;
  });
}

/** Largest difference, relative to 1 + the largest expected magnitude. */
export function difference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  assert.equal(actual.length, expected.length);
  let largest = 0;
  let scale = 1;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    scale = Math.max(scale, 1 + Math.abs(expected[i]));
    const error = Math.abs(actual[i] - expected[i]);
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
  }
  return largest / scale;
}

/** Fails unless {@linkcode difference} is within the tolerance. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  const error = difference(actual, expected);
  assert.ok(error <= tolerance, `differs by ${error}, more than ${tolerance}`);
}
