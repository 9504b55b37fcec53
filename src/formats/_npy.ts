// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { AS_STORED, countValues, type VolumeHeader } from "./_volume_header.ts";
import { badFile, readSamples, SAMPLES, type SampleType } from "./_bytes.ts";
import { InputError } from "../input_error.ts";
import type { UnzipFileInfo } from "fflate";

/** What else an NPY file's header says. */
interface NpyHeader extends VolumeHeader {
  type: SampleType;
  little: boolean;
  /** Whether the first index runs fastest. */
  fortran: boolean;
  /** Whether the channels are the first of three sides. */
  channelsFirst: boolean;
  /** Where the values begin. */
  offset: number;
}

const MAGIC = "\x93NUMPY";

/** Whether a file is NPY, by its beginning. */
export function isNpy(bytes: Uint8Array): boolean {
  return bytes.length >= 10 &&
    String.fromCharCode(...bytes.subarray(0, 6)) === MAGIC;
}

/**
 * Parses the header of an NPY file (NEP 1). An array is [H, W], [H, W, 1 or 3],
 * [D, H, W] or [D, H, W, C]; it knows neither spacing nor orientation.
 *
 * @param options.channelAxis Of which of three axes the channels are, where that is asked for: 0 or 2.
 */
export function npyHeader(
  bytes: Uint8Array,
  name: string,
  { channelAxis }: { channelAxis?: number } = {},
): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const long = bytes[6] > 1;
  const start = long ? 12 : 10;
  const length = bytes.length < start
    ? Infinity
    : long
    ? view.getUint32(8, true)
    : view.getUint16(8, true);
  const offset = start + length;
  // An honest header is short; text beyond that is not looked at.
  if (offset > Math.min(bytes.length, 2 ** 16)) {
    throw badFile(
      "its NPY header must be complete",
      `${bytes.length} bytes`,
      name,
    );
  }
  const text = new TextDecoder().decode(bytes.subarray(start, offset));
  const descr = /'descr': *'([<>|=]?)([a-z]\d+)'/.exec(text);
  const order = /'fortran_order': *(True|False)/.exec(text);
  const sides = /'shape': *\(([\dL, ]*)\)/.exec(text)?.[1].split(",")
    .map((side) => side.trim()).filter((side) => side !== "");
  const types: Record<string, SampleType> = { ...SAMPLES, b1: SAMPLES.u1 };
  const type = descr ? types[descr[2]] : undefined;
  // Python 2 wrote long integers with an L, which numpy reads as well.
  const whole = sides?.every((side) => /^\d+L?$/.test(side));
  if (!descr || !type || !order || !sides || !whole) {
    throw badFile(
      "its NPY header must name a real or integer type, an order and a shape",
      text.trim().slice(0, 80),
      name,
    );
  }
  const shape = sides.map((side) => Number.parseInt(side));
  if (
    channelAxis !== undefined &&
    !(shape.length === 3 && (channelAxis === 0 || channelAxis === 2))
  ) {
    throw new InputError(
      `Cannot read image as channelAxis must be 0 or 2, of an array with three axes: current value is ${channelAxis} of [${shape}] (${name})`,
    );
  }
  const volume = asVolume(shape, channelAxis);
  if (!volume) {
    throw badFile(
      "its shape must be [H, W], [H, W, 3], [D, H, W] or [D, H, W, C]",
      `[${shape.join(", ")}]`,
      name,
    );
  }
  const bounds: Record<string, [number, number]> = { u1: [0, 255], b1: [0, 1] };
  return {
    shape: volume,
    layout: AS_STORED,
    // Of red, green, blue and alpha the first three are shown.
    color: volume[3] === 3 || (volume[3] === 4 && shape.length === 3),
    ambiguous: shape.length === 3 && volume[3] === 1 &&
      (shape[0] === 3 || shape[0] === 4 || shape[2] === 4),
    channelsFirst: channelAxis === 0,
    window: bounds[descr[2]],
    inverted: false,
    type,
    little: descr[1] !== ">",
    fortran: order[1] === "True",
    offset,
  };
}

function asVolume(
  shape: number[],
  channelAxis?: number,
): VolumeHeader["shape"] | undefined {
  const [a, b, c, d] = shape;
  if (shape.length === 2) return [1, a, b, 1];
  if (shape.length === 3) {
    if (channelAxis === 0) return [1, b, c, a];
    return channelAxis === 2 || c === 1 || c === 3
      ? [1, a, b, c]
      : [a, b, c, 1];
  }
  return shape.length === 4 ? [a, b, c, d] : undefined;
}

/** The values of an NPY file: [slice, row, column, channel]. */
export function npyValues(
  bytes: Uint8Array,
  header: NpyHeader,
  maxVoxels: number,
  name: string,
): NdArray<Float32Array> {
  const { shape, type, offset, fortran } = header;
  const count = countValues(shape, maxVoxels, name);
  const end = offset + count * type.bytes;
  if (bytes.length < end) {
    throw badFile(
      `the file must hold its header's ${end} bytes`,
      `${bytes.length} bytes`,
      name,
    );
  }
  const values = readSamples(bytes.subarray(offset, end), { count, ...header });
  // As stored: [slice, row, column, channel], or the channel in second place.
  const [depth, height, width, channels] = shape;
  const stored = header.channelsFirst
    ? [depth, channels, height, width]
    : shape;
  const array = fortran
    ? ndarray(values, [...stored].reverse()).transpose(3, 2, 1, 0)
    : ndarray(values, stored);
  return header.channelsFirst ? array.transpose(0, 2, 3, 1) : array;
}

/** Whether a file is a zip archive, by its beginning. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 &&
    bytes[3] === 4;
}

/**
 * One array of an NPZ file, as the bytes of an NPY file.
 *
 * @param array Its name; it may be left out where the file has one array only, or one named "image".
 */
export async function npzEntry(
  bytes: Uint8Array,
  { array, maxVoxels, name }: {
    array?: string;
    maxVoxels: number;
    name: string;
  },
): Promise<Uint8Array> {
  const { unzipSync } = await import("fflate");
  const entries: UnzipFileInfo[] = [];
  const unzip = (filter: (entry: UnzipFileInfo) => boolean) => {
    try {
      return unzipSync(bytes, { filter });
    } catch (error) {
      throw badFile("it must be an undamaged NPZ file", error, name, error);
    }
  };
  unzip((entry) => {
    entries.push(entry);
    return false;
  });
  const names = entries.map((entry) => entry.name.replace(/\.npy$/, ""));
  const wanted = array ??
    (names.length === 1 ? names[0] : "image");
  const entry = entries[names.indexOf(wanted)];
  if (!entry) {
    throw new InputError(
      `Cannot read image as array must be one of ${
        names.slice(0, 20).join(", ").slice(0, 200)
      }: current value is ${array} (${name})`,
    );
  }
  // fflate makes room for the size that the archive claims: is it possible?
  const limit = Math.min(
    entry.compression === 0 ? entry.size : entry.size * 1032,
    maxVoxels * 8 + 2 ** 16,
  );
  if (entry.size > bytes.length || entry.originalSize > limit) {
    throw badFile(
      `its array ${wanted} must have at most ${limit} bytes`,
      `${entry.originalSize} bytes of ${entry.size}`,
      name,
    );
  }
  let index = 0;
  const npy = unzip(() => entries[index++] === entry)[entry.name];
  if (!npy || !isNpy(npy)) {
    throw badFile(
      `its array ${wanted} must be an NPY file`,
      "other bytes",
      name,
    );
  }
  return npy;
}
