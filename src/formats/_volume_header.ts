import type { Affine, Layout } from "../datasets/_layout.ts";

/** What a volume's file says of it before its values. */
export interface VolumeHeader {
  /** Slices, rows, columns and channels, as shown. */
  shape: [number, number, number, number];
  /** Millimetres between slices, rows and columns, where known. */
  spacing?: [number, number, number];
  /** From (column, row, slice) to millimetres, where known. */
  affine?: Affine;
  /** How the stored axes become slices, rows and columns. */
  layout: Layout;
  /** Whether the channels are red, green and blue. */
  colour: boolean;
  /** The values that are shown black and white, where the file says so. */
  window?: [number, number];
  /** Whether large values are shown dark (DICOM's MONOCHROME1). */
  inverted: boolean;
  /** The header of a NIfTI file, as it stands in the file. */
  nifti?: Uint8Array;
}

/** A volume of more voxels than this is refused unless the caller says otherwise: 512 MiB of values. */
export const MAX_VOXELS = 2 ** 27;

/** The number of values of a shape; empty or too large ones are errors. */
export function countValues(
  shape: readonly number[],
  maxVoxels: number,
  name: string,
): number {
  const count = shape.reduce((product, side) => product * side, 1);
  if (!(count > 0 && count <= maxVoxels)) {
    throw new RangeError(
      `Cannot read image as it must have 1 .. ${maxVoxels} voxels: current value is ${
        shape.join(" x ")
      } (${name})`,
    );
  }
  return count;
}
