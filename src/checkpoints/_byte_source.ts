/** Bytes that are read by range: a file that stays on disk, or memory. */

import { basename } from "node:path";
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
