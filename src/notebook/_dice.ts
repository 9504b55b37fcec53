// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../datasets/contiguous.ts";
export function dice(a: NdArray<Uint8Array>, b: NdArray<Uint8Array>): number {
  const [p, q] = [contiguous(a).data, contiguous(b).data];
  let both = 0, sum = 0;
  for (let i = 0; i < p.length; i++) {
    const u = p[i] ? 1 : 0, v = q[i] ? 1 : 0;
    both += u & v;
    sum += u + v;
  }
  return sum === 0 ? 1 : 2 * both / sum;
}
