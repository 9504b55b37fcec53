/** Random damage to files. */
import type { Random } from "../../src/random.ts";
import { bytes, little } from "./make_pth.ts";

/** Numbers that break careless readers. */
const NUMBERS = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1].concat(
  [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER],
);
const TOKENS = ["-1", "1e9", "0.5", "[", "}", '"', "null", "F64", ",0", "\\"]
  .concat(["(", "t", "R", "Q", "h\x00", "q\x00", "]", "}", "u", "s", "e", "."])
  .concat(["cos\nsystem\n", "cbuiltins\neval\n", "PK\x01\x02", "PK\x05\x06"]);

/**
 * Damages bytes in one place, or in up to three.
 *
 * @param file What to damage.
 * @param range Where the damage begins.
 * @param random Of what kind it is.
 * @param others Files to splice parts from.
 */
export function damage(
  file: Uint8Array<ArrayBuffer>,
  [begin, end]: [number, number],
  random: Random,
  others: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  let damaged = file.slice();
  const edits = Math.max(1, random.integer(6) - 2);
  for (let edit = 0; edit < edits; edit++) {
    const limit = Math.max(1, Math.min(end, damaged.length) - begin);
    const at = Math.min(begin + random.integer(limit), damaged.length);
    const length = random.integer(1 + Math.min(40, damaged.length - at));
    switch (random.integer(8)) {
      case 0: // a bit
        if (at < damaged.length) damaged[at] ^= 1 << random.integer(8);
        break;
      case 1: // a byte
        if (at < damaged.length) damaged[at] = random.integer(256);
        break;
      case 2: { // a number
        const width = ([2, 4, 8] as const)[random.integer(3)];
        const value = NUMBERS[random.integer(NUMBERS.length)];
        const number = little(value % 2 ** (8 * width), width);
        damaged.set(number.subarray(0, damaged.length - at), at);
        break;
      }
      case 3: // a digit
        if (at < damaged.length) damaged[at] = 48 + random.integer(10);
        break;
      case 4: // cut off
        damaged = damaged.slice(0, random.integer(3) > 0 ? -length : at);
        break;
      case 5: // cut out
        damaged = join(damaged.subarray(0, at), damaged.subarray(at + length));
        break;
      case 6: { // splice in, from here or elsewhere
        const from = random.integer(2) > 0
          ? damaged
          : others[random.integer(others.length)];
        const start = random.integer(from.length + 1);
        const part = from.slice(start, start + length);
        damaged = join(
          damaged.subarray(0, at),
          part,
          damaged.subarray(at + (random.integer(2) > 0 ? part.length : 0)),
        );
        break;
      }
      case 7: { // a word of one of the formats
        const token = bytes(TOKENS[random.integer(TOKENS.length)]);
        damaged = join(
          damaged.subarray(0, at),
          token,
          damaged.subarray(at + (random.integer(2) > 0 ? token.length : 0)),
        );
      }
    }
  }
  return damaged;
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
