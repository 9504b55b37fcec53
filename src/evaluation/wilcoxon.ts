/** Differences up to which the null distribution is counted out. */
const EXACT = 50;

/**
 * The two-sided p-value of Wilcoxon's signed-rank test: how likely differences
 * as one-sided as these are if their signs were tosses of a coin. Differences
 * of 0 are dropped. Up to 50 of the others the null distribution is exact, ties
 * included; above, it is normal, with the correction of the variance for ties
 * and none for continuity, as in SciPy.
 *
 * @param differences One per independent unit, such as a patient.
 * @returns 0..1; 1 where no difference is left.
 */
export function wilcoxonSignedRank(differences: readonly number[]): number {
  const left = differences.filter((value) => value !== 0);
  const n = left.length;
  if (n === 0) return 1;
  const { ranks, ties } = doubledRanks(left.map(Math.abs));
  const total = n * (n + 1); // sum of the doubled ranks
  const positive = ranks.reduce(
    (sum, rank, i) => left[i] > 0 ? sum + rank : sum,
    0,
  );
  const smaller = Math.min(positive, total - positive);
  if (n <= EXACT) {
    // ways[s]: the share of sign patterns whose positive ranks sum to s
    const ways = new Float64Array(total + 1);
    ways[0] = 1;
    for (const rank of ranks) {
      for (let s = total; s >= 0; s--) {
        ways[s] = (ways[s] + (s >= rank ? ways[s - rank] : 0)) / 2;
      }
    }
    const tail = ways.subarray(0, smaller + 1).reduce((a, b) => a + b, 0);
    return Math.min(1, 2 * tail);
  }
  const variance = (total * (2 * n + 1) - ties / 2) / 24;
  return twoSidedNormal((smaller - total / 2) / 2 / Math.sqrt(variance));
}

/** Twice the ranks, so that those of ties are whole; and the sum of t^3 - t over ties. */
function doubledRanks(
  values: readonly number[],
): { ranks: number[]; ties: number } {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  let ties = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = from + 1 + to;
    ties += (to - from) ** 3 - (to - from);
  }
  return { ranks, ties };
}

/** P(|Z| >= |z|) of a standard normal Z, by Simpson's rule on its density. */
function twoSidedNormal(z: number): number {
  const from = Math.abs(z), to = from + 12, steps = 2400;
  const width = (to - from) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((from + i * width) ** 2) / 2);
  }
  return 2 * sum * width / 3 / Math.sqrt(2 * Math.PI);
}
