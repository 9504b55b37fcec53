/** PyTorch checkpoints made byte by byte, true or lying. */
import { crc32 } from "node:zlib";

const utf8 = new TextEncoder();

/** Joins bytes, text and numbers of one byte. */
export function bytes(
  ...parts: (Uint8Array | string | number)[]
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number"
        ? [part]
        : typeof part === "string"
        ? [...part].map((letter) => letter.charCodeAt(0))
        : [...part]
    ),
  );
}

/** A little-endian number. */
export function little(value: number, width: 2 | 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(width));
  if (width === 2) view.setUint16(0, value, true);
  else if (width === 4) view.setUint32(0, value, true);
  else view.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(view.buffer);
}

/** What a zip entry says of itself; by default the truth. */
export interface Lies {
  method?: number;
  flags?: number;
  size?: number;
  packed?: number;
  header?: number;
  checksum?: number;
  localName?: string;
}

/** A zip archive of stored entries. */
export function zipOf(
  entries: readonly (readonly [string, Uint8Array, Lies?])[],
  { zip64 = false, count = entries.length, comment = "" } = {},
): Uint8Array<ArrayBuffer> {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, data, lies = {}] of entries) {
    const { method = 0, flags = 0, size = data.length } = lies;
    const { packed = size, checksum = crc32(data), header = at } = lies;
    const sums = bytes(
      little(checksum, 4),
      little(zip64 ? 0xffffffff : packed, 4),
      little(zip64 ? 0xffffffff : size, 4),
    );
    const own = utf8.encode(name);
    const local = bytes(
      "PK\x03\x04",
      little(20, 2),
      little(flags, 2),
      little(method, 2),
      little(0, 4),
      sums,
      little(own.length, 2),
      little(0, 2),
      utf8.encode(lies.localName ?? name),
      data,
    );
    const extra = zip64
      ? bytes(
        little(1, 2),
        little(24, 2),
        little(size, 8),
        little(packed, 8),
        little(header, 8),
      )
      : bytes();
    directory.push(bytes(
      "PK\x01\x02",
      little(20, 2),
      little(20, 2),
      little(flags, 2),
      little(method, 2),
      little(0, 4),
      sums,
      little(own.length, 2),
      little(extra.length, 2),
      new Uint8Array(10),
      little(zip64 ? 0xffffffff : header, 4),
      own,
      extra,
    ));
    files.push(local);
    at += local.length;
  }
  const list = bytes(...directory);
  const end64 = zip64
    ? bytes(
      "PK\x06\x06",
      little(44, 8),
      new Uint8Array(12),
      little(count, 8),
      little(count, 8),
      little(list.length, 8),
      little(at, 8),
      "PK\x06\x07",
      little(0, 4),
      little(at + list.length, 8),
      little(1, 4),
    )
    : bytes();
  const end = bytes(
    "PK\x05\x06",
    little(0, 4),
    little(zip64 ? 0xffff : count, 2),
    little(zip64 ? 0xffff : count, 2),
    little(zip64 ? 0xffffffff : list.length, 4),
    little(zip64 ? 0xffffffff : at, 4),
    little(comment.length, 2),
    comment,
  );
  return bytes(...files, list, end64, end);
}

/** Parts of pickles. */
export const pickle = {
  /** A whole number. */
  int: (value: number) => bytes("J", little(value, 4)),
  /** A string. */
  text: (value: string) => {
    const encoded = utf8.encode(value);
    return bytes("X", little(encoded.length, 4), encoded);
  },
  /** A tuple. */
  tuple: (...items: Uint8Array[]) => bytes("(", ...items, "t"),
  /** A name of a module. */
  global: (module: string, name: string) => bytes(`c${module}\n${name}\n`),
  /** A float32 tensor of storage "0", whose storage is said to be `length` long. */
  tensor: (
    shape: number[],
    strides: number[],
    { offset = 0, length = 4, type = "Float", key = "0" } = {},
  ): Uint8Array =>
    bytes(
      pickle.global("torch._utils", "_rebuild_tensor_v2"),
      pickle.tuple(
        bytes(
          pickle.tuple(
            pickle.text("storage"),
            pickle.global("torch", `${type}Storage`),
            pickle.text(key),
            pickle.text("cpu"),
            pickle.int(length),
          ),
          "Q",
        ),
        pickle.int(offset),
        pickle.tuple(...shape.map(pickle.int)),
        pickle.tuple(...strides.map(pickle.int)),
        bytes("\x89"),
        pickle.global("collections", "OrderedDict"),
        bytes(")R"),
      ),
      "R",
    ),
  /** A dict of string keys. */
  dict: (items: Record<string, Uint8Array>) =>
    bytes(
      "}(",
      ...Object.entries(items).flatMap(([key, item]) => [
        pickle.text(key),
        item,
      ]),
      "u",
    ),
};

/** Storage "0": four float32, 1 to 4. */
export const STORAGE = new Uint8Array(
  new Float32Array([1, 2, 3, 4]).buffer,
);

/** A checkpoint of a pickle's body and storage "0". */
export function pthOf(body: Uint8Array, storage = STORAGE): Uint8Array {
  return zipOf([
    ["a/data.pkl", bytes("\x80\x02", body, ".")],
    ["a/data/0", storage],
    ["a/version", bytes("3\n")],
  ]);
}
