/** Gram matrices: all that K-means needs to know of maps. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";

/**
 * Gram matrices [n, n] of maps [n, height, width] that an engine has computed,
 * of the maps less one that is the same for all. Whoever makes new maps of them
 * has none, and `gramMatrix` computes it.
 */
export const knownGrams: WeakMap<NdArray<Float32Array>, Float64Array> =
  new WeakMap();

/**
 * Inner products of all pairs of rows, less the rows' mean.
 *
 * @param rows Points, row-major, [n, dimensions].
 * @returns [n, n], row-major.
 */
export function gramMatrix(
  rows: Float32Array,
  n: number,
  dimensions: number,
): Float64Array {
  const mean = new Float64Array(dimensions);
  rows.forEach((value, i) => mean[i % dimensions] += value / n);
  const centered = rows.map((value, i) => value - mean[i % dimensions]);
  const gram = new Float64Array(n * n);
  const row = (i: number) =>
    centered.subarray(i * dimensions, (i + 1) * dimensions);
  for (let i = 0; i < n; i++) {
    const a = row(i);
    for (let j = 0; j <= i; j++) {
      const b = row(j);
      let sum = 0;
      for (let k = 0; k < dimensions; k++) sum += a[k] * b[k];
      gram[i * n + j] = gram[j * n + i] = sum;
    }
  }
  return gram;
}
