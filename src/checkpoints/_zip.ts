/**
 * The directory of a zip archive as PyTorch writes it: entries stored one after
 * another, never compressed, so that each is a byte range of the file.
 *
 * Format: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3 (ZIP64).
 */

import { crc32 } from "node:zlib";
import type { ByteSource } from "./_byte_source.ts";
import { show } from "./_elements.ts";
import { InputError } from "../input_error.ts";

/** An entry of the archive, with its data's place in the file. */
export interface ZipEntry {
  readonly name: string;
  /** First byte of its data. */
  readonly begin: number;
  /** Bytes of its data, as they lie in the file. */
  readonly size: number;
  /** How they are compressed; 0 means stored. */
  readonly method: number;
  /** CRC-32 of its data. */
  readonly checksum: number;
}

const END_BYTES = 22;
const END = 0x06054b50;
const LOCATOR_BYTES = 20;
const LOCATOR = 0x07064b50;
const END64_BYTES = 56;
const END64 = 0x06064b50;
const ENTRY_BYTES = 46;
const ENTRY = 0x02014b50;
const LOCAL_BYTES = 30;
const LOCAL = 0x04034b50;
const MAX_COMMENT = 0xffff;
const MAX_DIRECTORY_BYTES = 2 ** 22;
const IN_ZIP64 = 0xffffffff;
const CHUNK = 2 ** 22;

/** An error about a PyTorch file, in the house form. */
export function refusePth(rule: string, current: unknown): RangeError {
  return new InputError(
    `Cannot read PyTorch checkpoint as ${rule}: current value is ${current}`,
  );
}

/**
 * Reads the directory.
 *
 * @param source The archive.
 * @returns Its entries by name; none overlaps another or leaves the file.
 * @throws {RangeError} When it is truncated, lies about a place or size, or
 * has an entry that is encrypted or named twice.
 */
export function readZip(source: ByteSource): Map<string, ZipEntry> {
  const { count, begin, size } = findDirectory(source);
  if (size > MAX_DIRECTORY_BYTES || !(count * ENTRY_BYTES <= size)) {
    throw refusePth(
      `its zip directory of ${size} bytes must be <= ${MAX_DIRECTORY_BYTES} and hold its entries`,
      `${count} entries`,
    );
  }
  const bytes = source.read(begin, size);
  const view = new DataView(bytes.buffer);
  const found: (ZipEntry & { header: number })[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > size || view.getUint32(at, true) !== ENTRY) {
      throw refusePth(`its zip directory must list ${count} entries`, i);
    }
    const end = at + ENTRY_BYTES + view.getUint16(at + 28, true) +
      view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (end > size) {
      throw refusePth("a zip entry must end in the directory", end);
    }
    found.push(readEntry(source, bytes.subarray(at, end)));
    at = end;
  }
  return checkEntries(found, begin);
}

/** Finds the directory by the record at the end of the file. */
function findDirectory(source: ByteSource) {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT);
  const tailBegin = source.size - tailBytes;
  const tail = new DataView(source.read(tailBegin, tailBytes).buffer);
  let at = tailBytes - END_BYTES;
  const ends = (at: number) =>
    tail.getUint32(at, true) === END &&
    at + END_BYTES + tail.getUint16(at + 20, true) === tailBytes;
  while (at >= 0 && !ends(at)) at--;
  if (at < 0) {
    throw refusePth(
      "its zip archive must end with a directory (is it truncated?)",
      `${source.size} bytes without one`,
    );
  }
  let end = tailBegin + at;
  let count = tail.getUint16(at + 10, true);
  let size = tail.getUint32(at + 12, true);
  let begin = tail.getUint32(at + 16, true);
  if (count === 0xffff || size === IN_ZIP64 || begin === IN_ZIP64) {
    end = findZip64End(source, end);
    const view = new DataView(source.read(end, END64_BYTES).buffer);
    if (view.getUint32(0, true) !== END64) {
      throw refusePth("its ZIP64 record must lie where its locator says", end);
    }
    count = whole(view, 32);
    size = whole(view, 40);
    begin = whole(view, 48);
  }
  if (!(begin + size <= end)) {
    throw refusePth(`its zip directory must end by byte ${end}`, begin + size);
  }
  return { count, size, begin };
}

function findZip64End(source: ByteSource, end: number): number {
  const at = end - LOCATOR_BYTES;
  if (at < 0) throw refusePth("its ZIP64 locator must lie in the file", at);
  const view = new DataView(source.read(at, LOCATOR_BYTES).buffer);
  const target = view.getUint32(0, true) === LOCATOR ? whole(view, 8) : NaN;
  if (target + END64_BYTES <= at) return target;
  throw refusePth("its ZIP64 locator must point at a record", target);
}

/** A directory entry, with the place of its data from the header before it. */
function readEntry(source: ByteSource, bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameEnd = ENTRY_BYTES + view.getUint16(28, true);
  const rawName = bytes.subarray(ENTRY_BYTES, nameEnd);
  const name = new TextDecoder().decode(rawName);
  const method = view.getUint16(10, true);
  if (view.getUint16(8, true) & 1) {
    throw refusePth("its zip entries must not be encrypted", show(name));
  }
  const extra = bytes.subarray(nameEnd, nameEnd + view.getUint16(30, true));
  const [size, packed, header] = fromZip64(extra, [
    view.getUint32(24, true),
    view.getUint32(20, true),
    view.getUint32(42, true),
  ]);
  if (method === 0 && size !== packed) {
    throw refusePth(
      `its zip entry ${show(name)} must be ${size} bytes`,
      packed,
    );
  }
  if (header + LOCAL_BYTES > source.size) {
    throw refusePth(`its zip entry ${show(name)} must lie in the file`, header);
  }
  const local = new DataView(source.read(header, LOCAL_BYTES).buffer);
  const nameBytes = local.getUint16(26, true);
  const begin = header + LOCAL_BYTES + nameBytes + local.getUint16(28, true);
  const same = local.getUint32(0, true) === LOCAL &&
    nameBytes === rawName.length && begin + packed <= source.size &&
    source.read(header + LOCAL_BYTES, nameBytes)
      .every((byte, i) => byte === rawName[i]);
  if (!same) {
    throw refusePth(
      `its zip entry ${show(name)} must lie where the directory says`,
      `byte ${header}`,
    );
  }
  const checksum = view.getUint32(16, true);
  return { name, begin, size: packed, method, checksum, header };
}

/**
 * Refuses an archive whose data would have to be inflated first.
 *
 * @throws {RangeError} When an entry is compressed.
 */
export function checkStored(entries: ReadonlyMap<string, ZipEntry>): void {
  for (const { name, method } of entries.values()) {
    if (method === 0) continue;
    throw refusePth(
      `its zip entry ${
        show(name)
      } must be stored, as torch.save does, not compressed`,
      `method ${method}`,
    );
  }
}

/** Replaces the fields that are too large for 32 bits by those of ZIP64. */
function fromZip64(
  extra: Uint8Array<ArrayBuffer>,
  fields: number[],
): number[] {
  if (!fields.includes(IN_ZIP64)) return fields;
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) !== 1) {
      at = end;
      continue;
    }
    at += 4;
    return fields.map((field) => {
      if (field !== IN_ZIP64) return field;
      if (at + 8 > Math.min(end, extra.length)) return NaN;
      at += 8;
      return whole(view, at - 8);
    }).map((field) => {
      if (Number.isSafeInteger(field)) return field;
      throw refusePth("a ZIP64 size must be whole", field);
    });
  }
  throw refusePth("an entry of 4 GB must have its ZIP64 sizes", "none");
}

/**
 * Refuses two entries of one name, and entries within one another or in the
 * directory.
 */
function checkEntries(
  entries: (ZipEntry & { header: number })[],
  directory: number,
): Map<string, ZipEntry> {
  const sorted = entries.toSorted((a, b) => a.header - b.header);
  sorted.forEach(({ name, begin, size }, i) => {
    const next = sorted[i + 1]?.header ?? directory;
    if (begin + size <= next) return;
    throw refusePth(
      `its zip entry ${
        show(name)
      } must end before the next begins, at byte ${next}`,
      begin + size,
    );
  });
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  if (byName.size === entries.length) return byName;
  throw refusePth(
    "every zip entry must have a name of its own",
    `${entries.length} entries with ${byName.size} names`,
  );
}

/** A 64-bit whole number; NaN where a double cannot hold it. */
function whole(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : NaN;
}

/**
 * Compares an entry's data with its checksum, a few megabytes at a time.
 *
 * @throws {RangeError} When they differ.
 */
export function verifyEntry(source: ByteSource, entry: ZipEntry): void {
  let sum = 0;
  for (let at = 0; at < entry.size; at += CHUNK) {
    const length = Math.min(CHUNK, entry.size - at);
    sum = crc32(source.read(entry.begin + at, length), sum);
  }
  if (sum === entry.checksum) return;
  throw refusePth(
    `the bytes of ${
      show(entry.name)
    } must have CRC-32 ${entry.checksum} (the file is damaged, or was saved with torch.serialization.set_crc32_options(False))`,
    sum,
  );
}
