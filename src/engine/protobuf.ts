/**
 * Protobuf's wire format, as far as ONNX files need it.
 *
 * @module
 */

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** Bytes from this size on are kept where they are instead of copied. */
const UNCOPIED_BYTES = 2 ** 16;

/** A message, to which fields are appended. */
export class Message {
  /** What comes before the buffer. */
  readonly #parts: Uint8Array[] = [];
  #buffer = new Uint8Array(256);
  #length = 0;

  /** Appends an integer. */
  int(field: number, value: number): this {
    this.#varint(field << 3 | VARINT);
    this.#varint(value);
    return this;
  }

  /** Appends a float. */
  float(field: number, value: number): this {
    this.#varint(field << 3 | FIXED32);
    this.#append(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  /** Appends bytes; many of them are not copied and must not change. */
  bytes(field: number, value: Uint8Array): this {
    return this.#delimited(field, [value]);
  }

  /** Appends a text. */
  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** Appends a message. */
  message(field: number, value: Message): this {
    return this.#delimited(field, value.parts());
  }

  /** The message in pieces, one after another. */
  parts(): readonly Uint8Array[] {
    return [...this.#parts, this.#buffer.subarray(0, this.#length)];
  }

  /** The message as one piece. */
  finish(): Uint8Array {
    const parts = this.parts();
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(lengthOf(parts));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #delimited(field: number, parts: readonly Uint8Array[]): this {
    this.#varint(field << 3 | BYTES);
    this.#varint(lengthOf(parts));
    for (const part of parts) this.#append(part);
    return this;
  }

  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0) { // two's complement in 64 bits
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) {
        this.#buffer[this.#length++] = Number(rest & 127n) | 128;
      }
      this.#buffer[this.#length++] = Number(rest);
      return;
    }
    for (; value > 127; value = Math.floor(value / 128)) {
      this.#buffer[this.#length++] = (value % 128) | 128;
    }
    this.#buffer[this.#length++] = value;
  }

  #append(value: Uint8Array): void {
    if (value.length >= UNCOPIED_BYTES) {
      this.#parts.push(this.#buffer.subarray(0, this.#length), value);
      this.#buffer = new Uint8Array(256);
      this.#length = 0;
      return;
    }
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
