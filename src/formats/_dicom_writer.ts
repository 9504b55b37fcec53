/** DICOM files as bytes: explicit types of values, little endian (PS3.5 7.1, PS3.10 7.1). */

/** An attribute: its tag, as in 0x00100020, the type of its value, and the value. */
export type Attribute = readonly [
  tag: number,
  vr: string,
  value: string | readonly number[] | Uint8Array | readonly Attribute[][],
];

/** Types whose length takes four bytes. */
const LONG = ["OB", "OW", "SQ", "UN", "UT"];

/** Bytes of a number. */
const WIDTH: Record<string, number> = { US: 2, UL: 4, AT: 4 };

const EXPLICIT_LITTLE = "1.2.840.10008.1.2.1";

/** This writer's own identifier. */
const IMPLEMENTATION = "2.25.271301184229138230551417238406171294853";

/** A whole file: its meta information, and its data set, whose attributes may come in any order. */
export function encodeDicom(
  attributes: readonly Attribute[],
  { sopClass, sopInstance }: { sopClass: string; sopInstance: string },
): Uint8Array {
  const meta = encodeSet([
    [0x00020001, "OB", Uint8Array.of(0, 1)],
    [0x00020002, "UI", sopClass],
    [0x00020003, "UI", sopInstance],
    [0x00020010, "UI", EXPLICIT_LITTLE],
    [0x00020012, "UI", IMPLEMENTATION],
    [0x00020013, "SH", "SPA"],
  ]);
  const length = encodeSet([[0x00020000, "UL", [meta.length]]]);
  const start = new Uint8Array(132);
  start.set([0x44, 0x49, 0x43, 0x4d], 128); // DICM
  return join([start, length, meta, encodeSet(attributes)]);
}

function encodeSet(attributes: readonly Attribute[]): Uint8Array {
  const sorted = attributes.toSorted(([a], [b]) => a - b);
  return join(sorted.map(encodeAttribute));
}

function encodeAttribute([tag, vr, value]: Attribute): Uint8Array {
  const bytes = encodeValue(vr, value);
  const long = LONG.includes(vr);
  const head = new Uint8Array(long ? 12 : 8);
  const view = new DataView(head.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  head.set([vr.charCodeAt(0), vr.charCodeAt(1)], 4);
  if (long) view.setUint32(8, bytes.length, true);
  else view.setUint16(6, bytes.length, true);
  return join([head, bytes]);
}

function encodeValue(vr: string, value: Attribute[2]): Uint8Array {
  if (typeof value === "string") {
    // Letters are bytes, whatever their character set.
    const text = Uint8Array.from(value, (letter) => letter.charCodeAt(0));
    return even(text, vr === "UI" ? 0 : 0x20);
  }
  if (value instanceof Uint8Array) return even(value, 0);
  if (vr === "SQ") {
    const items = value as readonly Attribute[][];
    return join(items.map((item) => {
      const bytes = encodeSet(item);
      const head = new Uint8Array(8);
      const view = new DataView(head.buffer);
      view.setUint32(0, 0xe000fffe, true);
      view.setUint32(4, bytes.length, true);
      return join([head, bytes]);
    }));
  }
  const numbers = value as readonly number[];
  const width = WIDTH[vr];
  const bytes = new Uint8Array(numbers.length * width);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => {
    if (vr === "US") view.setUint16(2 * i, number, true);
    else if (vr === "UL") view.setUint32(4 * i, number, true);
    else { // a tag: group, then element
      view.setUint16(4 * i, number >>> 16, true);
      view.setUint16(4 * i + 2, number & 0xffff, true);
    }
  });
  return bytes;
}

function even(bytes: Uint8Array, filler: number): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const padded = new Uint8Array(bytes.length + 1).fill(filler);
  padded.set(bytes);
  return padded;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
