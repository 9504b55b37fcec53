/** The raters whose opinion a simulated user shares, by weight. */

import type { Random } from "../random.ts";

/** Weights of raters, by name. */
export type RaterWeights = Readonly<Record<string, number>>;

/**
 * Draws the raters whose opinion a user shares: half of the time one rater's,
 * else all of them with weights from a Dirichlet distribution (Algorithm 1).
 */
export function drawRaters(
  names: readonly string[],
  random: Random,
): RaterWeights {
  const alone = random.uniform() < 0.5;
  const one = random.integer(names.length);
  // Dirichlet(1, ..., 1), up to the sum: exponential draws
  const weights = names.map((name, r) =>
    [
      name,
      alone ? Number(r === one) : -Math.log(1 - random.uniform()),
    ] as const
  );
  return Object.fromEntries(weights);
}

/**
 * The weighted majority of the raters who drew a mask: pixels that at least
 * half of their weight has.
 *
 * @param masks By rater's name, row-major; 0 outside.
 * @returns 0 or 1, row-major, or undefined when nothing is left.
 */
export function weightedMajority(
  masks: ReadonlyMap<string, Uint8Array>,
  weights: RaterWeights,
): Uint8Array | undefined {
  const known = [...masks].filter(([name]) => weights[name] > 0);
  if (known.length === 0) return undefined;
  const half = known.reduce((sum, [name]) => sum + weights[name], 0) / 2;
  const votes = new Float64Array(known[0][1].length);
  for (const [name, mask] of known) {
    for (let i = 0; i < mask.length; i++) {
      if (mask[i]) votes[i] += weights[name];
    }
  }
  const majority = Uint8Array.from(votes, (sum) => sum >= half ? 1 : 0);
  return majority.includes(1) ? majority : undefined;
}
