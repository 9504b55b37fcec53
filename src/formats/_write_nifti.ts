// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { type Affine, layOut } from "./_volume_header.ts";
import { niftiVersion } from "./_nifti.ts";
import type { Volume } from "./volume.ts";
import { InputError } from "../input_error.ts";

const UINT8 = 2;

/** A side of NIfTI-1 is a signed number of 16 bits. */
const MAX_SIDE = 2 ** 15 - 1;

/**
 * A mask as a NIfTI file that lies on a volume's voxels: with the volume's own
 * header where it came from a NIfTI file (orientation, spacing and the order of
 * the stored axes stay as they were), else with a header that states its affine.
 *
 * @param mask [D, H, W], the values that are stored.
 * @throws {RangeError} When a side is above 32767 where the volume is of no NIfTI file.
 */
export function encodeNifti(
  mask: NdArray<Uint8Array>,
  volume: Volume,
): Uint8Array {
  const stored = ndarray(new Uint8Array(mask.size), storedShape(volume));
  const shown = layOut(stored, volume.layout);
  const [depth, height, width] = mask.shape;
  for (let d = 0; d < depth; d++) {
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) {
        shown.set(d, h, w, mask.get(d, h, w));
      }
    }
  }
  const header = volume.nifti
    ? sourceHeader(volume.nifti, stored.shape)
    : freshHeader(stored.shape, volume);
  const bytes = new Uint8Array(header.length + stored.data.length);
  bytes.set(header);
  bytes.set(stored.data, header.length);
  return bytes;
}

/** The stored sides z, y, x of a volume. */
function storedShape({ values, layout }: Volume): number[] {
  const sides = [0, 0, 0];
  for (const [shown, axis] of layout.axes.entries()) {
    sides[2 - axis] = values.shape[shown];
  }
  return sides;
}

/** A volume's header for a mask: one channel of 8 bits, unscaled, without extensions. */
function sourceHeader(nifti: Uint8Array, [z, y, x]: number[]): Uint8Array {
  const { version, little } = niftiVersion(nifti)!;
  const header = new Uint8Array(nifti.length + 4);
  header.set(nifti);
  const view = new DataView(header.buffer);
  const sides = [x, y, z, 1, 1, 1, 1];
  if (version === 1) {
    view.setInt16(40, Math.min(view.getInt16(40, little), 3), little);
    sides.forEach((side, i) => view.setInt16(42 + 2 * i, side, little));
    view.setInt16(70, UINT8, little);
    view.setInt16(72, 8, little);
    view.setFloat32(108, header.length, little);
    // Slope, intercept; the range of display; the statistical intent.
    view.setFloat32(112, 1, little);
    view.setFloat32(116, 0, little);
    header.fill(0, 124, 132);
    header.fill(0, 56, 70);
    header.fill(0, 328, 344);
  } else {
    const rank = Math.min(Number(view.getBigInt64(16, little)), 3);
    [rank, ...sides].forEach((side, i) =>
      view.setBigInt64(16 + 8 * i, BigInt(side), little)
    );
    view.setInt16(12, UINT8, little);
    view.setInt16(14, 8, little);
    view.setBigInt64(168, BigInt(header.length), little);
    view.setFloat64(176, 1, little);
    view.setFloat64(184, 0, little);
    header.fill(0, 192, 208);
    header.fill(0, 80, 104);
    header.fill(0, 504, 524);
  }
  return header;
}

/** A NIfTI-1 header that states a volume's affine and spacing. */
function freshHeader([z, y, x]: number[], volume: Volume): Uint8Array {
  if (Math.max(x, y, z) > MAX_SIDE) {
    throw new InputError(
      `Cannot write mask as its sides must be at most ${MAX_SIDE}: current value is [${volume.values.shape}]`,
    );
  }
  const { spacing: [slice, row, column] = [1, 1, 1], affine } = volume;
  const header = new Uint8Array(352);
  const view = new DataView(header.buffer);
  view.setInt32(0, 348, true);
  [3, x, y, z, 1, 1, 1, 1].forEach((side, i) =>
    view.setInt16(40 + 2 * i, side, true)
  );
  view.setInt16(70, UINT8, true);
  view.setInt16(72, 8, true);
  [1, column, row, slice].forEach((size, i) =>
    view.setFloat32(76 + 4 * i, size, true)
  );
  view.setFloat32(108, header.length, true);
  view.setFloat32(112, 1, true);
  header[123] = 2; // millimeters
  // An image that does not know its place lies as it is shown: columns to the
  // left, rows to posterior.
  const rows: Affine = affine ??
    [-column, 0, 0, 0, 0, -row, 0, 0, 0, 0, slice, 0];
  view.setInt16(254, affine ? 1 : 2, true);
  rows.slice(0, 12).forEach((value, i) =>
    view.setFloat32(280 + 4 * i, value, true)
  );
  header.set(new TextEncoder().encode("n+1"), 344);
  return header;
}
