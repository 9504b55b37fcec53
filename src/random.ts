/**
 * Seeded random numbers: every random choice of the module is drawn from one
 * of these, never from `Math.random()`.
 */

import { InputError } from "./input_error.ts";

/** A stream of random numbers, fully determined by its seed. */
export interface Random {
  /** The next number, uniform in [0, 1). */
  uniform(): number;
  /** The next number from the standard normal distribution. */
  normal(): number;
  /** The next integer, uniform in 0 .. `bound` - 1; `bound` is at most 2^32. */
  integer(bound: number): number;
}

/** One round of a 32-bit finalizer (Murmur3's), which spreads every bit. */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Opens the stream of `seed` and, below it, of `path`: `createRandom(7, 3)` is
 * independent of `createRandom(7, 4)`, so that the third image's draws do not
 * depend on how many numbers the second one took.
 *
 * The generator is sfc32 (PractRand), 128 bits of state.
 *
 * @param seed Any finite number.
 * @param path Further numbers that name a sub-stream.
 * @returns The stream.
 * @throws {RangeError} When a seed is not a finite number.
 */
export function createRandom(seed: number, ...path: number[]): Random {
  const state = new Uint32Array([0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]);
  for (const part of [seed, ...path]) {
    if (!Number.isFinite(part)) {
      throw new InputError(
        `Cannot create a random stream as seed must be a finite number: current value is ${part}`,
      );
    }
    const words = new Uint32Array(new Float64Array([part]).buffer);
    for (let i = 0; i < 3; i++) {
      state[i] = mix(state[i] ^ mix(words[0] + i) ^ mix(~words[1] - i));
    }
  }

  const next = () => {
    const sum = (state[0] + state[1] + state[3]) >>> 0;
    state[3]++;
    state[0] = state[1] ^ (state[1] >>> 9);
    state[1] = state[2] + (state[2] << 3);
    state[2] = ((state[2] << 21) | (state[2] >>> 11)) + sum;
    return sum;
  };
  for (let i = 0; i < 12; i++) next();

  let spare: number | undefined;
  const uniform = () => next() / 2 ** 32;
  return {
    uniform,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    integer: (bound) => Math.floor(uniform() * bound),
  };
}
