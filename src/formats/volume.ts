// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Layout, Voi, VolumeHeader } from "./_volume_header.ts";
import {
  badFile,
  checkFinite,
  folderOf,
  gunzip,
  gunzipHead,
  type ImageSource,
  MAX_VOXELS,
  nameOf,
  readBytes,
  readHead,
} from "./_bytes.ts";
import { isGzip } from "../gunzip.ts";
import { dicomValues } from "./_dicom_pixels.ts";
import {
  asIndices,
  dicomHeader,
  isDicom,
  readDicomHeader,
} from "./_dicom_header.ts";
import { type DicomSource, lookUp, sourceOf } from "./_dicom_attributes.ts";
import { openSeries, seriesValues } from "./_dicom_series.ts";
import { isNifti, niftiHeader, niftiValues } from "./_nifti.ts";
import { isNpy, isZip, npyHeader, npyValues, npzEntry } from "./_npy.ts";
import { contiguous } from "../arrays/contiguous.ts";
import { checkOptions } from "../options.ts";
import { InputError } from "../input_error.ts";

export type { DicomSource, Layout, Voi };

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
  /** Millimeters between slices, rows and columns, where known; between slices 1 for a single DICOM image that tells no thickness. */
  readonly spacing?: readonly [number, number, number];
  /**
   * A 4 x 4 matrix, row by row, from (column, row, slice, 1) to millimeters to
   * the patient's right, anterior and superior (RAS+), where known.
   */
  readonly affine?: readonly number[];
  /** Whether the channels are red, green and blue. */
  readonly color: boolean;
  /** The values that the file itself says to show black and white: DICOM's window. */
  readonly window?: readonly [low: number, high: number];
  /** Whether large values are to be shown dark: DICOM's MONOCHROME1. */
  readonly inverted: boolean;
  /** How the file's own axes became slices, rows and columns. */
  readonly layout: Layout;
  /** How DICOM says to show values where that is no window: a sigmoid, or a table. */
  readonly voi?: Voi;
  /** The values of voxels where there is no image (DICOM's padding). They count for no window. */
  readonly padding?: readonly [low: number, high: number];
  /** The header of a NIfTI file, for what is written with its geometry. */
  readonly nifti?: Uint8Array;
  /** What a DICOM segmentation repeats of its image's files. */
  readonly dicom?: DicomSource;
  /** Whether slices before the first and behind the last marked one may be left out: a DICOM segmentation. */
  readonly sparse?: boolean;
  /** Whether its slices may as well be channels of one image: an NPY array [3 or 4, H, W] or [H, W, 4]. */
  readonly ambiguous?: boolean;
}

/** Options of {@linkcode readVolume}. */
export interface ReadVolumeOptions {
  /** The largest volume that is decoded, in voxels times channels. Default: 2^27. Larger ones are refused by their header. */
  maxVoxels?: number;
  /** Which array of an NPZ file with several. Default: "image". */
  array?: string;
  /** Which axis of an NPY or NPZ array with three is the channels of one image: 0 (PyTorch) or 2; by default 2 where it has 1 or 3, else none, but slices. */
  channelAxis?: 0 | 2;
  /** Which DICOM series of a folder with several: its Series Instance UID, its number, or its description. */
  series?: string | number;
}

/** The options' types, for the check of their names. */
export const VOLUME_TYPES = {
  ...{ maxVoxels: "number", array: "string", channelAxis: "number" },
  series: "string | number",
} as const;

/**
 * Reads a volume in physical values: a NIfTI-1 or -2 file (.nii, .nii.gz; either
 * byte order), a DICOM file (of one frame or several) or a folder with the DICOM
 * files of one series, an NPY or an NPZ file.
 *
 * - NIfTI: scaling slope and intercept are applied; of the two forms of
 *   orientation the sform comes first, then the qform, then nibabel's rule for
 *   files without either. Dimensions beyond the third are channels.
 * - DICOM: rescale slope and intercept, a modality LUT or a dose grid's scaling
 *   are applied; palettes and YBR become red, green and blue. Uncompressed,
 *   deflated, RLE, JPEG (lossy of 8 bits, lossless), JPEG-LS, JPEG 2000 and its
 *   high-throughput kind; other transfer syntaxes are an error that names them.
 *   A segmentation has its segments' numbers as values, in channels where they
 *   lie over each other. The frames of one file are sorted by their
 *   positions (or a dose grid's offsets) where these lie at equal distances, and
 *   have no spacing and affine where they do not. The files of a folder are sorted by their
 *   positions, whatever their names and numbers; slices that are missing, twice
 *   there, or of another size or direction are an error, and so are several
 *   series unless `series` names one. Reports are passed over, and beside other
 *   images localizers, segmentations and dose grids. A file may be gzipped.
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
  checkOptions("read volume", options, VOLUME_TYPES);
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
  return volumeOf(await decodeVolumeFile(bytes, options, name), name);
}

/** The volume in a folder of DICOM files, or undefined where `source` is no folder. */
export async function readSeries(
  source: ImageSource,
  options: VolumeFileOptions,
): Promise<Volume | undefined> {
  const folder = await folderOf(source);
  if (folder === undefined) return undefined;
  return volumeOf(await decodeSeries(folder, options), folder);
}

function volumeOf(
  { header, values }: { header: VolumeHeader; values: Volume["values"] },
  name: string,
): Volume {
  checkFinite(values.data, name);
  const { spacing, affine, color, window, inverted, layout, nifti } = header;
  const { voi, padding, dicom, sparse, ambiguous } = header;
  return {
    ...{ values, spacing, affine, color, window, inverted, layout, nifti },
    ...(voi ? { voi } : {}),
    ...(padding ? { padding } : {}),
    ...(dicom ? { dicom } : {}),
    ...(sparse ? { sparse } : {}),
    ...(ambiguous ? { ambiguous } : {}),
  };
}

/** Which slice of a volume. */
export interface SliceOptions {
  /**
   * The dimension that is cut: 0 (axial, for a volume in its usual orientation),
   * 1 (coronal) or 2 (sagittal). It defaults to 0, or to the dimension of which
   * the volume has one slice only.
   */
  axis?: 0 | 1 | 2;
  /** Its index along that dimension. Default: the middle. */
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
 * @throws {TypeError} When an option is unknown or of another type.
 */
export function volumeSlice<T extends Float32Array | Uint8Array>(
  volume: NdArray<T>,
  options: SliceOptions = {},
): NdArray<T> {
  checkOptions("slice volume", options, { axis: "number", slice: "number" });
  const { axis = defaultAxis(volume.shape), slice } = options;
  const { shape } = volume;
  if (shape.length !== 3 && shape.length !== 4) {
    throw new InputError(
      `Cannot slice volume as its shape must be [D, H, W] or [D, H, W, C]: current value is [${shape}]`,
    );
  }
  if (axis !== 0 && axis !== 1 && axis !== 2) {
    throw new InputError(
      `Cannot slice volume as axis must be 0, 1 or 2: current value is ${axis}`,
    );
  }
  const index = slice ?? Math.floor(shape[axis] / 2);
  if (!Number.isInteger(index) || index < 0 || index >= shape[axis]) {
    throw new InputError(
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

/** How a volume's file is read. */
export interface VolumeFileOptions {
  maxVoxels?: number;
  array?: string;
  channelAxis?: number;
  series?: string | number;
  /** Whether stored values are wanted, not a palette's colors. */
  mask?: boolean;
  /** The layout of another NIfTI file, to take instead of the file's own. */
  layout?: Layout;
}

/** A DICOM file that is not all header has one of so many bytes at most. */
const MOST_DICOM_HEADER = 2 ** 26;

/** Whether a file is NIfTI, DICOM, NPY or NPZ, by its beginning. */
export function isVolumeFile(bytes: Uint8Array): boolean {
  return [isNifti, isDicom, isNpy, isZip].some((is) => is(bytes));
}

/** Decodes a whole NIfTI, DICOM, NPY or NPZ file. */
export async function decodeVolumeFile(
  bytes: Uint8Array,
  options: VolumeFileOptions,
  name: string,
): Promise<{ header: VolumeHeader; values: NdArray<Float32Array> }> {
  const { maxVoxels = MAX_VOXELS, array, channelAxis, layout } = options;
  const refuse = (option: string, of: string, value: unknown) =>
    new InputError(
      `Cannot read image as ${option} must be of ${of}: current value is ${value} (${name})`,
    );
  if (array !== undefined && !isZip(bytes)) {
    throw refuse("array", "an NPZ file", array);
  }
  if (channelAxis !== undefined && !isZip(bytes) && !isNpy(bytes)) {
    throw refuse("channelAxis", "an NPY or NPZ file", channelAxis);
  }
  if (options.series !== undefined) {
    throw refuse("series", "a folder of DICOM files", options.series);
  }
  const inflated = isGzip(bytes) && isDicom(gunzipHead(bytes, name))
    ? gunzip(bytes, 4 * maxVoxels + MOST_DICOM_HEADER, name)
    : bytes;
  if (isDicom(inflated)) {
    const file = await dicomHeader(inflated, { whole: true, name });
    const header = options.mask ? asIndices(file) : file;
    const values = await dicomValues(header, maxVoxels, name);
    const { origin, frames, order } = header;
    const dicom = header.segments ? undefined : sourceOf(origin, frames, order);
    return { header: { ...header, dicom }, values };
  }
  if (isNifti(bytes)) {
    const own = niftiHeader(bytes, name);
    const header = layout ? { ...own, layout, affine: undefined } : own;
    return { header, values: niftiValues(bytes, header, maxVoxels, name) };
  }
  const npy = isZip(bytes)
    ? await npzEntry(bytes, { array, maxVoxels, name })
    : bytes;
  const header = npyHeader(npy, name, { channelAxis });
  return { header, values: npyValues(npy, header, maxVoxels, name) };
}

/** Decodes the series in a folder of DICOM files. */
export async function decodeSeries(
  folder: string,
  { maxVoxels = MAX_VOXELS, series: wanted, mask }: VolumeFileOptions,
): Promise<{ header: VolumeHeader; values: NdArray<Float32Array> }> {
  const series = await openSeries(folder, { maxVoxels, series: wanted });
  const values = await seriesValues(series, maxVoxels, mask);
  return { header: series.header, values };
}

/**
 * The header of a NIfTI, DICOM, NPY or NPZ file, most often from its first
 * bytes alone, or of a folder's series; undefined where the file is another one.
 */
export async function readVolumeHeader(
  path: string,
  options: VolumeFileOptions = {},
): Promise<VolumeHeader | undefined> {
  if (await folderOf(path) !== undefined) {
    const { maxVoxels = MAX_VOXELS, series } = options;
    return (await openSeries(path, { maxVoxels, series })).header;
  }
  const head = await readHead(path);
  if (isGzip(head) && isDicom(gunzipHead(head, path))) {
    const bytes = await Deno.readFile(path);
    return (await decodeVolumeFile(bytes, options, path)).header;
  }
  if (isDicom(head)) return await readDicomHeader(path, head);
  if (isNifti(head)) return niftiHeader(head, path);
  if (isNpy(head)) return npyHeader(head, path);
  if (!isZip(head)) return undefined;
  const bytes = await Deno.readFile(path);
  return (await decodeVolumeFile(bytes, options, path)).header;
}

/** How a slice becomes an image. */
export interface VolumeImageOptions extends SliceOptions {
  window?: [low: number, high: number];
  channels?: number[];
}

/** One slice of a volume as an image: [H, W, C], values 0..1, C = 1 or 3. */
export function volumeImage(
  volume: Volume,
  { window, channels, axis, slice: index }: VolumeImageOptions,
): NdArray<Float32Array> {
  const { values, inverted, color } = volume;
  const all = values.shape[3];
  const chosen = channels ?? (all === 1 ? [0] : [0, 1, 2]);
  if (channels === undefined && all > 1 && !color) {
    throw new InputError(
      `Cannot read image as channels must say which one or three of ${all} are meant, as [0]: current value is undefined`,
    );
  }
  if (
    (chosen.length !== 1 && chosen.length !== 3) ||
    !chosen.every((c) => Number.isInteger(c) && c >= 0 && c < all)
  ) {
    throw new InputError(
      `Cannot read image as channels must be 1 or 3 of 0 .. ${
        all - 1
      }: current value is [${chosen}]`,
    );
  }
  const slice = volumeSlice(values, { axis, slice: index });
  const [height, width] = slice.shape;
  const image = new Float32Array(height * width * chosen.length);
  for (const [c, channel] of chosen.entries()) {
    const { data } = contiguous(slice.pick(null, null, channel));
    if (volume.voi && !window) {
      for (let i = 0; i < data.length; i++) {
        const value = viewed(volume.voi, data[i]);
        image[i * chosen.length + c] = inverted ? 1 - value : value;
      }
      continue;
    }
    const [low, high] = window ?? volume.window ?? windowOf(volume, channel);
    const range = high - low || 1; // A constant volume becomes 0 everywhere.
    for (let i = 0; i < data.length; i++) {
      const value = Math.min(Math.max((data[i] - low) / range, 0), 1) || 0;
      image[i * chosen.length + c] = inverted ? 1 - value : value;
    }
  }
  return ndarray(image, [height, width, chosen.length]);
}

/** What a value is shown as, 0..1, by DICOM's sigmoid or table. */
function viewed(voi: Voi, value: number): number {
  return voi.kind === "table"
    ? lookUp(voi, value) / (2 ** voi.bits - 1)
    : 1 / (1 + Math.exp(-4 * (value - voi.center) / voi.width));
}

/** Windows that were worked out, so that every slice of a volume need not do it again. */
const windows = new WeakMap<Volume, [low: number, high: number][]>();

/** The values that a volume's channel is shown black and white at, by default. */
export function shownWindow(
  volume: Volume,
  channel = 0,
): readonly [low: number, high: number] {
  return volume.window ?? windowOf(volume, channel);
}

function windowOf(volume: Volume, channel: number): [number, number] {
  const { values, color, padding } = volume;
  const known = windows.get(volume) ?? [];
  windows.set(volume, known);
  return known[channel] ??= percentileWindow(
    color
      ? values.hi(...values.shape.slice(0, 3), 3) // and not alpha
      : values.pick(null, null, null, channel),
    padding,
  );
}

/** Percentiles are of about this many values at most, evenly strided. */
const SAMPLE = 2 ** 20;

/**
 * The 0.5th and 99.5th percentile of an array, or its smallest and largest value
 * where these coincide. Values that are not finite do not count, nor do those of
 * padding, unless there are no others.
 */
export function percentileWindow(
  array: NdArray<Float32Array>,
  padding?: readonly [low: number, high: number],
): [low: number, high: number] {
  const stride = Math.ceil(array.size / SAMPLE);
  const finite = kept(strided(array, stride), Number.isFinite);
  const inside = padding
    ? kept(finite, (value) => value < padding[0] || value > padding[1])
    : finite;
  const sorted = (inside.length > 0 ? inside : finite).sort();
  const last = sorted.length - 1;
  if (last < 0) return [0, 1];
  const percentile = (p: number) => {
    // Linear between neighbors, as numpy.percentile does.
    const position = last * p / 100;
    const below = Math.floor(position);
    const next = sorted[Math.min(below + 1, last)];
    return sorted[below] + (position - below) * (next - sorted[below]);
  };
  const low = percentile(0.5);
  const high = percentile(99.5);
  return low < high ? [low, high] : [sorted[0], sorted[last]];
}

/** As `filter`, but without an object for every value. */
function kept(
  values: Float32Array,
  isKept: (value: number) => boolean,
): Float32Array {
  const found = new Float32Array(values.length);
  let length = 0;
  for (const value of values) if (isKept(value)) found[length++] = value;
  return found.subarray(0, length);
}

/** Every `stride`-th value, in row-major order. */
function strided(array: NdArray<Float32Array>, stride: number): Float32Array {
  const { shape, stride: steps, data, offset } = array;
  const picked = new Float32Array(Math.ceil(array.size / stride));
  for (let i = 0; i < picked.length; i++) {
    let rest = i * stride;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += steps[axis] * (rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    picked[i] = data[at];
  }
  return picked;
}
