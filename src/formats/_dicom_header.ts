import { badFile } from "./_bytes.ts";
import type { DataSet, Element } from "dicom-parser";
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import { placeOf } from "./_dicom_place.ts";
import { AS_STORED, type VolumeHeader } from "./_volume_header.ts";

/** The bytes before the meta information of a DICOM file: 128 of anything, and DICM (PS3.10 7.1). */
const PREAMBLE = 132;

/** Whether a file is DICOM, by its beginning: part 10, or what is left without its preamble. */
export function isDicom(bytes: Uint8Array): boolean {
  return hasPreamble(bytes) || beginsWithMeta(bytes) || isBare(bytes);
}

const textAt = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(from, to));

function hasPreamble(bytes: Uint8Array): boolean {
  return textAt(bytes, 128, 132) === "DICM";
}

/** Whether it begins with the length of the meta information (0002,0000), which the preamble should precede. */
function beginsWithMeta(bytes: Uint8Array): boolean {
  return textAt(bytes, 0, 8) === "\x02\0\0\0UL\x04\0";
}

/** Whether it begins with group 0008, in either byte order, its value's type told or not. */
function isBare(bytes: Uint8Array): boolean {
  const group = textAt(bytes, 0, 2);
  if (group !== "\b\0" && group !== "\0\b") return false;
  const told = /^(UL|UI|CS|SH|DA|TM)$/.test(textAt(bytes, 4, 6));
  const first = ["\0\0", "\x01\0", "\x05\0", "\b\0", "\x16\0"];
  const short = /^[^\0]\0\0\0$/s.test(textAt(bytes, 4, 8));
  return told || (short && first.includes(textAt(bytes, 2, 4)));
}

/**
 * A DICOM file's bytes, with a preamble where only that is missing.
 *
 * @throws {TypeError} When the meta information is missing as well: nothing tells how the rest is coded.
 */
export function withPreamble(bytes: Uint8Array, name: string): Uint8Array {
  if (hasPreamble(bytes)) return bytes;
  if (!beginsWithMeta(bytes)) {
    throw badFile(
      "a DICOM file must have its meta information (group 0002), which names its transfer syntax",
      "a data set without it",
      name,
    );
  }
  const file = new Uint8Array(PREAMBLE + bytes.length);
  file.set(new TextEncoder().encode("DICM"), PREAMBLE - 4);
  file.set(bytes, PREAMBLE);
  return file;
}

/** What else a DICOM file's header says. */
export interface DicomHeader extends VolumeHeader {
  /** How the pixels are coded: a unique identifier. */
  transferSyntax: string;
  bitsAllocated: 8 | 16 | 32;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  /** Whether colours lie plane by plane. */
  planar: boolean;
  /** MONOCHROME1, RGB, YBR_FULL_422 ... */
  photometric: string;
  /** Slope and intercept of every frame; of all alike, where it is one. */
  rescale: [slope: number, intercept: number][];
  /** Direction cosines along a row and along a column, where there are any. */
  cosines: number[];
  /** Where the centre of the first pixel lies, where that is told. */
  position: number[];
  /** Which stored frame is shown at each place, where they are not shown as stored. */
  order?: readonly number[];
  /** The pixel data, where the parser was let that far. */
  pixels?: Element;
  dataSet: DataSet;
}

/** A deflated data set of more bytes than this is refused. */
const MAX_INFLATED = 2 ** 28;

/** The header of a DICOM file that begins with `head`. */
export async function readDicomHeader(
  path: string,
  head: Uint8Array,
): Promise<DicomHeader> {
  const options = { whole: false, name: path };
  try {
    return await dicomHeader(head, options);
  } catch { // perhaps as the header is longer
    return await dicomHeader(await Deno.readFile(path), options);
  }
}

/**
 * Parses a DICOM file up to its pixel data, or whole.
 *
 * @param options.whole Whether `bytes` is the whole file and its pixel data are wanted.
 */
export async function dicomHeader(
  bytes: Uint8Array,
  { whole, name }: { whole: boolean; name: string },
): Promise<DicomHeader> {
  const { default: parser } = await import("dicom-parser");
  const file = withPreamble(bytes, name);
  try {
    const dataSet = parser.parseDicom(file, {
      untilTag: whole ? undefined : "x7fe00010",
      inflater: (deflated, position) =>
        new Uint8Array(Buffer.concat([
          deflated.subarray(0, position),
          inflateRawSync(deflated.subarray(position), {
            maxOutputLength: MAX_INFLATED,
          }),
        ])),
    });
    return readAttributes(dataSet, name);
  } catch (thrown) {
    if (thrown instanceof TypeError && thrown.message.startsWith("Cannot ")) {
      throw thrown;
    }
    // The parser throws strings, and { exception, dataSet }.
    const { exception = thrown } = Object(thrown);
    throw badFile(
      "it must be a complete and undamaged DICOM file",
      exception,
      name,
      thrown,
    );
  }
}

function readAttributes(dataSet: DataSet, name: string): DicomHeader {
  // Files with many frames keep what all frames share in a group of its own,
  // and in others what each has: measures, rescaling and window there too.
  const groupsIn = (set: DataSet | undefined, tags: readonly string[]) =>
    tags.map((tag) => set?.elements[tag]?.items?.[0]?.dataSet);
  const each = [
    ...["x00289110", "x00289145", "x00289132"],
    ...["x00209116", "x00209113"],
  ];
  const shared = groupsIn(
    dataSet.elements.x52009229?.items?.[0]?.dataSet,
    each,
  );
  const perFrame = dataSet.elements.x52009230?.items ?? [];
  const find = (tag: string, frame: number) =>
    [dataSet, ...shared, ...groupsIn(perFrame[frame]?.dataSet, each)]
      .find((set) => set?.elements[tag]);
  const numbersIn = (set: DataSet | undefined, tag: string) =>
    (set?.string(tag) ?? "").split("\\")
      .filter((text) => text.trim() !== "").map(Number);
  const numbers = (tag: string, frame = 0) => numbersIn(find(tag, frame), tag);
  const short = (tag: string) => dataSet.uint16(tag);
  const reject = (what: string, value: unknown) => badFile(what, value, name);

  const [frames = 1] = numbers("x00280008");
  const rows = short("x00280010") ?? 0;
  const columns = short("x00280011") ?? 0;
  const channels = short("x00280002") ?? 1;
  if (!(rows > 0 && columns > 0 && Number.isInteger(frames) && frames > 0)) {
    throw reject(
      "a DICOM file must have frames, rows and columns",
      `${frames} x ${rows} x ${columns}`,
    );
  }
  const photometric = (dataSet.string("x00280004") ?? "").trim();
  const grey = /^MONOCHROME[12]$/.test(photometric);
  if (channels !== (grey ? 1 : 3) || !/^(MONO|RGB|YBR)/.test(photometric)) {
    throw reject(
      "its photometric interpretation must be MONOCHROME1, MONOCHROME2, RGB or YBR",
      `${photometric || "none"} with ${channels} samples`,
    );
  }
  const bitsAllocated = short("x00280100");
  const bitsStored = short("x00280101") ?? bitsAllocated ?? 0;
  const highBit = short("x00280102") ?? bitsStored - 1;
  if (
    (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) ||
    bitsStored < 1 || highBit >= bitsAllocated || highBit < bitsStored - 1
  ) {
    throw reject(
      "its samples must have 8, 16 or 32 bits",
      `${bitsStored} of ${bitsAllocated} bits, the highest ${highBit}`,
    );
  }
  if (dataSet.elements.x00283000) {
    throw reject("its rescaling must be linear", "a Modality LUT Sequence");
  }

  const rescale = Array.from(
    { length: Math.max(perFrame.length, 1) },
    (_, frame): [number, number] => {
      const [slope = 1] = numbers("x00281053", frame);
      const [intercept = 0] = numbers("x00281052", frame);
      return [
        Number.isFinite(slope) ? slope : 1,
        Number.isFinite(intercept) ? intercept : 0,
      ];
    },
  );
  const [center] = numbers("x00281050");
  const [width] = numbers("x00281051");
  const exact = dataSet.string("x00281056") === "LINEAR_EXACT";
  // PS3.3 C.11.2.1.2: LINEAR counts whole values, LINEAR_EXACT does not.
  const low = exact ? center - width / 2 : center - 0.5 - (width - 1) / 2;
  const high = exact ? center + width / 2 : center - 0.5 + (width - 1) / 2;
  const window: [number, number] | undefined = grey && low < high
    ? [low, high]
    : grey
    ? undefined
    : [0, 2 ** bitsStored - 1];

  const cosines = numbers("x00200037"), position = numbers("x00200032");
  // Each frame's own, where there is a group for each.
  const places = perFrame.length === frames ? [...perFrame.keys()] : [0];
  const own = places.map((frame) =>
    numbersIn(
      groupsIn(perFrame[frame]?.dataSet, ["x00209113"])[0],
      "x00200032",
    )
  );
  const [stated] = [...numbers("x00180088"), ...numbers("x00180050")];
  const { spacing, affine, order } = placeOf({
    ...{ frames, position, stated, offsets: numbers("x3004000c") },
    cosines: places.map((frame) => numbers("x00200037", frame)),
    positions: own.some(({ length }) => length > 0) ? own : [],
    pixels: places.map((frame) =>
      [numbers("x00280030", frame), numbers("x00181164", frame)]
        .find((pair) => pair.length === 2 && pair.every((size) => size > 0)) ??
        []
    ),
  });
  return {
    shape: [frames, rows, columns, channels],
    spacing,
    affine,
    order,
    layout: AS_STORED,
    colour: !grey,
    window,
    inverted: photometric === "MONOCHROME1",
    transferSyntax: (dataSet.string("x00020010") ?? "").trim(),
    bitsAllocated,
    bitsStored,
    highBit,
    signed: short("x00280103") === 1,
    planar: short("x00280006") === 1,
    photometric,
    rescale,
    cosines,
    position,
    pixels: dataSet.elements.x7fe00010,
    dataSet,
  };
}
