/** Tables in DICOM files by which stored values become others (PS3.3 C.11 and C.7.6.3.1.5). */

import type { DataSet } from "dicom-parser";
import { badFile } from "./_bytes.ts";
import { bytesOf, itemOf, shortsOf } from "./_dicom_attributes.ts";

/** A table: the value `first` and those below become the first entry, and so on. */
export interface Lut {
  /** The value of the first entry. */
  readonly first: number;
  /** What values become, one after the other. */
  readonly entries: Float32Array;
  /** Bits of an entry. */
  readonly bits: number;
}

/** Where a table stands in its data set. */
interface LutTags {
  descriptor: string;
  data: string;
  /** The table in segments. */
  segmented?: string;
}

/** What a value becomes. */
export function lookUp({ first, entries }: Lut, value: number): number {
  const index = Math.round(value - first);
  return entries[Math.min(Math.max(index, 0), entries.length - 1)];
}

/** The table in a sequence's first item: a modality LUT or a VOI LUT. */
export function sequenceLut(
  set: DataSet | undefined,
  tag: string,
  signed: boolean,
  name: string,
): Lut | undefined {
  const item = itemOf(set, tag);
  if (!item) return undefined;
  const tags = { descriptor: "x00283002", data: "x00283006" };
  return readLut(item, tags, signed, name);
}

/** The tables of red, green and blue that a palette's indices look up. */
export function paletteOf(
  set: DataSet,
  signed: boolean,
  name: string,
): readonly [Lut, Lut, Lut] {
  const [red, green, blue] = [1, 2, 3].map((i) =>
    readLut(
      set,
      {
        descriptor: `x0028110${i}`,
        data: `x0028120${i}`,
        segmented: `x0028122${i}`,
      },
      signed,
      name,
    )
  );
  return [red, green, blue];
}

function readLut(
  set: DataSet,
  tags: LutTags,
  signed: boolean,
  name: string,
): Lut {
  const refuse = (value: unknown) =>
    badFile("a table of values must be complete", value, name);
  const descriptor = set.elements[tags.descriptor];
  const [count, , bits] = descriptor
    ? [0, 1, 2].map((i) => set.uint16(tags.descriptor, i) ?? NaN)
    : [];
  const first = shortsOf(set, tags.descriptor, signed)[1];
  if (!(count >= 0) || !(bits >= 1 && bits <= 16) || first === undefined) {
    throw refuse(descriptor ? "a descriptor of less" : "no descriptor");
  }
  const length = count === 0 ? 2 ** 16 : count;
  const segments = tags.segmented && set.elements[tags.segmented];
  const entries = segments
    ? unfold(shortsOf(set, tags.segmented!, false), length)
    : plainEntries(set, tags.data, { length, bits });
  if (!entries || entries.length < length) {
    throw refuse(`${entries?.length ?? 0} of ${length} entries`);
  }
  return { first, entries: Float32Array.from(entries.slice(0, length)), bits };
}

/** Entries of 8 or of 16 bits, whichever fill the element. */
function plainEntries(
  set: DataSet,
  tag: string,
  { length, bits }: { length: number; bits: number },
): ArrayLike<number> & { slice(from: number, to: number): ArrayLike<number> } {
  const element = set.elements[tag];
  if (!element) return [];
  const bytes = bytesOf(set, element);
  return bits <= 8 && bytes.length < 2 * length
    ? bytes
    : shortsOf(set, tag, false);
}

/** A table in segments: runs of entries, and lines from the last entry to the next (PS3.3 C.7.9.2). */
function unfold(
  codes: readonly number[],
  length: number,
): number[] | undefined {
  const entries: number[] = [];
  let at = 0;
  while (at + 2 <= codes.length && entries.length < length) {
    const [kind, count] = [codes[at], codes[at + 1]];
    if (kind === 0) {
      entries.push(...codes.slice(at + 2, at + 2 + count));
      at += 2 + count;
    } else if (kind === 1 && entries.length > 0 && at + 2 < codes.length) {
      const from = entries[entries.length - 1], to = codes[at + 2];
      for (let k = 1; k <= count; k++) {
        entries.push(Math.round(from + (to - from) * k / count));
      }
      at += 3;
    } else return undefined; // segments of segments
  }
  return entries;
}
