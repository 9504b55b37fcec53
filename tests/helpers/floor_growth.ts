/**
 * What stays of the memory that work takes. Garbage that waits for its
 * collector comes and goes, so the least values count, not the last ones.
 *
 * @param values Bytes in use after each of many equal pieces of work.
 * @returns By how much the least of the last third exceeds that of the first.
 */
export function floorGrowth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3);
  return Math.min(...values.slice(-third)) -
    Math.min(...values.slice(0, third));
}
