// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { percentileWindow } from "./_window.ts";
import { type SliceOptions, type Volume, volumeSlice } from "./volume.ts";

/** How a slice becomes an image. */
export interface VolumeImageOptions extends SliceOptions {
  window?: [low: number, high: number];
  channels?: number[];
}

/** One slice of a volume as an image: [H, W, C], values 0..1, C = 1 or 3. */
export function volumeImage(
  volume: Volume,
  { window, channels, ...where }: VolumeImageOptions,
): NdArray<Float32Array> {
  const { values, inverted } = volume;
  const all = values.shape[3];
  const chosen = channels ?? (all >= 3 ? [0, 1, 2] : [0]);
  if (
    (chosen.length !== 1 && chosen.length !== 3) ||
    !chosen.every((c) => Number.isInteger(c) && c >= 0 && c < all)
  ) {
    throw new RangeError(
      `Cannot read image as channels must be 1 or 3 of 0 .. ${
        all - 1
      }: current value is [${chosen}]`,
    );
  }
  const slice = volumeSlice(values, where);
  const [height, width] = slice.shape;
  const image = new Float32Array(height * width * chosen.length);
  for (const [c, channel] of chosen.entries()) {
    const { data } = contiguous(slice.pick(null, null, channel));
    const [low, high] = window ?? volume.window ?? windowOf(volume, channel);
    const range = high - low || 1; // A constant volume becomes 0 everywhere.
    for (let i = 0; i < data.length; i++) {
      const value = Math.min(Math.max((data[i] - low) / range, 0), 1) || 0;
      image[i * chosen.length + c] = inverted ? 1 - value : value;
    }
  }
  return ndarray(image, [height, width, chosen.length]);
}

/** Windows that were worked out, so that every slice of a volume need not do it again. */
const windows = new WeakMap<Volume, [low: number, high: number][]>();

function windowOf(volume: Volume, channel: number): [number, number] {
  const { values, colour } = volume;
  const known = windows.get(volume) ?? [];
  windows.set(volume, known);
  return known[channel] ??= percentileWindow(
    colour ? values : values.pick(null, null, null, channel),
  );
}
