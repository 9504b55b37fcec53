// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Layout } from "../datasets/_layout.ts";
import {
  badFile,
  folderOf,
  type ImageSource,
  nameOf,
  readBytes,
} from "./_read_bytes.ts";
import type { VolumeHeader } from "./_volume_header.ts";
import {
  decodeSeries,
  decodeVolumeFile,
  isVolumeFile,
  type VolumeFileOptions,
} from "./_volume_file.ts";

export type { Layout };

/** A volume, or one image, in physical values, with its place in space. */
export interface Volume {
  /**
   * [D, H, W, C]: slices, rows, columns and channels, in the file's physical
   * values: Hounsfield units, say. NIfTI volumes are shown as radiologists see
   * them: slices from inferior to superior, rows from anterior to posterior,
   * columns from the patient's right to left. NPY arrays are as stored, and so
   * are DICOM frames whose positions are not told or make no grid; the slices of
   * a DICOM series and all other frames are in order along their normal (axial
   * ones most often from inferior to superior).
   */
  readonly values: NdArray<Float32Array>;
  /** Millimetres between slices, rows and columns, where known; between slices 1 for a single DICOM image that tells no thickness. */
  readonly spacing?: readonly [number, number, number];
  /**
   * A 4 x 4 matrix, row by row, from (column, row, slice, 1) to millimetres to
   * the patient's right, anterior and superior (RAS+), where known.
   */
  readonly affine?: readonly number[];
  /** Whether the channels are red, green and blue. */
  readonly colour: boolean;
  /** The values that the file itself says to show black and white: DICOM's window. */
  readonly window?: readonly [low: number, high: number];
  /** Whether large values are to be shown dark: DICOM's MONOCHROME1. */
  readonly inverted: boolean;
  /** How the file's own axes became slices, rows and columns. */
  readonly layout: Layout;
  /** The header of a NIfTI file, for what is written with its geometry. */
  readonly nifti?: Uint8Array;
}

/** Options of {@linkcode readVolume}. */
export interface ReadVolumeOptions {
  /** The largest volume that is decoded, in voxels times channels, which defaults to 2^27. Larger ones are refused by their header. */
  maxVoxels?: number;
  /** Which array of an NPZ file with several, which defaults to "image". */
  array?: string;
}

/**
 * Reads a volume in physical values: a NIfTI-1 or -2 file (.nii, .nii.gz; either
 * byte order), a DICOM file (of one frame or several) or a folder with the DICOM
 * files of one series, an NPY or an NPZ file.
 *
 * - NIfTI: scaling slope and intercept are applied; of the two forms of
 *   orientation the sform comes first, then the qform, then nibabel's rule for
 *   files without either. Dimensions beyond the third are channels.
 * - DICOM: rescale slope and intercept are applied. Uncompressed, deflated, RLE,
 *   JPEG (lossy of 8 bits, lossless) and JPEG 2000; other transfer syntaxes are
 *   an error that names them. The frames of one file are sorted by their
 *   positions (or a dose grid's offsets) where these lie at equal distances, and
 *   have no spacing and affine where they do not. The files of a folder are sorted by their
 *   positions, whatever their names and numbers; slices that are missing, twice
 *   there, or of another series, size or direction are an error.
 * - NPY, NPZ: [H, W], [H, W, 1], [H, W, 3], [D, H, W] or [D, H, W, C], of real
 *   numbers, integers or truth values.
 *
 * @param source A path, a URL, or the bytes of a file.
 * @param options Bounds, and which array of an NPZ file.
 * @returns The volume, laid out as {@linkcode Volume} says.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {TypeError} When a file is truncated, damaged, lies about its length, or is of none of these formats, or a folder's files are not one series.
 * @throws {RangeError} When the volume is too large, or there is no such array.
 * @throws {Error} When a file cannot be read otherwise: no permission, no such server.
 *
 * @example Read a CT scan and look at one slice of it
 * ```ts ignore
 * const { values, spacing } = await readVolume("ct.nii.gz");
 * const slice = volumeSlice(values, { slice: 40 }); // [H, W, 1], in HU
 * ```
 */
export async function readVolume(
  source: ImageSource,
  options: ReadVolumeOptions = {},
): Promise<Volume> {
  const volume = await readSeries(source, options) ??
    await decodeVolume(await readBytes(source), options, nameOf(source));
  if (volume) return volume;
  throw badFile(
    "a volume must be a NIfTI, DICOM, NPY or NPZ file",
    "another file",
    nameOf(source),
  );
}

/** The volume in a file's bytes, or undefined where they are of another format. */
export async function decodeVolume(
  bytes: Uint8Array,
  options: VolumeFileOptions,
  name: string,
): Promise<Volume | undefined> {
  if (!isVolumeFile(bytes)) return undefined;
  return volumeOf(await decodeVolumeFile(bytes, options, name));
}

/** The volume in a folder of DICOM files, or undefined where `source` is no folder. */
export async function readSeries(
  source: ImageSource,
  options: VolumeFileOptions,
): Promise<Volume | undefined> {
  const folder = await folderOf(source);
  if (folder === undefined) return undefined;
  return volumeOf(await decodeSeries(folder, options));
}

function volumeOf(
  { header, values }: { header: VolumeHeader; values: Volume["values"] },
): Volume {
  const { spacing, affine, colour, window, inverted, layout, nifti } = header;
  return { values, spacing, affine, colour, window, inverted, layout, nifti };
}

/** Which slice of a volume. */
export interface SliceOptions {
  /**
   * The dimension that is cut: 0 (axial, for a volume in its usual orientation),
   * 1 (coronal) or 2 (sagittal). It defaults to 0, or to the dimension of which
   * the volume has one slice only.
   */
  axis?: 0 | 1 | 2;
  /** Its index along that dimension, which defaults to the middle. */
  slice?: number;
}

/** The dimension that is cut when the caller names none. */
export function defaultAxis(shape: readonly number[]): 0 | 1 | 2 {
  const single = shape.slice(0, 3).indexOf(1);
  return (single < 0 ? 0 : single) as 0 | 1 | 2;
}

/**
 * One slice of a volume as it is looked at: axial slices as they are, coronal
 * and sagittal ones with the last slice (the head) at the top.
 *
 * @param volume [D, H, W] or [D, H, W, C]: a volume's values, or a mask of it.
 * @param options Which slice.
 * @returns A view [rows, columns] or [rows, columns, C]: what is written to it is written to the volume.
 * @throws {RangeError} When the volume is of another shape, or there is no such axis or slice.
 */
export function volumeSlice<T extends Float32Array | Uint8Array>(
  volume: NdArray<T>,
  { axis = defaultAxis(volume.shape), slice }: SliceOptions = {},
): NdArray<T> {
  const { shape } = volume;
  if (shape.length !== 3 && shape.length !== 4) {
    throw new RangeError(
      `Cannot slice volume as its shape must be [D, H, W] or [D, H, W, C]: current value is [${shape}]`,
    );
  }
  if (axis !== 0 && axis !== 1 && axis !== 2) {
    throw new RangeError(
      `Cannot slice volume as axis must be 0, 1 or 2: current value is ${axis}`,
    );
  }
  const index = slice ?? Math.floor(shape[axis] / 2);
  if (!Number.isInteger(index) || index < 0 || index >= shape[axis]) {
    throw new RangeError(
      `Cannot slice volume as slice must be 0 .. ${
        shape[axis] - 1
      }: current value is ${slice}`,
    );
  }
  const at: (number | null)[] = [null, null, null, null];
  at[axis] = index;
  const cut = volume.pick(...at.slice(0, shape.length));
  return axis === 0 ? cut : cut.step(-1, 1);
}
