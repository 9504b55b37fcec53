/**
 * `node:crypto` in a browser, as far as `src/digest.ts` uses it: SHA-256 at
 * once, which Web Crypto gives as a promise only (FIPS 180-4).
 *
 * @module
 */

/** 32 bits of the fractions of roots of the first primes: SHA-256's constants. */
function fractionsOfRoots(count: number, power: number): Int32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return Int32Array.from(primes, (prime) => {
    const root = prime ** power;
    return Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
  });
}

const START = fractionsOfRoots(8, 1 / 2);
const ROUNDS = fractionsOfRoots(64, 1 / 3);
const BLOCK = 64;

/** Bits of a word turned to the right. */
function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** One block of a message into the state; `words` is room for 64. */
function mixBlock(
  state: Int32Array,
  message: DataView,
  at: number,
  words: Int32Array,
): void {
  for (let i = 0; i < 16; i++) words[i] = message.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const a = words[i - 15], b = words[i - 2];
    words[i] = words[i - 16] + words[i - 7] +
      (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) +
      (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
        ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i] | 0;
    const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
        ((a & b) ^ (a & c) ^ (b & c)) | 0;
    h = g;
    g = f;
    f = e;
    e = d + one | 0;
    d = c;
    c = b;
    b = a;
    a = one + two | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** A SHA-256 in the making. */
class Hash {
  readonly #parts: Uint8Array[] = [];

  /** Takes a text's UTF-8 or an array's bytes. */
  update(part: string | ArrayBufferView): this {
    this.#parts.push(
      typeof part === "string"
        ? new TextEncoder().encode(part)
        : new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice(),
    );
    return this;
  }

  /** The digest in hexadecimal digits. */
  digest(_as: "hex"): string {
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    // a bit, zeros and the length in bits fill up the last block
    const blocks = Math.ceil((length + 9) / BLOCK);
    const message = new Uint8Array(blocks * BLOCK);
    let at = 0;
    for (const part of this.#parts) {
      message.set(part, at);
      at += part.length;
    }
    message[length] = 0x80;
    const view = new DataView(message.buffer);
    view.setBigUint64(message.length - 8, BigInt(length) * 8n);
    const state = START.slice(), words = new Int32Array(64);
    for (let i = 0; i < blocks; i++) mixBlock(state, view, i * BLOCK, words);
    return Array.from(
      state,
      (word) => (word >>> 0).toString(16).padStart(8, "0"),
    ).join("");
  }
}

/** `createHash` of `node:crypto`, for SHA-256 alone. */
export function createHash(_algorithm: "sha256"): Hash {
  return new Hash();
}
