/**
 * Reads and writes the safetensors format: an 8-byte little-endian header
 * length, a JSON header (name -> dtype, shape, byte range), then the bytes.
 *
 * A file may come from anywhere, so nothing in its header is believed before it
 * is checked, and nothing larger than a small multiple of the file is allocated.
 *
 * Format: https://github.com/huggingface/safetensors#format
 */
import type { HostTensor } from "../engine/tensors.ts";
import {
  BYTES_PER_ELEMENT,
  type Dtype,
  METADATA,
  PREFIX_BYTES,
  readHeader,
  refused,
} from "./_safetensors_header.ts";

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** The tensors by name, in the order of their bytes in the file. */
  tensors: Map<string, HostTensor>;
  /** The free text of the header's `__metadata__`. */
  metadata: Record<string, string>;
}

/** Options of {@linkcode readSafetensors}. */
export interface ReadSafetensorsOptions {
  /** Refuse tensors that hold NaN or an infinity, which defaults to true. */
  finite?: boolean;
}

/** Options of {@linkcode writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** How float tensors are kept on disk, which defaults to "float32". */
  dtype?: "float32" | "float16";
  /** Refuse tensors that hold NaN or an infinity, which defaults to true. */
  finite?: boolean;
}

/** How the bytes of a dtype become host values. */
const WIDEN: Record<Dtype, (buffer: ArrayBuffer) => HostTensor["data"]> = {
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => new Float32Array(new Float16Array(buffer)),
  BF16: widenBfloat16,
  I32: (buffer) => new Int32Array(buffer),
  U8: (buffer) => new Int32Array(new Uint8Array(buffer)),
  BOOL: (buffer) => new Uint8Array(buffer),
};

/**
 * Reads a safetensors file.
 *
 * F32, F16 and BF16 become float32, I32 and U8 become int32, and BOOL stays
 * one byte per value, 0 or 1. The result owns its memory: it is no view of
 * `bytes`, which may start at any byte offset of its buffer.
 *
 * @param bytes The whole file.
 * @param options See {@linkcode ReadSafetensorsOptions}.
 * @returns The tensors and the metadata.
 * @throws {RangeError} If the file is not exactly what its header says, holds
 * a dtype not named above, or a float tensor has NaN or an infinity.
 *
 * @example Reading what was written
 * ```ts
 * import { readSafetensors, writeSafetensors } from "./safetensors.ts";
 *
 * const bias = { data: new Float32Array([0.5, -1]), shape: [2] };
 * const bytes = writeSafetensors([["bias", bias]], { preset: "tiny" });
 * const { tensors, metadata } = readSafetensors(bytes);
 * // tensors.get("bias").data: [0.5, -1]; metadata.preset: "tiny"
 * ```
 */
export function readSafetensors(
  bytes: Uint8Array,
  { finite = true }: ReadSafetensorsOptions = {},
): SafetensorsFile {
  const { entries, metadata, dataStart } = readHeader(bytes);
  const tensors = new Map<string, HostTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const copy = new Uint8Array(end - begin); // starts aligned, as bytes may not
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    const data = WIDEN[dtype](copy.buffer);
    if (dtype === "BOOL" && copy.some((value) => value > 1)) {
      const at = copy.findIndex((value) => value > 1);
      throw refused(`every BOOL of "${name}" must be 0 or 1`, copy[at]);
    }
    if (finite) checkFinite("read", name, data);
    tensors.set(name, { data, shape });
  }
  return { tensors, metadata };
}

/**
 * Writes tensors as a safetensors file: float32 as F32 or F16 (rounded to the
 * nearest, ties to even), int32 as I32, bool as BOOL.
 *
 * @param tensors Names and tensors, a `Map` for one; written widest dtype
 * first, then by name, so equal content gives equal bytes.
 * @param metadata Free text, in the header's `__metadata__`.
 * @param options See {@linkcode WriteSafetensorsOptions}.
 * @returns The whole file.
 * @throws {RangeError} If a name is taken or reserved, a shape does not match
 * its data, or a value is not finite or too large for float16.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, HostTensor]>,
  metadata: Record<string, string> = {},
  { dtype = "float32", finite = true }: WriteSafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const names = new Set<string>();
  const parts = [...tensors].map(([name, tensor]) => {
    checkWritable(name, tensor, names);
    names.add(name);
    if (finite) checkFinite("write", name, tensor.data);
    return { name, shape: tensor.shape, ...narrow(name, tensor.data, dtype) };
  });
  parts.sort((a, b) =>
    BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype] ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );

  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push([METADATA, metadata]);
  let offset = 0;
  for (const { name, dtype, shape, data } of parts) {
    const data_offsets = [offset, offset += data.byteLength];
    header.push([name, { dtype, shape: [...shape], data_offsets }]);
  }
  const text = JSON.stringify(Object.fromEntries(header));
  const json = new TextEncoder().encode(text);
  const headerBytes = Math.ceil(json.byteLength / 8) * 8;

  const dataStart = PREFIX_BYTES + headerBytes;
  const bytes = new Uint8Array(dataStart + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, PREFIX_BYTES);
  bytes.fill(0x20, PREFIX_BYTES + json.byteLength, dataStart); // spaces align
  let at = dataStart;
  for (const { data } of parts) {
    bytes.set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      at,
    );
    at += data.byteLength;
  }
  return bytes;
}

function checkFinite(
  verb: "read" | "write",
  name: string,
  data: HostTensor["data"],
): void {
  if (!(data instanceof Float32Array)) return;
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new RangeError(
    `Cannot ${verb} safetensors as every value of "${name}" must be finite: ` +
      `current value at ${at} is ${data[at]}`,
  );
}

function checkWritable(
  name: string,
  { data, shape }: HostTensor,
  taken: Set<string>,
): void {
  if (name === METADATA || taken.has(name)) {
    throw new RangeError(
      `Cannot write safetensors as every name must be given once and not be ` +
        `${METADATA}: current value is ${name}`,
    );
  }
  if (shape.reduce((product, side) => product * side, 1) !== data.length) {
    throw new RangeError(
      `Cannot write safetensors as the shape of "${name}" must hold its ` +
        `${data.length} values: current value is [${shape}]`,
    );
  }
}

function narrow(
  name: string,
  data: HostTensor["data"],
  dtype: "float32" | "float16",
): { dtype: Dtype; data: ArrayBufferView<ArrayBufferLike> } {
  if (data instanceof Int32Array) return { dtype: "I32", data };
  if (data instanceof Uint8Array) return { dtype: "BOOL", data };
  if (dtype === "float32") return { dtype: "F32", data };
  const half = new Float16Array(data);
  const at = half.findIndex((value, i) =>
    !Number.isFinite(value) && Number.isFinite(data[i])
  );
  if (at >= 0) {
    throw new RangeError(
      `Cannot write safetensors as every value of "${name}" must fit float16 ` +
        `(|x| < 65520): current value at ${at} is ${data[at]}`,
    );
  }
  return { dtype: "F16", data: half };
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(buffer: ArrayBuffer): Float32Array {
  const upper = new Uint16Array(buffer);
  return new Float32Array(Uint32Array.from(upper, (half) => half << 16).buffer);
}
