/** NIfTI-1 and NIfTI-2 files, after nifti1.h and nifti2.h: read and written. */

import {
  type Affine,
  countValues,
  determinant,
  type Layout,
  layOut,
  layOutAffine,
  radiologicalLayout,
  type VolumeHeader,
  voxelSizes,
} from "./_volume_header.ts";
import {
  badFile,
  gunzip,
  gunzipHead,
  readSamples,
  SAMPLES,
  type SampleType,
} from "./_bytes.ts";
import { isGzip } from "../gunzip.ts";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { InputError } from "../input_error.ts";

/** What else a NIfTI file's header says. */
export interface NiftiHeader extends VolumeHeader {
  /** x, y, z and all further dimensions together, as stored. */
  dims: [number, number, number, number];
  type: SampleType;
  /** Samples stored together per voxel: 3 or 4 for color, else 1. */
  samples: number;
  little: boolean;
  slope: number;
  intercept: number;
  /** Where the values begin. */
  offset: number;
}

/** The fields of both versions: their places, and how one is read. */
const FIELDS = {
  1: { size: 348, dim: 40, datatype: 70, pixdim: 76, offset: 108, slope: 112 },
  2: { size: 540, dim: 16, datatype: 12, pixdim: 104, offset: 168, slope: 176 },
} as const;
const FORMS = {
  1: { units: 123, qformCode: 252, quaternion: 256, sform: 280 },
  2: { units: 500, qformCode: 344, quaternion: 352, sform: 400 },
} as const;

const { u1, i2, i4, f4, f8, i1, u2, u4, i8, u8 } = SAMPLES;
const TYPES: Record<number, SampleType> = {
  ...{ 2: u1, 4: i2, 8: i4, 16: f4, 64: f8, 128: u1, 256: i1, 512: u2 },
  ...{ 768: u4, 1024: i8, 1280: u8, 2304: u1 },
};
const RGB = 128;
const RGBA = 2304;

/** Millimeters per spatial unit, by xyzt_units' lowest bits; unknown units are taken for millimeters. */
const MILLIMETERS: Record<number, number> = { 1: 1000, 2: 1, 3: 0.001 };

/** The version of a NIfTI header and its byte order, or undefined where it is none. */
function niftiVersion(
  bytes: Uint8Array,
): { version: 1 | 2; little: boolean } | undefined {
  if (bytes.length < 348) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const little of [true, false]) {
    const size = view.getInt32(0, little);
    if (size === 348 && bytes[344] === 0x6e) return { version: 1, little };
    if (size === 540 && bytes[4] === 0x6e) return { version: 2, little };
  }
  return undefined;
}

/** Parses the beginning of a NIfTI file, its gzip undone. */
function parseNiftiHeader(
  bytes: Uint8Array,
  name: string,
): NiftiHeader {
  const found = niftiVersion(bytes);
  if (!found) {
    throw badFile("it must be a NIfTI file", "another file", name);
  }
  const { version, little } = found;
  const at = { ...FIELDS[version], ...FORMS[version] };
  if (bytes.length < at.size) {
    throw badFile(
      `its header must have ${at.size} bytes`,
      `${bytes.length} bytes`,
      name,
    );
  }
  const magic = String.fromCharCode(
    ...bytes.subarray(version === 1 ? 344 : 4, version === 1 ? 347 : 7),
  );
  if (magic !== `n+${version}`) {
    throw badFile(
      "header and values must be in one file (.nii)",
      JSON.stringify(magic),
      name,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const float = (place: number, index = 0) =>
    version === 1
      ? view.getFloat32(place + 4 * index, little)
      : view.getFloat64(place + 8 * index, little);
  const integer = (place: number, index = 0) => {
    if (version === 1) return view.getInt16(place + 2 * index, little);
    return Number(view.getBigInt64(place + 8 * index, little));
  };
  const code = (place: number) =>
    version === 1 ? view.getInt16(place, little) : view.getInt32(place, little);

  const rank = integer(at.dim);
  const sides = Array.from({ length: 7 }, (_, i) => {
    return i < rank ? integer(at.dim, i + 1) : 1;
  });
  if (!(rank >= 1 && rank <= 7) || sides.some((side) => !(side >= 1))) {
    throw badFile(
      "it must have 1 to 7 dimensions of 1 or more",
      `${rank} dimensions, ${sides.join(" x ")}`,
      name,
    );
  }
  const datatype = view.getInt16(at.datatype, little);
  const type = TYPES[datatype];
  if (!type) {
    throw badFile(
      "its datatype must be an integer, a real number of 32 or 64 bits, or color",
      `NIfTI datatype ${datatype}`,
      name,
    );
  }
  const color = datatype === RGB || datatype === RGBA;
  const [x, y, z, ...further] = sides;
  const channels = further.reduce((product, side) => product * side, 1);
  if (color && channels > 1) {
    throw badFile(
      "a color image must have three dimensions",
      sides.join(" x "),
      name,
    );
  }
  const offset = version === 1 ? float(at.offset) : integer(at.offset);
  if (!(Number.isInteger(offset) && offset >= at.size)) {
    throw badFile(
      "its values must begin behind the header",
      `byte ${offset}`,
      name,
    );
  }

  const millimeters = MILLIMETERS[bytes[at.units] & 7] ?? 1;
  const pixdim = Array.from({ length: 4 }, (_, i) => float(at.pixdim, i));
  const forms = [
    code(at.qformCode + (version === 1 ? 2 : 4)) > 0 &&
    Array.from({ length: 12 }, (_, i) => float(at.sform, i)),
    code(at.qformCode) > 0 &&
    qform(pixdim, Array.from({ length: 6 }, (_, i) => float(at.quaternion, i))),
  ];
  const form = forms.find((rows) => rows && isInvertible(rows)) ||
    baseForm(pixdim, [x, y, z]);
  const stored: Affine = [...form.map((v) => v * millimeters), 0, 0, 0, 1];
  const layout = radiologicalLayout(stored);
  const affine = layOutAffine(stored, [x, y, z], layout);
  const [column, row, slice] = voxelSizes(affine);
  const [depth, height, width] = layout.axes.map((axis) => sides[axis]);

  const slope = float(at.slope);
  const intercept = float(at.slope, 1);
  const scaled = !color && Number.isFinite(slope) && slope !== 0;
  return {
    shape: [depth, height, width, color ? 3 : channels],
    spacing: [slice, row, column],
    affine,
    layout,
    color,
    window: color ? [0, 255] : undefined,
    inverted: false,
    nifti: bytes.slice(0, at.size),
    dims: [x, y, z, channels],
    type,
    samples: datatype === RGB ? 3 : datatype === RGBA ? 4 : 1,
    little,
    slope: scaled ? slope : 1,
    intercept: scaled && Number.isFinite(intercept) ? intercept : 0,
    offset,
  };
}

function isInvertible(rows: number[]): boolean {
  const volume = determinant(rows);
  return rows.every(Number.isFinite) && Number.isFinite(volume) && volume !== 0;
}

/** The affine's rows of a quaternion (b, c, d) and an offset: nifti1.h, method 2. */
function qform(
  [sign, ...sizes]: number[],
  [b, c, d, ...origin]: number[],
): number[] {
  const rest = 1 - (b * b + c * c + d * d);
  const a = Math.sqrt(Math.max(rest, 0));
  const rotation = [
    ...[a * a + b * b - c * c - d * d, 2 * (b * c - a * d)],
    2 * (b * d + a * c),
    ...[2 * (b * c + a * d), a * a + c * c - b * b - d * d],
    2 * (c * d - a * b),
    ...[2 * (b * d - a * c), 2 * (c * d + a * b)],
    a * a + d * d - b * b - c * c,
  ];
  const valid = rest > -1e-5 && sizes.every((size) => size > 0);
  return [0, 1, 2].flatMap((row) => [
    ...[0, 1, 2].map((column) =>
      (valid ? rotation[3 * row + column] : NaN) * sizes[column] *
      (column === 2 && sign < 0 ? -1 : 1)
    ),
    origin[row],
  ]);
}

/** Where no form is given or valid: x to the left and the origin in the middle, as nibabel and SPM take it. */
function baseForm([, ...sizes]: number[], sides: number[]): number[] {
  const [x, y, z] = sizes.map((size) => {
    return Number.isFinite(size) && size !== 0 ? Math.abs(size) : 1;
  });
  const middle = sides.map((side) => (side - 1) / 2);
  return [
    ...[-x, 0, 0, x * middle[0]],
    ...[0, y, 0, -y * middle[1]],
    ...[0, 0, z, -z * middle[2]],
  ];
}

/** Whether a file is NIfTI, gzipped or not, by its beginning. */
export function isNifti(bytes: Uint8Array): boolean {
  return isGzip(bytes) || niftiVersion(bytes) !== undefined;
}

/** The header of a NIfTI file, from its beginning (4096 bytes are enough). */
export function niftiHeader(bytes: Uint8Array, name: string): NiftiHeader {
  const head = isGzip(bytes) ? gunzipHead(bytes, name) : bytes;
  return parseNiftiHeader(head, name);
}

/** The values of a NIfTI file, scaled: [slice, row, column, channel]. */
export function niftiValues(
  bytes: Uint8Array,
  header: NiftiHeader,
  maxVoxels: number,
  name: string,
): NdArray<Float32Array> {
  const { dims, type, samples, offset, layout } = header;
  const [x, y, z, channels] = dims;
  const count = countValues(dims, maxVoxels, name) * samples;
  const end = offset + count * type.bytes;
  // Deflate packs 1032 bytes into one at most: a header that claims more lies.
  const held = isGzip(bytes) ? bytes.length * 1032 : bytes.length;
  const tooShort = (length: string) =>
    badFile(`the file must hold its header's ${end} bytes`, length, name);
  if (held < end) throw tooShort(`at most ${held} bytes`);
  const plain = isGzip(bytes) ? gunzip(bytes, end + 2 ** 16, name) : bytes;
  if (plain.length < end) throw tooShort(`${plain.length} bytes`);

  const values = readSamples(plain.subarray(offset, end), { count, ...header });
  if (samples === 1) {
    const stored = ndarray(values, [channels, z, y, x]);
    return layOut(stored.transpose(1, 2, 3, 0), layout);
  }
  const stored = ndarray(values, [z, y, x, samples]); // colors interleaved
  return layOut(stored.hi(z, y, x, 3), layout);
}

const UINT8 = 2;

/** What a mask's file has from the volume that it lies on. */
interface Voxels {
  readonly values: { readonly shape: readonly number[] };
  readonly layout: Layout;
  readonly spacing?: readonly [number, number, number];
  readonly affine?: Affine;
  /** The header of the volume's own NIfTI file. */
  readonly nifti?: Uint8Array;
}

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
  volume: Voxels,
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
function storedShape({ values, layout }: Voxels): number[] {
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
function freshHeader([z, y, x]: number[], volume: Voxels): Uint8Array {
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
