/** Bytes that are read by range: a file that stays on disk, or memory. */

import { basename } from "node:path";
import { gunzipWithin, isGzip } from "../gunzip.ts";
import { InputError } from "../input_error.ts";

/** Where a checkpoint's bytes come from. */
export interface ByteSource {
  /** Its name in errors. */
  readonly name: string;
  /** Its bytes. */
  readonly size: number;
  /** Reads exactly `length` bytes from `begin` on, into memory of their own. */
  read(begin: number, length: number): Uint8Array<ArrayBuffer>;
  /** Closes the file. */
  close(): void;
}

/**
 * Opens a file for reading by range. A read is one call that does not wait, so
 * that two of them cannot disturb each other's place in the file.
 *
 * @throws {Deno.errors.NotFound} When there is no such file.
 */
export function openFile(path: string): ByteSource {
  const file = Deno.openSync(path);
  const name = basename(path);
  const { size } = file.statSync();
  return {
    name,
    size,
    read(begin, length) {
      checkRange(this, begin, length);
      const bytes = new Uint8Array(length);
      file.seekSync(begin, Deno.SeekMode.Start);
      for (let at = 0; at < length;) {
        const count = file.readSync(bytes.subarray(at));
        if (count === null) throw outside(this, begin + length, begin + at);
        at += count;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

/** Bytes in memory, as a source. */
export function bytesSource(bytes: Uint8Array, name = "memory"): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read(begin, length) {
      checkRange(this, begin, length);
      const copy = new Uint8Array(length);
      copy.set(bytes.subarray(begin, begin + length));
      return copy;
    },
    close: () => {},
  };
}

/** A gzip file holds at most so many times its own bytes: weights hardly shrink. */
const MOST_TIMES = 8;

/**
 * What a gzip file holds, as a source in memory that closes the file's; any other
 * file as it is.
 *
 * @throws {RangeError} When the stream is damaged, or holds more than eight times
 * the file's bytes.
 */
export function unpacked(source: ByteSource): ByteSource {
  const { name, size } = source;
  if (!isGzip(source.read(0, Math.min(2, size)))) return source;
  const limit = MOST_TIMES * size;
  const bytes = gunzipWithin(
    source.read(0, size),
    limit,
    (longer, cause) =>
      new InputError(
        longer
          ? `Cannot read checkpoint ${name} as its gzip stream must hold at most ${limit} bytes, ${MOST_TIMES} times its own: current value is more`
          : `Cannot read checkpoint ${name} as its gzip stream must be whole and undamaged: current value is ${cause}`,
      ),
  );
  return { ...bytesSource(bytes, name), close: () => source.close() };
}

function checkRange(source: ByteSource, begin: number, length: number): void {
  if (begin < 0 || length < 0 || !(begin + length <= source.size)) {
    throw outside(source, begin + length, source.size);
  }
}

function outside({ name }: ByteSource, end: number, size: number): RangeError {
  return new InputError(
    `Cannot read checkpoint ${name} as it must be >= ${end} bytes: current value is ${size}`,
  );
}
