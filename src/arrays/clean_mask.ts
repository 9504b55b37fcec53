// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "./contiguous.ts";
import { extentOf } from "./extent.ts";
import { InputError } from "../input_error.ts";

/** Small repairs of a mask before it is saved. */
export interface MaskCleaning {
  /** Whether only the largest connected part stays. Default: false. */
  readonly largestComponent?: boolean;
  /** Whether holes, background that the mask encloses, are filled. Default: false. */
  readonly fillHoles?: boolean;
  /** Connected parts of fewer pixels go. Default: 0, none. */
  readonly minimumSize?: number;
}

/** The connected parts of equal pixels of one value, largest first. */
function partsOf(
  data: Uint8Array,
  height: number,
  width: number,
  value: 0 | 1,
): Int32Array[] {
  const seen = new Uint8Array(data.length);
  const queue = new Int32Array(data.length);
  const parts: Int32Array[] = [];
  for (let start = 0; start < data.length; start++) {
    if (seen[start] || data[start] !== value) continue;
    let count = 1;
    queue[0] = start;
    seen[start] = 1;
    for (let at = 0; at < count; at++) {
      const i = queue[at], x = i % width, y = (i - x) / width;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          // the mask has eight neighbors, its background four
          if (value === 0 && dx !== 0 && dy !== 0) continue;
          const u = x + dx, v = y + dy;
          if (u < 0 || v < 0 || u >= width || v >= height) continue;
          const next = v * width + u;
          if (seen[next] || data[next] !== value) continue;
          seen[next] = 1;
          queue[count++] = next;
        }
      }
    }
    parts.push(queue.slice(0, count));
  }
  return parts.sort((a, b) => b.length - a.length);
}

/**
 * Repairs a mask: parts that are too small go, then all but the largest part,
 * then holes are filled. The mask has eight neighbors, its background four.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @param cleaning What to do; by default nothing.
 * @returns A new mask, [H, W], 0 or 1.
 * @throws {RangeError} When `minimumSize` is no number >= 0.
 *
 * @example Fill a hole
 * ```ts
 * import ndarray from "ndarray";
 * import { cleanMask } from "./clean_mask.ts";
 *
 * const ring = ndarray(Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1), [3, 3]);
 * cleanMask(ring, { fillHoles: true }).get(1, 1); // 1
 * ```
 */
export function cleanMask(
  mask: NdArray<Uint8Array>,
  { largestComponent = false, fillHoles = false, minimumSize = 0 }:
    MaskCleaning = {},
): NdArray<Uint8Array> {
  if (!(minimumSize >= 0)) {
    throw new InputError(
      `Cannot clean the mask as minimumSize must be a number >= 0: current value is ${minimumSize}`,
    );
  }
  const [rows, columns] = mask.shape;
  const whole = contiguous(mask).data.map((value) => value === 0 ? 0 : 1);
  const result = ndarray(whole, [rows, columns]);
  const extent = extentOf(result);
  if (!extent) return result;
  // Only the box of the pixels, one pixel wider, can change.
  const [left, top] = [Math.max(extent.x - 1, 0), Math.max(extent.y - 1, 0)];
  const width = Math.min(extent.x + extent.width + 1, columns) - left;
  const height = Math.min(extent.y + extent.height + 1, rows) - top;
  const part = result.lo(top, left).hi(height, width);
  const data = contiguous(part).data.slice();
  if (largestComponent || minimumSize > 1) {
    partsOf(data, height, width, 1).forEach((part, rank) => {
      const stays = part.length >= minimumSize &&
        (rank === 0 || !largestComponent);
      if (!stays) { for (const i of part) data[i] = 0; }
    });
  }
  if (fillHoles) {
    for (const part of partsOf(data, height, width, 0)) {
      const open = part.some((i) =>
        i < width || i >= data.length - width || i % width === 0 ||
        i % width === width - 1
      );
      if (!open) { for (const i of part) data[i] = 1; }
    }
  }
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    whole.set(row, (top + y) * columns + left);
  }
  return result;
}

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
 * import { connectedParts } from "./clean_mask.ts";
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
