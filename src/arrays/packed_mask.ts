// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "./contiguous.ts";

/** A mask as bits of the smallest window that has all of it. */
export interface PackedMask {
  /** [H, W] of the whole mask. */
  readonly shape: readonly [number, number];
  /** First row and column of the window, and its size; 0 x 0 of an empty mask. */
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** Row-major bits of the window, the first one lowest in its byte. */
  readonly bits: Uint8Array;
  /** Pixels inside. */
  readonly area: number;
}

/**
 * Packs a mask: an object of 50 x 50 pixels takes 313 bytes, however large the
 * image is.
 *
 * @param mask [H, W]; anything but 0 is inside.
 */
export function packMask(mask: NdArray<Uint8Array>): PackedMask {
  const [rows, columns] = mask.shape;
  const { data } = contiguous(mask);
  let top = rows, left = columns, bottom = -1, right = -1, area = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    const x = i % columns, y = Math.floor(i / columns);
    area++;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
    if (x < left) left = x;
    if (x > right) right = x;
  }
  const shape = [rows, columns] as const;
  if (area === 0) {
    const bits = new Uint8Array();
    return { shape, top: 0, left: 0, height: 0, width: 0, bits, area };
  }
  const height = bottom - top + 1, width = right - left + 1;
  const bits = new Uint8Array(Math.ceil(height * width / 8));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (data[(top + y) * columns + left + x] !== 0) {
        bits[i >> 3] |= 1 << (i & 7);
      }
    }
  }
  return { shape, top, left, height, width, bits, area };
}

/**
 * The mask that was packed.
 *
 * @returns [H, W], 0 or 1.
 */
export function unpackMask(
  { shape, top, left, height, width, bits }: PackedMask,
): NdArray<Uint8Array> {
  const [rows, columns] = shape;
  const data = new Uint8Array(rows * columns);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      data[(top + y) * columns + left + x] = bits[i >> 3] >> (i & 7) & 1;
    }
  }
  return ndarray(data, [rows, columns]);
}
