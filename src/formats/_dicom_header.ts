import { badFile } from "./_bytes.ts";
import type { DataSet, Element } from "dicom-parser";
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import {
  Attributes,
  type DicomOrigin,
  itemOf,
  type Lut,
  originOf,
  paletteOf,
  placesIn,
  sequenceLut,
  shortsOf,
} from "./_dicom_attributes.ts";
import { placeOf } from "./_dicom_place.ts";
import { type Segments, segmentsOf } from "./_dicom_seg.ts";
import { AS_STORED, type VolumeHeader } from "./_volume_header.ts";
import { isInputError } from "../input_error.ts";

/** The bytes before the meta information of a DICOM file: 128 of anything, and DICM (PS3.10 7.1). */
const PREAMBLE = 132;

/** Whether a file is DICOM, by its beginning: part 10, with or without its preamble. */
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

/** Whether it begins with group 0008, in either byte order, with or without its value's type. */
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
  rows: number;
  columns: number;
  /** Samples stored for a pixel: of a palette's indices one, though its colors are three. */
  samples: 1 | 3;
  bitsAllocated: 1 | 8 | 16 | 32;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  /** Whether colors lie plane by plane. */
  planar: boolean;
  /** MONOCHROME1, RGB, YBR_FULL_422 ... */
  photometric: string;
  /** What indices look up: red, green and blue. */
  palette?: readonly [Lut, Lut, Lut];
  /** What stored values look up where they are not rescaled. */
  modality?: Lut;
  /** What the frames mark, where they are segments. */
  segments?: Segments;
  /** The file's own names, for what is written about it. */
  origin: DicomOrigin;
  /** How many frames are stored: as many as slices, but in a segmentation. */
  frames: number;
  /** Slope and intercept of every frame; of all alike, where it is one. */
  rescale: [slope: number, intercept: number][];
  /** Direction cosines along a row and along a column, where there are any. */
  cosines: number[];
  /** Where the center of the first pixel lies, if the file says so. */
  position: number[];
  /** Which stored frame is shown at each place, where they are not shown as stored. */
  order?: readonly number[];
  /** The pixel data, where the parser was let that far. */
  pixels?: Element;
  dataSet: DataSet;
}

/** A deflated data set of more bytes than this is refused. */
const MAX_INFLATED = 2 ** 28;

/** The data set of a DICOM file that begins with `head`, up to its pixel data. */
export async function readDicomDataSet(
  path: string,
  head: Uint8Array,
): Promise<DataSet> {
  try {
    return await parseDataSet(head, { whole: false, name: path });
  } catch { // perhaps as the header is longer
    const bytes = await Deno.readFile(path);
    return await parseDataSet(bytes, { whole: false, name: path });
  }
}

/** The header of a DICOM file that begins with `head`. */
export async function readDicomHeader(
  path: string,
  head: Uint8Array,
): Promise<DicomHeader> {
  return headerOf(await readDicomDataSet(path, head), path);
}

/**
 * Parses a DICOM file up to its pixel data, or whole.
 *
 * @param options.whole Whether `bytes` is the whole file and its pixel data are wanted.
 */
export async function dicomHeader(
  bytes: Uint8Array,
  options: { whole: boolean; name: string },
): Promise<DicomHeader> {
  return headerOf(await parseDataSet(bytes, options), options.name);
}

/** What a data set says of an image. */
export function headerOf(dataSet: DataSet, name: string): DicomHeader {
  return guard(name, () => readAttributes(dataSet, name));
}

async function parseDataSet(
  bytes: Uint8Array,
  { whole, name }: { whole: boolean; name: string },
): Promise<DataSet> {
  const { default: parser } = await import("dicom-parser");
  const file = withPreamble(bytes, name);
  return guard(name, () =>
    parser.parseDicom(file, {
      untilTag: whole ? undefined : "x7fe00010",
      inflater: (deflated, position) =>
        new Uint8Array(Buffer.concat([
          deflated.subarray(0, position),
          inflateRawSync(deflated.subarray(position), {
            maxOutputLength: MAX_INFLATED,
          }),
        ])),
    }));
}

/** Turns what the parser throws into an error that names the file. */
function guard<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    if (isInputError(thrown)) throw thrown;
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

/** The header of a file whose stored values are wanted, not a palette's colors. */
export function asIndices(header: DicomHeader): DicomHeader {
  if (!header.palette) return header;
  const { shape: [depth, rows, columns] } = header;
  const plain = { palette: undefined, color: false, window: undefined };
  return { ...header, ...plain, shape: [depth, rows, columns, 1] };
}

function readAttributes(dataSet: DataSet, name: string): DicomHeader {
  const file = new Attributes(dataSet, name);
  const stored = storedForm(file);
  const { frames, signed, photometric, bitsStored } = stored;
  const gray = /^MONOCHROME[12]$/.test(photometric);
  const palette = photometric === "PALETTE COLOR"
    ? paletteOf(dataSet, signed, name)
    : undefined;
  const modality = sequenceLut(dataSet, "x00283000", signed, name);
  const rescale = rescaleOf(file, modality);
  const { cosines, position, pixels, ...place } = framePlaces(file, frames);
  const segments = segmentsOf(file, frames, cosines, pixels);
  const shape = [segments?.depth ?? frames, stored.rows, stored.columns];
  return {
    ...stored,
    shape: [...shape, gray ? 1 : 3] as VolumeHeader["shape"],
    ...(segments
      ? { spacing: segments.spacing, affine: segments.affine }
      : place),
    layout: AS_STORED,
    color: !gray,
    ...(gray ? viewOf(file, frames, signed) : {
      window: [0, 2 ** (palette ? palette[0].bits : bitsStored) - 1],
    }),
    padding: gray && !modality
      ? paddingOf(file, signed, rescale[0])
      : undefined,
    inverted: photometric === "MONOCHROME1",
    ...{ palette, modality, rescale, cosines, position, segments },
    ...(segments ? { sparse: true, order: undefined } : {}),
    transferSyntax: file.text("x00020010"),
    planar: file.short("x00280006") === 1,
    pixels: dataSet.elements.x7fe00010,
    dataSet,
    origin: originOf(file),
  };
}

/** How samples are stored. */
function storedForm(file: Attributes) {
  const reject = (what: string, value: unknown) =>
    badFile(what, value, file.name);
  const [frames = 1] = file.numbers("x00280008");
  const rows = file.short("x00280010") ?? 0;
  const columns = file.short("x00280011") ?? 0;
  const samples = file.short("x00280002") ?? 1;
  if (!(rows > 0 && columns > 0 && Number.isInteger(frames) && frames > 0)) {
    throw reject(
      "a DICOM file must have frames, rows and columns",
      `${frames} x ${rows} x ${columns}`,
    );
  }
  const photometric = file.text("x00280004");
  const single = /^(MONOCHROME[12]|PALETTE COLOR)$/.test(photometric);
  if (
    (samples !== 1 && samples !== 3) || single !== (samples === 1) ||
    !/^(MONO|PALETTE|RGB|YBR)/.test(photometric)
  ) {
    throw reject(
      "its photometric interpretation must be MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or YBR",
      `${photometric || "none"} with ${samples} samples`,
    );
  }
  const bitsAllocated = file.short("x00280100");
  const bitsStored = file.short("x00280101") ?? bitsAllocated ?? 0;
  const highBit = file.short("x00280102") ?? bitsStored - 1;
  if (
    (bitsAllocated !== 1 && bitsAllocated !== 8 && bitsAllocated !== 16 &&
      bitsAllocated !== 32) ||
    (bitsAllocated === 1 && samples !== 1) ||
    bitsStored < 1 || highBit >= bitsAllocated || highBit < bitsStored - 1
  ) {
    throw reject(
      "its samples must have 1, 8, 16 or 32 bits",
      `${bitsStored} of ${bitsAllocated} bits, the highest ${highBit}`,
    );
  }
  const signed = file.short("x00280103") === 1;
  return {
    ...{ frames, rows, columns, photometric, signed },
    ...{ bitsStored, highBit },
    samples: samples as 1 | 3,
    bitsAllocated: bitsAllocated as 1 | 8 | 16 | 32,
  };
}

/** Slope and intercept of every frame; a dose grid has a scaling. */
function rescaleOf(
  file: Attributes,
  modality: Lut | undefined,
): [number, number][] {
  const [scaling] = file.numbers("x3004000e");
  const count = Math.max(file.perFrame.length, 1);
  return Array.from({ length: count }, (_, frame) => {
    if (modality) return [1, 0];
    const [slope = 1] = file.numbers("x00281053", frame);
    const [intercept = 0] = file.numbers("x00281052", frame);
    if (slope === 0) {
      throw badFile("its rescale slope must not be 0", slope, file.name);
    }
    return scaling === undefined ? [slope, intercept] : [scaling, 0];
  });
}

/** How a file says to show its values: a window, or another function. */
function viewOf(
  file: Attributes,
  frames: number,
  signed: boolean,
): Pick<VolumeHeader, "window" | "voi"> {
  const each = file.perFrame.length === frames
    ? [...file.perFrame.keys()]
    : [0];
  const windows = each.map((frame) => {
    const [center] = file.numbers("x00281050", frame);
    const [width] = file.numbers("x00281051", frame);
    return { center, width, kind: file.text("x00281056", frame) };
  });
  const [{ center, width, kind }] = windows;
  const alike = windows.every((other) =>
    other.center === center && other.width === width && other.kind === kind
  );
  if (center === undefined || width === undefined) {
    const set = file.find("x00283010");
    const table = sequenceLut(set, "x00283010", signed, file.name);
    if (!table) return {};
    const top = table.entries.reduce((top, entry) => Math.max(top, entry), 0);
    if (top >= 2 ** table.bits) {
      throw badFile(
        `the entries of a table of ${table.bits} bits must be below ${
          2 ** table.bits
        }`,
        top,
        file.name,
      );
    }
    return { voi: { kind: "table", ...table } };
  }
  if (!alike || !(width > 0)) return {};
  if (kind === "SIGMOID") return { voi: { kind: "sigmoid", center, width } };
  const exact = kind === "LINEAR_EXACT";
  // PS3.3 C.11.2.1.2: LINEAR counts whole values, LINEAR_EXACT does not.
  const low = exact ? center - width / 2 : center - 0.5 - (width - 1) / 2;
  const high = exact ? center + width / 2 : center - 0.5 + (width - 1) / 2;
  return low < high ? { window: [low, high] } : {};
}

/** The values of pixels where there is no image, rescaled. */
function paddingOf(
  { set }: Attributes,
  signed: boolean,
  [slope, intercept]: [number, number],
): [number, number] | undefined {
  const [value] = shortsOf(set, "x00280120", signed);
  if (value === undefined) return undefined;
  const [limit = value] = shortsOf(set, "x00280121", signed);
  const ends = [value, limit].map((end) => end * slope + intercept);
  return [Math.min(...ends), Math.max(...ends)];
}

/** Where the frames lie. */
function framePlaces(file: Attributes, frames: number) {
  const position = file.places("x00200032");
  // Each frame's own, where there is a group for each.
  const places = file.perFrame.length === frames
    ? [...file.perFrame.keys()]
    : [0];
  const own = places.map((frame) =>
    placesIn(
      itemOf(file.perFrame[frame], "x00209113"),
      "x00200032",
    )
  );
  const cosines = places.map((frame) => file.places("x00200037", frame));
  const [stated] = [...file.places("x00180088"), ...file.places("x00180050")];
  const pixels = places.map((frame) =>
    [file.places("x00280030", frame), file.places("x00181164", frame)]
      .find((pair) => pair.length === 2 && pair.every((size) => size > 0)) ??
      []
  );
  const place = placeOf({
    ...{ frames, position, stated, cosines, pixels },
    offsets: file.places("x3004000c"),
    positions: own.some(({ length }) => length > 0) ? own : [],
  });
  return { ...place, cosines: cosines[0], position, pixels: pixels[0] };
}
