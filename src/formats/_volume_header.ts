// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Values } from "../arrays/contiguous.ts";
import type { DicomSource, Lut } from "./_dicom_attributes.ts";
import { InputError } from "../input_error.ts";

/**
 * How DICOM says to show values where that is no window: by a sigmoid,
 * 1 / (1 + exp(-4 (value - center) / width)), or by a table whose first entry
 * is of the value `first` (PS3.3 C.11.2).
 */
export type Voi =
  | {
    readonly kind: "sigmoid";
    readonly center: number;
    readonly width: number;
  }
  | ({ readonly kind: "table" } & Lut);

/** What a volume's file says of it before its values. */
export interface VolumeHeader {
  /** Slices, rows, columns and channels, as shown. */
  shape: [number, number, number, number];
  /** Millimeters between slices, rows and columns, where known. */
  spacing?: [number, number, number];
  /** From (column, row, slice) to millimeters, where known. */
  affine?: Affine;
  /** How the stored axes become slices, rows and columns. */
  layout: Layout;
  /** Whether the channels are red, green and blue. */
  color: boolean;
  /** The values that are shown black and white, where the file says so. */
  window?: [number, number];
  /** Whether large values are shown dark (DICOM's MONOCHROME1). */
  inverted: boolean;
  /** The header of a NIfTI file, as it stands in the file. */
  nifti?: Uint8Array;
  /** How values are shown where that is no window. */
  voi?: Voi;
  /** The values of voxels where there is no image. */
  padding?: [low: number, high: number];
  /** What a segmentation repeats of a DICOM image. */
  dicom?: DicomSource;
  /** Whether only marked slices need be there: a DICOM segmentation. */
  sparse?: boolean;
  /** Whether its slices may be channels of one image. */
  ambiguous?: boolean;
}

/** The number of values of a shape; empty or too large ones are errors. */
export function countValues(
  shape: readonly number[],
  maxVoxels: number,
  name: string,
): number {
  const count = shape.reduce((product, side) => product * side, 1);
  if (!(count > 0 && count <= maxVoxels)) {
    throw new InputError(
      `Cannot read image as it must have 1 .. ${maxVoxels} voxels: current value is ${
        shape.join(" x ")
      } (${name})`,
    );
  }
  return count;
}

/**
 * A 4 x 4 matrix, row by row, from voxel indices to millimeters: x grows to the
 * patient's right, y to anterior, z to superior (RAS+).
 */
export type Affine = readonly number[];

/** How a file's stored axes (x = 0 fastest, y = 1, z = 2) become [slice, row, column]. */
export interface Layout {
  /** The stored axis of the slices, the rows and the columns. */
  readonly axes: readonly [number, number, number];
  /** Whether each of them runs backwards. */
  readonly flipped: readonly [boolean, boolean, boolean];
}

/** Stored as it is shown: z, y, x are slice, row, column. */
export const AS_STORED: Layout = {
  axes: [2, 1, 0],
  flipped: [false, false, false],
};

/** The determinant of the upper left 3 x 3. */
export function determinant(m: Affine): number {
  return m[0] * (m[5] * m[10] - m[6] * m[9]) -
    m[1] * (m[4] * m[10] - m[6] * m[8]) +
    m[2] * (m[4] * m[9] - m[5] * m[8]);
}

/** Millimeters along each of the three axes of an affine: the norms of its columns. */
export function voxelSizes(m: Affine): [number, number, number] {
  const size = (axis: number) => Math.hypot(m[axis], m[4 + axis], m[8 + axis]);
  return [size(0), size(1), size(2)];
}

/**
 * The layout that shows a volume as radiologists see it: slices from inferior
 * to superior, rows from anterior to posterior, columns from the patient's
 * right to left. Every stored axis goes to the direction it is nearest to,
 * strongest first, as nibabel's `io_orientation` does.
 */
export function radiologicalLayout(affine: Affine): Layout {
  const sizes = voxelSizes(affine);
  const share = (world: number, axis: number) =>
    affine[4 * world + axis] / sizes[axis];
  const free = [0, 1, 2];
  const strength = (axis: number) =>
    Math.max(...[0, 1, 2].map((world) => Math.abs(share(world, axis))));
  const axes = [0, 0, 0];
  const flipped = [false, false, false];
  for (const axis of [0, 1, 2].sort((a, b) => strength(b) - strength(a))) {
    const world = free.reduce((best, next) =>
      Math.abs(share(next, axis)) > Math.abs(share(best, axis)) ? next : best
    );
    free.splice(free.indexOf(world), 1);
    const shown = 2 - world; // slice: superior; row: anterior; column: right
    const forwards = share(world, axis) > 0;
    axes[shown] = axis;
    flipped[shown] = world === 2 ? !forwards : forwards;
  }
  return {
    axes: axes as [number, number, number],
    flipped: flipped as [boolean, boolean, boolean],
  };
}

/** A view of stored values [z, y, x, ...] as [slice, row, column, ...]. */
export function layOut<T extends Values>(
  stored: NdArray<T>,
  { axes, flipped }: Layout,
): NdArray<T> {
  const rest = stored.shape.slice(3).map((_, i) => 3 + i);
  return stored
    .transpose(...axes.map((axis) => 2 - axis), ...rest)
    .step(...flipped.map((back) => back ? -1 : 1), ...rest.map(() => 1));
}

/** The affine of (column, row, slice), from that of the stored (x, y, z). */
export function layOutAffine(
  affine: Affine,
  [x, y, z]: readonly number[],
  { axes, flipped }: Layout,
): Affine {
  const result = [...affine];
  for (const [column, shown] of [2, 1, 0].entries()) {
    const axis = axes[shown];
    const last = [x, y, z][axis] - 1;
    for (const row of [0, 4, 8]) {
      const step = affine[row + axis];
      result[row + column] = flipped[shown] ? -step : step;
      if (flipped[shown]) result[row + 3] += step * last;
    }
  }
  return result;
}
