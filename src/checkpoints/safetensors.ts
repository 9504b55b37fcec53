/**
 * Reads and writes the safetensors format: an 8-byte little-endian header
 * length, a JSON header (name -> dtype, shape, byte range), then the bytes.
 *
 * A file may come from anywhere: every field of its header is checked before
 * use, and no allocation exceeds a small multiple of the file.
 *
 * Format: https://github.com/huggingface/safetensors#format
 */
import type { HostTensor } from "../engine/tensors.ts";
import type { ByteSource } from "./_byte_source.ts";
import {
  ELEMENT_BYTES,
  type ElementType,
  isShape,
  isWhole,
  MAX_RANK,
  MAX_SIDE,
  show,
  widen,
} from "./_elements.ts";
import {
  checkFinite,
  FileCheckpoint,
  type TensorRecord,
} from "./checkpoint.ts";
import { InputError } from "../input_error.ts";

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** The tensors by name, in the order of their bytes in the file. */
  tensors: Map<string, HostTensor>;
  /** The free text of the header's `__metadata__`. */
  metadata: Record<string, string>;
}

/** Options of {@linkcode readSafetensors}. */
export interface ReadSafetensorsOptions {
  /** Refuse tensors that hold NaN or an infinity. Default: true. */
  finite?: boolean;
}

/** Options of {@linkcode writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** How float tensors are kept on disk. Default: "float32". */
  dtype?: "float32" | "float16";
  /** Refuse tensors that hold NaN or an infinity. Default: true. */
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
    throw new InputError(
      `Cannot write safetensors as every name must be given once and not be ` +
        `${METADATA}: current value is ${name}`,
    );
  }
  if (shape.reduce((product, side) => product * side, 1) !== data.length) {
    throw new InputError(
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
    throw new InputError(
      `Cannot write safetensors as every value of "${name}" must fit float16 ` +
        `(|x| < 65520): current value at ${at} is ${data[at]}`,
    );
  }
  return { dtype: "F16", data: half };
}

// The header: every field is checked before it is used

/** The dtypes that are read. */
const DTYPES = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Record<string, ElementType>;

/** A dtype that is read. */
type Dtype = keyof typeof DTYPES;

/** Bytes of one element of a dtype. */
function bytesPerElement(dtype: Dtype): number {
  return ELEMENT_BYTES[DTYPES[dtype]];
}

/** The bytes of the header's length, at the start of the file. */
const PREFIX_BYTES = 8;

/** The one key of the header that is no tensor. */
const METADATA = "__metadata__";

/** A tensor as the header describes it, checked. */
interface Entry {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** First byte and the byte after the last, from the end of the header. */
  begin: number;
  end: number;
}

/** About 100,000 tensors; parsed JSON takes many times its bytes. */
const MAX_HEADER_BYTES = 2 ** 24;
const MAX_DEPTH = 8;

/** What the header of a file says. */
interface Header {
  /** The tensors in the order of their bytes, which cover the data exactly. */
  entries: Entry[];
  metadata: Record<string, string>;
}

/**
 * Where the data begins.
 *
 * @param prefix The file's first 8 bytes.
 * @param fileBytes The file's size.
 */
function readDataStart(prefix: Uint8Array, fileBytes: number): number {
  if (fileBytes < PREFIX_BYTES + 2) {
    throw refused("the file must be >= 10 bytes", fileBytes);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw refused(`its header must be <= ${MAX_HEADER_BYTES} bytes`, length);
  }
  const rest = fileBytes - PREFIX_BYTES;
  if (Number(length) > rest) {
    throw refused(
      `its header must be <= the ${rest} bytes that follow`,
      length,
    );
  }
  return PREFIX_BYTES + Number(length);
}

/**
 * Reads and checks the header of a safetensors file.
 *
 * @param json The bytes between the prefix and the data.
 * @param dataBytes The bytes that follow.
 */
function readHeader(json: Uint8Array, dataBytes: number): Header {
  let text: string;
  let header: unknown;
  try {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    text = utf8.decode(json);
    header = JSON.parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw refused("its header must be JSON", problem, cause);
  }
  if (!isRecord(header)) {
    throw refused("its header must be a JSON object", text.slice(0, 40));
  }
  checkStructure(text);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => readEntry(name, value))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes);
  return { entries, metadata: readMetadata(header[METADATA]) };
}

/**
 * Refuses what JSON.parse lets pass: it silently keeps the last of two equal
 * keys, and parses arrays nested too deep to print. The text is valid JSON.
 */
function checkStructure(text: string): void {
  const open: Set<string>[] = []; // the keys of every {} or [] around text[i]
  for (let i = 0; i < text.length; i++) {
    if ("{[".includes(text[i])) open.push(new Set());
    else if ("}]".includes(text[i])) open.pop();
    if (open.length > MAX_DEPTH) {
      throw refused(`its header must nest <= ${MAX_DEPTH} deep`, "more");
    }
    if (text[i] !== '"') continue;
    const begin = i++;
    while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    const string = text.slice(begin, i + 1);
    while (" \t\r\n".includes(text[i + 1])) i++;
    if (text[i + 1] !== ":") continue; // a value, not a key
    const keys = open[open.length - 1];
    const key: string = JSON.parse(string);
    if (keys.has(key)) {
      throw refused("every name in its header must be given once", show(key));
    }
    keys.add(key);
  }
}

function readMetadata(value: unknown = {}): Record<string, string> {
  if (!isRecord(value)) {
    throw refused(`${METADATA} must be an object of strings`, show(value));
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw refused(`${show(key)} of ${METADATA} must be a string`, show(text));
    }
  }
  return value as Record<string, string>;
}

function readEntry(name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets } = isRecord(value) ? value : {};
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPES).join(", ");
    throw refused(
      `the dtype of ${show(name)} must be one of ${known}`,
      show(dtype),
    );
  }
  if (!isShape(shape)) {
    const rule = `<= ${MAX_RANK} whole numbers in 0..${MAX_SIDE}`;
    throw refused(`the shape of ${show(name)} must be ${rule}`, show(shape));
  }
  if (
    !Array.isArray(data_offsets) || data_offsets.length !== 2 ||
    !data_offsets.every((at) => isWhole(at)) ||
    data_offsets[0] > data_offsets[1]
  ) {
    const rule = "[begin, end] with 0 <= begin <= end";
    throw refused(
      `the data_offsets of ${show(name)} must be ${rule}`,
      show(data_offsets),
    );
  }
  const [begin, end] = data_offsets;
  const size = shape.reduce((product, side) => product * side, 1);
  const expected = size * bytesPerElement(dtype);
  if (end - begin !== expected) {
    const what = `${dtype} [${shape}], ${expected} bytes`;
    throw refused(
      `${show(name)} must be ${what}, by its data_offsets`,
      end - begin,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors must tile the data: no hole, no overlap, nothing left over. */
function checkCoverage(sorted: Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of sorted) {
    if (begin !== at) {
      const problem = begin < at ? "overlap" : "leave a hole";
      throw refused(
        `${show(name)} must begin at byte ${at} of the data, not ${problem}`,
        begin,
      );
    }
    at = end;
  }
  if (at !== dataBytes) {
    const problem = dataBytes < at ? "it is truncated" : "bytes are left over";
    throw refused(`the data must be ${at} bytes (${problem})`, dataBytes);
  }
}

/** An error about the bytes given, in the house form. */
function refused(
  rule: string,
  current: unknown,
  cause?: unknown,
): RangeError {
  return new InputError(
    `Cannot read safetensors as ${rule}: current value is ${current}`,
    { cause },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(DTYPES, value);
}
