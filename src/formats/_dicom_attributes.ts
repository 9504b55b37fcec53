/** What a DICOM data set says, tag by tag. */

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

  /** The same, where a file whose numbers are none is as good as without them. */
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

/** All items of a sequence. */
export function itemsOf(set: DataSet, tag: string): DataSet[] {
  return (set.elements[tag]?.items ?? []).flatMap(({ dataSet }) =>
    dataSet ? [dataSet] : []
  );
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
