// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { gunzip, gunzipHead, isGzip } from "./_gunzip.ts";
import { layOut } from "../datasets/_layout.ts";
import {
  type NiftiHeader,
  niftiVersion,
  parseNiftiHeader,
} from "./_nifti_header.ts";
import { badFile } from "./_read_bytes.ts";
import { readSamples } from "./_samples.ts";
import { countValues } from "./_volume_header.ts";

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
  const stored = ndarray(values, [z, y, x, samples]); // colours interleaved
  return layOut(stored.hi(z, y, x, 3), layout);
}
