// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "./contiguous.ts";

/**
 * The separate parts of a mask: pixels that touch, at a side or a corner, are of
 * one part.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @param options.least Pixels of the smallest part that counts, by default 1.
 * @returns Masks of the same size, 0 or 1, the largest part first; of equals the
 * one that begins higher up.
 *
 * @example Two parts, the larger first
 * ```ts
 * import ndarray from "ndarray";
 * import { connectedParts } from "./connected_parts.ts";
 *
 * const mask = ndarray(Uint8Array.of(1, 0, 1, 0, 0, 1), [2, 3]);
 * connectedParts(mask).map(({ data }) => [...data]); // [[0,0,1,0,0,1],[1,0,0,0,0,0]]
 * ```
 */
export function connectedParts(
  mask: NdArray<Uint8Array>,
  { least = 1 }: { least?: number } = {},
): NdArray<Uint8Array>[] {
  const [height, width] = mask.shape;
  const { data } = contiguous(mask);
  const seen = new Uint8Array(data.length);
  const parts: number[][] = [];
  for (let start = 0; start < data.length; start++) {
    if (!data[start] || seen[start]) continue;
    const part = [start];
    seen[start] = 1;
    for (const i of part) { // grows while it is walked
      const x = i % width, y = (i - x) / width;
      for (let row = Math.max(0, y - 1); row <= y + 1 && row < height; row++) {
        for (let c = Math.max(0, x - 1); c <= x + 1 && c < width; c++) {
          const next = row * width + c;
          if (!data[next] || seen[next]) continue;
          seen[next] = 1;
          part.push(next);
        }
      }
    }
    if (part.length >= least) parts.push(part);
  }
  return parts.sort((a, b) => b.length - a.length).map((part) => {
    const own = new Uint8Array(data.length);
    for (const i of part) own[i] = 1;
    return ndarray(own, [height, width]);
  });
}
