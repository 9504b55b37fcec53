/**
 * Segmentations as DICOM files (PS3.3 A.51): explicit types of values, little
 * endian (PS3.5 7.1, PS3.10 7.1).
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import type { DicomInstance } from "./_dicom_attributes.ts";
import type { Affine } from "./_volume_header.ts";
import type { Volume } from "./volume.ts";
import { InputError } from "../input_error.ts";

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

/** A whole file: its meta information and its data set. The attributes may come in any order. */
function encodeDicom(
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

/** Segmentation Storage (PS3.4 annex B). */
const SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4";

/** A name of a coding scheme: value, scheme and meaning. */
type Code = readonly [value: string, scheme: string, meaning: string];

const TISSUE: Code = ["85756007", "SCT", "Tissue"];
const SEGMENTED: Code = ["113076", "DCM", "Segmentation"];
const SOURCE: Code = [
  ...["121322", "DCM"] as const,
  "Source image for image processing operation",
];

/** The date and time of now, as DICOM writes them. */
function now(): string[] {
  return new Date().toISOString().replace(/[-:]|\..*$/g, "").split("T");
}

/**
 * A DICOM segmentation (PS3.3 A.51) of a volume that DICOM files hold: of each
 * label one segment of bits, each marked slice of it one frame, with the source
 * instance of that slice. Its own identifiers come from its content, so that the
 * same mask of the same images is the same instance.
 *
 * @param mask [D, H, W]: 0 is outside, any other value the number of a segment.
 * @param volume What it is of, with `dicom`.
 * @param names The segments' names, from label 1 on.
 * @throws {RangeError} When nothing is marked, or the volume's place is unknown.
 */
export async function encodeSegmentation(
  mask: NdArray<Uint8Array>,
  volume: Volume,
  names: readonly string[],
): Promise<Uint8Array> {
  const refuse = (must: string, value: unknown) =>
    new InputError(
      `Cannot write mask as ${must}: current value is ${value}`,
    );
  const { affine, spacing, dicom } = volume;
  if (!affine || !spacing) {
    throw refuse(
      "a DICOM segmentation must be of a volume whose place in space is known",
      "one without a place",
    );
  }
  const { attributes, instances } = dicom!;
  const [depth, rows, columns] = mask.shape;
  const { data } = contiguous(mask);
  const area = rows * columns;
  const frames = markedFrames(data, depth, area);
  if (frames.length === 0) {
    throw refuse(
      "a DICOM segmentation must mark something, as an empty one has no frames",
      "an empty mask",
    );
  }
  const series = attributes.x0020000e ?? "";
  const uidOf = await identifiers([series, names.join("\\"), data]);
  const sopInstance = uidOf("instance");
  const kept = Object.entries(attributes)
    .filter(([tag, text]) =>
      tag !== "x0020000e" && !(tag === "x0020000d" && text === "")
    )
    .map(([tag, text]): Attribute => [
      Number(`0x${tag.slice(1)}`),
      KEPT_TYPES[tag],
      text,
    ]);
  const frameOfReference = attributes.x00200052 || uidOf("frame of reference");
  const [date, time] = now();
  const labels = [...new Set(frames.map(({ label }) => label))]
    .sort((a, b) => a - b);
  const marked = [...new Set(frames.map(({ slice }) => slice))];
  const whole: Attribute[] = [
    ...kept.filter(([tag]) => tag !== 0x00200052),
    [0x00080008, "CS", "DERIVED\\PRIMARY"],
    [0x00080016, "UI", SEGMENTATION],
    [0x00080018, "UI", sopInstance],
    [0x00080021, "DA", date],
    [0x00080023, "DA", date],
    [0x00080031, "TM", time],
    [0x00080033, "TM", time],
    [0x00080060, "CS", "SEG"],
    [0x00080070, "LO", "SPA"],
    [0x0008103e, "LO", "Segmentation"],
    [0x00081090, "LO", "SPA"],
    [0x00081115, "SQ", [[
      [
        0x0008114a,
        "SQ",
        unique(marked.map((slice) => instances[slice]))
          .map(reference),
      ],
      [0x0020000e, "UI", series],
    ]]],
    [0x00181000, "LO", "1"],
    [0x00181020, "LO", "1"],
    [0x0020000e, "UI", uidOf("series")],
    ...(attributes.x0020000d
      ? []
      : [[0x0020000d, "UI", uidOf("study")] as Attribute]),
    [0x00200011, "IS", "300"],
    [0x00200013, "IS", "1"],
    [0x00200052, "UI", frameOfReference],
    ...(attributes.x00201040 === undefined
      ? [[0x00201040, "LO", ""] as Attribute]
      : []),
    ...dimensions(uidOf("dimensions")),
    [0x00280002, "US", [1]],
    [0x00280004, "CS", "MONOCHROME2"],
    [0x00280008, "IS", `${frames.length}`],
    [0x00280010, "US", [rows]],
    [0x00280011, "US", [columns]],
    [0x00280100, "US", [1]],
    [0x00280101, "US", [1]],
    [0x00280102, "US", [0]],
    [0x00280103, "US", [0]],
    [0x00282110, "CS", "00"],
    [0x00620001, "CS", "BINARY"],
    [0x00620002, "SQ", labels.map((label) => segment(label, names[label - 1]))],
    [0x00620013, "CS", "NO"],
    [0x00700080, "CS", "SEGMENTATION"],
    [0x00700081, "LO", ""],
    [0x00700084, "PN", ""],
    [0x52009229, "SQ", [sharedGroups(affine, spacing)]],
    [
      0x52009230,
      "SQ",
      frames.map(({ label, slice }) =>
        frameGroups({
          ...{ label, instance: instances[slice] },
          segmentIndex: labels.indexOf(label) + 1,
          sliceIndex: slice + 1,
          position: positionOf(affine, slice),
        })
      ),
    ],
    [0x7fe00010, "OB", packBits(data, frames, area)],
  ];
  return encodeDicom(whole, { sopClass: SEGMENTATION, sopInstance });
}

/** The types of the attributes that are kept of the source. */
const KEPT_TYPES: Record<string, string> = {
  ...{ x00080005: "CS", x00080020: "DA", x00080030: "TM", x00080050: "SH" },
  ...{ x00080090: "PN", x00100010: "PN", x00100020: "LO", x00100030: "DA" },
  ...{ x00100040: "CS", x0020000d: "UI", x00200010: "SH", x00200052: "UI" },
  x00201040: "LO",
};

interface MarkedFrame {
  label: number;
  slice: number;
}

/** Which label is in which slice, label by label. */
function markedFrames(
  data: Uint8Array,
  depth: number,
  area: number,
): MarkedFrame[] {
  const frames: MarkedFrame[] = [];
  for (let slice = 0; slice < depth; slice++) {
    const seen = new Set(data.subarray(slice * area, (slice + 1) * area));
    seen.delete(0);
    for (const label of seen) frames.push({ label, slice });
  }
  return frames.sort((a, b) => a.label - b.label || a.slice - b.slice);
}

/** The frames' bits one after the other, the first in the lowest bit (PS3.5 8.1.1). */
function packBits(
  data: Uint8Array,
  frames: readonly MarkedFrame[],
  area: number,
): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(frames.length * area / 8));
  frames.forEach(({ label, slice }, frame) => {
    for (let i = 0; i < area; i++) {
      const bit = frame * area + i;
      if (data[slice * area + i] === label) bytes[bit >> 3] |= 1 << (bit & 7);
    }
  });
  return bytes;
}

/** Identifiers that come from a content: 2.25 and 128 bits of its digest (PS3.5 B.2). */
async function identifiers(
  [series, names, data]: readonly [string, string, Uint8Array],
): Promise<(kind: string) => string> {
  const whole = new Uint8Array(
    await crypto.subtle.digest("SHA-256", data as Uint8Array<ArrayBuffer>),
  ).toHex();
  const kinds = ["instance", "series", "study", "dimensions"].concat(
    "frame of reference",
  );
  const uids = new Map<string, string>();
  for (const kind of kinds) {
    const text = new TextEncoder().encode(
      [kind, series, names, whole].join("\n"),
    );
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
    uids.set(kind, `2.25.${BigInt(`0x${digest.slice(0, 16).toHex()}`)}`);
  }
  return (kind) => uids.get(kind)!;
}

function unique(instances: readonly DicomInstance[]): DicomInstance[] {
  return [
    ...new Map(instances.map((one) => [one.sopInstance, one])).values(),
  ];
}

function reference({ sopClass, sopInstance }: DicomInstance): Attribute[] {
  return [
    [0x00081150, "UI", sopClass],
    [0x00081155, "UI", sopInstance],
  ];
}

function code(tag: number, [value, scheme, meaning]: Code): Attribute {
  return [tag, "SQ", [[
    [0x00080100, "SH", value],
    [0x00080102, "SH", scheme],
    [0x00080104, "LO", meaning],
  ]]];
}

/** Frames are counted by their segment, then by their slice. */
function dimensions(uid: string): Attribute[] {
  const dimension = (pointer: number, group: number): Attribute[] => [
    [0x00209164, "UI", uid],
    [0x00209165, "AT", [pointer]],
    [0x00209167, "AT", [group]],
  ];
  return [
    [0x00209221, "SQ", [[[0x00209164, "UI", uid]]]],
    [0x00209222, "SQ", [
      dimension(0x0062000b, 0x0062000a),
      dimension(0x00200032, 0x00209113),
    ]],
  ];
}

function segment(label: number, name = `Segment ${label}`): Attribute[] {
  return [
    code(0x00620003, TISSUE),
    [0x00620004, "US", [label]],
    [0x00620005, "LO", name],
    [0x00620008, "CS", "SEMIAUTOMATIC"],
    [0x00620009, "LO", "SPA"],
    code(0x0062000f, TISSUE),
  ];
}

/** A decimal string has 16 letters at most (PS3.5 6.2). */
function decimal(value: number): string {
  for (let digits = 14; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  return "0";
}

const decimals = (values: readonly number[]) => values.map(decimal).join("\\");

/** What all frames have in common: how they lie, and their pixels' size. */
function sharedGroups(
  affine: Affine,
  [slice, row, column]: readonly number[],
): Attribute[] {
  const direction = (k: number) => {
    const parts = [-affine[k], -affine[4 + k], affine[8 + k]];
    const length = Math.hypot(...parts);
    return parts.map((part) => part / length || 0);
  };
  return [
    [0x00209116, "SQ", [[
      [0x00200037, "DS", decimals([...direction(0), ...direction(1)])],
    ]]],
    [0x00289110, "SQ", [[
      [0x00180050, "DS", decimal(slice)],
      [0x00180088, "DS", decimal(slice)],
      [0x00280030, "DS", decimals([row, column])],
    ]]],
  ];
}

/** Where a slice's first pixel lies, in DICOM's axes: left, posterior, superior. */
function positionOf(affine: Affine, slice: number): number[] {
  return [0, 1, 2].map((axis) => {
    const at = affine[4 * axis + 2] * slice + affine[4 * axis + 3];
    return (axis < 2 ? -at : at) || 0;
  });
}

function frameGroups({ label, instance, segmentIndex, sliceIndex, position }: {
  label: number;
  instance: DicomInstance;
  segmentIndex: number;
  sliceIndex: number;
  position: readonly number[];
}): Attribute[] {
  const source: Attribute[] = [
    ...reference(instance),
    ...(instance.frame === undefined
      ? []
      : [[0x00081160, "IS", `${instance.frame}`] as Attribute]),
    [0x0028135a, "CS", "YES"],
    code(0x0040a170, SOURCE),
  ];
  return [
    [0x00089124, "SQ", [[
      [0x00082112, "SQ", [source]],
      code(0x00089215, SEGMENTED),
    ]]],
    [0x00209111, "SQ", [[[0x00209157, "UL", [segmentIndex, sliceIndex]]]]],
    [0x00209113, "SQ", [[[0x00200032, "DS", decimals(position)]]]],
    [0x0062000a, "SQ", [[[0x0062000b, "US", [label]]]]],
  ];
}
