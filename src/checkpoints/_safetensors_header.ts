/** The header of a safetensors file, which nothing believes unchecked. */

import {
  ELEMENT_BYTES,
  type ElementType,
  isShape,
  isWhole,
  MAX_RANK,
  MAX_SIDE,
  show,
} from "./_elements.ts";

/** The dtypes that are read. */
export const DTYPES = {
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
export type Dtype = keyof typeof DTYPES;

/** Bytes of one element of a dtype. */
export function bytesPerElement(dtype: Dtype): number {
  return ELEMENT_BYTES[DTYPES[dtype]];
}

/** The bytes of the header's length, at the start of the file. */
export const PREFIX_BYTES = 8;

/** The one key of the header that is no tensor. */
export const METADATA = "__metadata__";

/** A tensor as the header describes it, checked. */
export interface Entry {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** First byte and the byte after the last, from the end of the header. */
  begin: number;
  end: number;
}

/** The reference reader's own bound. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_DEPTH = 8;

/** What the header of a file says. */
export interface Header {
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
export function readDataStart(prefix: Uint8Array, fileBytes: number): number {
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
export function readHeader(json: Uint8Array, dataBytes: number): Header {
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
export function refused(
  rule: string,
  current: unknown,
  cause?: unknown,
): RangeError {
  return new RangeError(
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
