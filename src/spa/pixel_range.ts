/**
 * Smallest and largest value of every pixel over the maps.
 *
 * @param maps Row-major, [n, pixels].
 */
export function pixelRange(
  maps: Float32Array,
  n: number,
): { low: Float32Array; high: Float32Array } {
  const size = maps.length / n;
  const low = maps.slice(0, size), high = maps.slice(0, size);
  for (let i = 1; i < n; i++) {
    const map = maps.subarray(i * size, (i + 1) * size);
    for (let p = 0; p < size; p++) {
      const value = map[p];
      if (value < low[p]) low[p] = value;
      if (value > high[p]) high[p] = value;
    }
  }
  return { low, high };
}
