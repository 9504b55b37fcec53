/** The arguments of a pickle's operations, read from its bytes. */

import { decodeText, Opaque } from "./_pickle_values.ts";
import { refusePth } from "./_zip.ts";

/** Longest name of a global, in bytes. */
export const MAX_GLOBAL_NAME = 200;

/** The bytes of a pickle, read one after another; integers are little-endian. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  /** Where the next byte lies. */
  get at(): number {
    return this.#at;
  }

  /** Steps over bytes and gives the place where they begin. */
  take(length: number): number {
    const at = this.#at;
    if (!(at + length <= this.#bytes.length)) {
      throw refusePth(
        `its pickle must hold what it announces at byte ${at}, ${length} bytes`,
        `${this.#bytes.length - at} left`,
      );
    }
    this.#at += length;
    return at;
  }

  byte(): number {
    return this.#bytes[this.take(1)];
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.take(8), true));
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8));
  }

  /** A whole number, in two's complement; seeds may take more than 8 bytes. */
  long(width: number): number | Opaque {
    const at = this.take(width);
    if (width > 8) return new Opaque(`a number of ${width} bytes`);
    let value = 0n;
    for (let i = 0; i < width; i++) {
      value |= BigInt(this.#bytes[at + i]) << BigInt(8 * i);
    }
    return Number(BigInt.asIntN(8 * width, value));
  }

  /** Text of so many bytes of UTF-8. */
  text(length: number): string {
    const at = this.take(length);
    return decodeText(this.#bytes.subarray(at, at + length));
  }

  /** Text up to the end of its line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const length = (end < 0 ? this.#bytes.length : end) - this.#at;
    const text = this.text(Math.min(length, MAX_GLOBAL_NAME));
    if (this.take(1) !== end) {
      throw refusePth(
        `the name of a global must be <= ${MAX_GLOBAL_NAME} bytes`,
        length,
      );
    }
    return text;
  }
}
