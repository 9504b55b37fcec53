/**
 * What a DICOM data set says, tag by tag: values, whose image it is, and tables by
 * which stored values become others (PS3.3 C.11 and C.7.6.3.1.5).
 */

import type { DataSet, Element } from "dicom-parser";
import { badFile } from "./_bytes.ts";

/** Groups that files with many frames keep for all of them together, and for each. */
const GROUPS = [
  ...["x00289110", "x00289145", "x00289132"], // measures, rescaling, window
  ...["x00209116", "x00209113", "x0062000a"], // orientation, position, segment
];

/** A decimal or integer string (PS3.5 6.2). */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The attributes of a DICOM file, its frames' own among them. */
export class Attributes {
  readonly set: DataSet;
  readonly name: string;
  readonly #shared: readonly (DataSet | undefined)[];
  /** The groups of each frame; none where the file has none. */
  readonly perFrame: readonly DataSet[];

  constructor(set: DataSet, name: string) {
    this.set = set;
    this.name = name;
    this.#shared = groupsIn(itemOf(set, "x52009229"));
    this.perFrame = (set.elements.x52009230?.items ?? [])
      .map(({ dataSet }) => dataSet!);
  }

  /** The data set that holds a tag: the file's, its shared groups, or a frame's. */
  find(tag: string, frame = 0): DataSet | undefined {
    return [this.set, ...this.#shared, ...groupsIn(this.perFrame[frame])]
      .find((set) => set?.elements[tag]);
  }

  /** Text, its padding removed. */
  text(tag: string, frame = 0): string {
    return plain(this.find(tag, frame)?.string(tag) ?? "");
  }

  /**
   * Numbers that are written as text.
   *
   * @throws {TypeError} When one of them is none.
   */
  numbers(tag: string, frame = 0): number[] {
    return numbersIn(this.find(tag, frame), tag, this.name);
  }

  /** The same; text that is no number counts as absent. */
  places(tag: string, frame = 0): number[] {
    return placesIn(this.find(tag, frame), tag);
  }

  /** A number of 16 bits. */
  short(tag: string): number | undefined {
    const element = this.set.elements[tag];
    return element && element.length >= 2 ? this.set.uint16(tag) : undefined;
  }
}

/** The first item of a sequence. */
export function itemOf(
  set: DataSet | undefined,
  tag: string,
): DataSet | undefined {
  return set?.elements[tag]?.items?.[0]?.dataSet;
}

function groupsIn(set: DataSet | undefined): (DataSet | undefined)[] {
  return GROUPS.map((tag) => itemOf(set, tag));
}

function plain(text: string): string {
  return text.replaceAll("\0", "").trim();
}

/** What a tag's numbers are called in an error. */
function nameOfTag(tag: string): string {
  const known: Record<string, string> = {
    x00281052: "rescale intercept",
    x00281053: "rescale slope",
    x00281050: "window center",
    x00281051: "window width",
    x00280008: "number of frames",
    x3004000e: "dose grid scaling",
  };
  return known[tag] ?? `number (${tag.slice(1, 5)},${tag.slice(5)})`;
}

function numbersIn(
  set: DataSet | undefined,
  tag: string,
  name: string,
): number[] {
  return texts(set, tag).map((text) => {
    if (NUMBER.test(text)) return Number(text);
    throw badFile(
      `its ${nameOfTag(tag)} must be a number`,
      JSON.stringify(text),
      name,
    );
  });
}

/** Numbers of a place; none where one of them is none. */
export function placesIn(set: DataSet | undefined, tag: string): number[] {
  const list = texts(set, tag);
  return list.every((text) => NUMBER.test(text)) ? list.map(Number) : [];
}

function texts(set: DataSet | undefined, tag: string): string[] {
  return (set?.string(tag) ?? "").split("\\").map(plain)
    .filter((text) => text !== "");
}

/** The bytes of an element. */
export function bytesOf(
  { byteArray }: DataSet,
  { dataOffset, length }: Element,
): Uint8Array {
  return byteArray.subarray(dataOffset, dataOffset + length);
}

/** Numbers of 16 bits, in the file's order of bytes; signed where the element says so, or else the file. */
export function shortsOf(
  set: DataSet,
  tag: string,
  signed: boolean,
): number[] {
  const element = set.elements[tag];
  if (!element) return [];
  const { vr } = element;
  const negative = vr === "SS" || (vr !== "US" && vr !== "OW" && signed);
  return Array.from(
    { length: Math.floor(bytesOf(set, element).length / 2) },
    (_, i) => negative ? set.int16(tag, i)! : set.uint16(tag, i)!,
  );
}

/** The patient, the study and the files of an image. A segmentation of it repeats them. */
export interface DicomSource {
  /** Patient, study, frame of reference: the file's text by its tag, bytes as letters. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The file of each slice. */
  readonly instances: readonly DicomInstance[];
}

/** A file, and the number of its frame, from 1, where it has several. */
export interface DicomInstance {
  /** What kind of object it is: its SOP Class UID. */
  readonly sopClass: string;
  /** Which one it is: its SOP Instance UID. */
  readonly sopInstance: string;
  /** From 1, of a file with several frames. */
  readonly frame?: number;
}

/** What a single file says of itself. */
export type DicomOrigin =
  & Pick<DicomSource, "attributes">
  & Pick<DicomInstance, "sopClass" | "sopInstance">;

/** Attributes that a derived object has in common with its source. */
const KEPT = [
  ...["x00080005", "x00080020", "x00080030", "x00080050", "x00080090"],
  ...["x00100010", "x00100020", "x00100030", "x00100040"],
  ...["x0020000d", "x0020000e", "x00200010", "x00200052", "x00201040"],
];

/** What a file says of itself. */
export function originOf(file: Attributes): DicomOrigin {
  const attributes: Record<string, string> = {};
  for (const tag of KEPT) {
    if (file.set.elements[tag]) attributes[tag] = file.text(tag);
  }
  return {
    attributes,
    sopClass: file.text("x00080016"),
    sopInstance: file.text("x00080018"),
  };
}

/** The source of a volume that one file holds, its frames in an order. */
export function sourceOf(
  { attributes, sopClass, sopInstance }: DicomOrigin,
  frames: number,
  order?: readonly number[],
): DicomSource {
  const names = { sopClass, sopInstance };
  const instances = frames === 1
    ? [names]
    : Array.from({ length: frames }, (_, place) => ({
      ...names,
      frame: (order?.[place] ?? place) + 1,
    }));
  return { attributes, instances };
}

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
