// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
export function dice(a: NdArray<Uint8Array>, b: NdArray<Uint8Array>): number {
  let overlap = 0, total = 0;
  for (let i = 0; i < a.size; i++) { const p = a.data[i] ? 1 : 0, q = b.data[i] ? 1 : 0; overlap += p & q; total += p + q; }
  return total === 0 ? 1 : 2 * overlap / total;
}
