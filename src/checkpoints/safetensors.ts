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
import type { ByteSource } from "./_byte_source.ts";
import { widen } from "./_elements.ts";
import {
  bytesPerElement,
  type Dtype,
  DTYPES,
  METADATA,
  PREFIX_BYTES,
  readDataStart,
  readHeader,
  refused,
} from "./_safetensors_header.ts";
import {
  checkFinite,
  FileCheckpoint,
  type TensorRecord,
} from "./_file_checkpoint.ts";

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

/**
 * Reads a safetensors file.
 *
 * F64, F16 and BF16 become float32, I64, I16, I8 and U8 become int32, and BOOL
 * stays one byte per value, 0 or 1. The result owns its memory: it is no view of
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
  const dataStart = readDataStart(bytes, bytes.byteLength);
  const { entries, metadata } = readHeader(
    bytes.subarray(PREFIX_BYTES, dataStart),
    bytes.byteLength - dataStart,
  );
  const tensors = new Map<string, HostTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const copy = new Uint8Array(end - begin); // starts aligned, as bytes may not
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    const data = widen(
      DTYPES[dtype],
      copy,
      (rule, current) => refused(`${rule} in "${name}"`, current),
    );
    if (finite) checkFinite("read safetensors", name, data);
    tensors.set(name, { data, shape });
  }
  return { tensors, metadata };
}

/**
 * Opens a safetensors file without reading its tensors.
 *
 * @param source The file.
 * @returns Its tensors, to be read one by one.
 * @throws {RangeError} If the file is not exactly what its header says.
 */
export function openSafetensors(source: ByteSource): FileCheckpoint {
  const prefix = source.read(0, Math.min(PREFIX_BYTES, source.size));
  const dataStart = readDataStart(prefix, source.size);
  const { entries, metadata } = readHeader(
    source.read(PREFIX_BYTES, dataStart - PREFIX_BYTES),
    source.size - dataStart,
  );
  const records = new Map<string, TensorRecord>();
  for (const { name, dtype, shape, begin } of entries) {
    const type = DTYPES[dtype];
    records.set(name, { type, shape, source, begin: dataStart + begin });
  }
  return new FileCheckpoint({
    format: "safetensors",
    records,
    metadata,
    sources: [source],
  });
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
    if (finite) checkFinite("write safetensors", name, tensor.data);
    return { name, shape: tensor.shape, ...narrow(name, tensor.data, dtype) };
  });
  parts.sort((a, b) =>
    bytesPerElement(b.dtype) - bytesPerElement(a.dtype) ||
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
