// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "./contiguous.ts";

/** The smallest part of an array that has all its values but 0, in whole pixels. */
export interface Extent {
  /** First column. */
  readonly x: number;
  /** First row. */
  readonly y: number;
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/**
 * Where a mask's pixels lie. Rows without any cost little, as most of a large
 * image is empty.
 *
 * @param mask [H, W]; anything but 0 is inside.
 * @returns The smallest part that holds them; undefined for an empty mask.
 */
export function extentOf(mask: NdArray<Uint8Array>): Extent | undefined {
  const width = mask.shape[1];
  const { data } = contiguous(mask);
  let [first, last] = [0, data.length - 1];
  while (first <= last && data[first] === 0) first++;
  if (first > last) return undefined;
  while (data[last] === 0) last--;
  const [top, bottom] = [first, last].map((i) => Math.floor(i / width));
  let [left, right] = [width, -1];
  for (let y = top; y <= bottom; y++) {
    const row = y * width;
    for (let x = 0; x < left; x++) if (data[row + x] !== 0) left = x;
    for (let x = width - 1; x > right; x--) {
      if (data[row + x] !== 0) right = x;
    }
  }
  return {
    x: left,
    y: top,
    width: right - left + 1,
    height: bottom - top + 1,
  };
}
