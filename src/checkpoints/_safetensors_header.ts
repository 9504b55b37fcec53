/** The header of a safetensors file, which nothing believes unchecked. */

/** The dtypes that are read, with their bytes per element. */
export const BYTES_PER_ELEMENT = {
  F32: 4,
  F16: 2,
  BF16: 2,
  I32: 4,
  U8: 1,
  BOOL: 1,
} as const;

/** A dtype that is read. */
export type Dtype = keyof typeof BYTES_PER_ELEMENT;

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
const MAX_RANK = 8;
const MAX_SIDE = 2 ** 31 - 1;

/**
 * Reads and checks the header of a safetensors file.
 *
 * @param bytes The whole file.
 * @returns The tensors in the order of their bytes, which cover the data
 * exactly; the metadata; and the byte at which the data starts.
 */
export function readHeader(
  bytes: Uint8Array,
): {
  entries: Entry[];
  metadata: Record<string, string>;
  dataStart: number;
} {
  if (bytes.byteLength < PREFIX_BYTES + 2) {
    throw refused("the file must be >= 10 bytes", bytes.byteLength);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw refused(`its header must be <= ${MAX_HEADER_BYTES} bytes`, length);
  }
  const dataStart = PREFIX_BYTES + Number(length);
  if (dataStart > bytes.byteLength) {
    const rest = bytes.byteLength - PREFIX_BYTES;
    throw refused(
      `its header must be <= the ${rest} bytes that follow`,
      length,
    );
  }
  let text: string;
  let header: unknown;
  try {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    text = utf8.decode(bytes.subarray(PREFIX_BYTES, dataStart));
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
  checkCoverage(entries, bytes.byteLength - dataStart);
  return { entries, metadata: readMetadata(header[METADATA]), dataStart };
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
    const known = Object.keys(BYTES_PER_ELEMENT).join(", ");
    throw refused(
      `the dtype of ${show(name)} must be one of ${known}`,
      show(dtype),
    );
  }
  if (
    !Array.isArray(shape) || shape.length > MAX_RANK ||
    !shape.every((side) => isWhole(side, MAX_SIDE))
  ) {
    const rule = `<= ${MAX_RANK} whole numbers in 0..${MAX_SIDE}`;
    throw refused(`the shape of ${show(name)} must be ${rule}`, show(shape));
  }
  if (
    !Array.isArray(data_offsets) || data_offsets.length !== 2 ||
    !data_offsets.every((at) => isWhole(at, Number.MAX_SAFE_INTEGER)) ||
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
  const expected = size * BYTES_PER_ELEMENT[dtype];
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
  return typeof value === "string" && Object.hasOwn(BYTES_PER_ELEMENT, value);
}

function isWhole(value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 &&
    (value as number) <= max;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}
