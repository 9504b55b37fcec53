import type { DicomHeader } from "./_dicom_header.ts";
import { badFile } from "./_bytes.ts";
import { decodeJpegLossless } from "./_jpeg_lossless.ts";
import { isInputError } from "../input_error.ts";

/** One decoded frame. */
export interface Frame {
  bytes: Uint8Array;
  /** Bytes of a sample. */
  width: number;
  little: boolean;
  /** Whether colors lie plane by plane, where it is not as the file says. */
  planar?: boolean;
  /** Whether the stored bits are the lowest ones, whatever the file's high bit. */
  plain?: boolean;
  /** Whether colors are still luma and chroma. */
  ybr?: boolean;
}

type Decoder = (
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
) => Promise<Omit<Frame, "width">>;

/** Decoders by transfer syntax. */
const DECODERS: Record<string, Decoder> = {
  "1.2.840.10008.1.2.5": rle,
  "1.2.840.10008.1.2.4.50": jpeg,
  "1.2.840.10008.1.2.4.51": jpeg,
  "1.2.840.10008.1.2.4.57": jpegLossless,
  "1.2.840.10008.1.2.4.70": jpegLossless,
  "1.2.840.10008.1.2.4.80": jpegLs,
  "1.2.840.10008.1.2.4.81": jpegLs,
  "1.2.840.10008.1.2.4.90": jpeg2000,
  "1.2.840.10008.1.2.4.91": jpeg2000,
  "1.2.840.10008.1.2.4.201": jpeg2000,
  "1.2.840.10008.1.2.4.202": jpeg2000,
  "1.2.840.10008.1.2.4.203": jpeg2000,
};

/** Names of those that are not decoded, for the error. */
const UNDECODED: Record<string, string> = {
  "1.2.840.10008.1.2.4.100": "MPEG-2",
  "1.2.840.10008.1.2.4.102": "MPEG-4",
  "1.2.840.10008.1.2.4.110": "JPEG XL lossless",
  "1.2.840.10008.1.2.4.112": "JPEG XL",
};

/** Decodes one frame of encapsulated pixel data. */
export async function decodeFrame(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): Promise<Frame> {
  const { transferSyntax } = header;
  const decoder = DECODERS[transferSyntax];
  if (!decoder) {
    throw badFile(
      "its transfer syntax must be uncompressed, deflated, RLE, JPEG, JPEG-LS or JPEG 2000",
      `${transferSyntax} ${UNDECODED[transferSyntax] ?? ""}`.trim(),
      name,
    );
  }
  const { rows, columns, samples: channels } = header;
  let frame: Omit<Frame, "width">;
  try {
    frame = await decoder(coded, header, name);
  } catch (error) {
    if (isInputError(error)) throw error;
    throw badFile("its pixel data must be undamaged", error, name, error);
  }
  // A codec gives as few bytes as the samples need, not as many as allocated.
  const width = frame.bytes.length / (rows * columns * channels);
  if (![1, 2, 4].includes(width) || width * 8 < header.bitsStored) {
    throw badFile(
      `a frame must be ${rows} x ${columns} x ${channels} samples of ${header.bitsStored} bits`,
      `${frame.bytes.length} bytes`,
      name,
    );
  }
  return { ...frame, width };
}

/**
 * Where samples come out as they were stored, colors must be red, green and
 * blue, or luma and chroma of each pixel.
 *
 * @returns Whether they are the latter.
 */
export function checkColors(
  { samples, photometric }: DicomHeader,
  name: string,
): boolean {
  if (samples === 1 || photometric === "RGB") return false;
  if (photometric === "YBR_FULL") return true;
  throw badFile("its colors must be RGB or YBR_FULL", photometric, name);
}

// deno-lint-ignore require-await -- as the others
async function rle(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  const { rows, columns, samples: channels, bitsAllocated } = header;
  const ybr = checkColors(header, name);
  const bytes = decodeRle(coded, {
    area: rows * columns,
    channels,
    width: Math.ceil(bitsAllocated / 8),
  });
  return { bytes, little: true, planar: false, ybr };
}

/**
 * What a codec makes room for is what the coded image claims: it must be the
 * file's own size, and not more than so many bytes can code.
 */
function checkSize(
  size: readonly [number, number, number] | undefined,
  { rows, columns, samples: channels }: DicomHeader,
  mostSamples: number,
  name: string,
): void {
  if (rows * columns * channels > mostSamples) {
    throw badFile(
      `a coded image of ${rows} x ${columns} x ${channels} must have more bytes`,
      `bytes for ${mostSamples} samples at most`,
      name,
    );
  }
  if (`${size}` !== `${[rows, columns, channels]}`) {
    throw badFile(
      `its coded image must be ${rows} x ${columns} x ${channels}`,
      size?.join(" x ") ?? "no image header",
      name,
    );
  }
}

async function jpeg(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  // A block of 64 samples takes two bits at least.
  checkSize(jpegSize(coded), header, coded.length * 256, name);
  if (header.bitsAllocated !== 8) {
    throw badFile(
      "a lossy JPEG must have 8 bits",
      `${header.bitsStored} bits`,
      name,
    );
  }
  const { default: sharp } = await import("sharp");
  const bytes = header.photometric === "RGB" ? asRgbJpeg(coded) : coded;
  const opened = sharp(bytes, { failOn: "warning", ignoreIcc: true });
  const data =
    await (header.samples === 3 ? opened : opened.toColourspace("b-w"))
      .raw().toBuffer();
  return { bytes: new Uint8Array(data), little: true, planar: false };
}

async function jpegLossless(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  // A sample takes a bit at least.
  checkSize(jpegSize(coded), header, coded.length * 8, name);
  const ybr = checkColors(header, name);
  const { bytes } = await Promise.resolve(decodeJpegLossless(coded));
  return { bytes, little: true, planar: false, plain: true, ybr };
}

/** The parts that are used of a decoder compiled from C++. It comes without types. */
interface CompiledDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { bitsPerSample: number; componentCount: number };
  getInterleaveMode?(): number;
  delete(): void;
}

/** How each decoder is loaded, once it is needed. */
const COMPILED = {
  async charls() {
    const { default: load } = await import("@cornerstonejs/codec-charls");
    return (await load(quiet())).JpegLSDecoder;
  },
  async openjpeg() {
    const { default: load } = await import("@cornerstonejs/codec-openjpeg");
    return (await load(quiet())).J2KDecoder;
  },
  async openjph() {
    const { default: load } = await import("@cornerstonejs/codec-openjph");
    return (await load(quiet())).HTJ2KDecoder;
  },
} satisfies Record<string, () => Promise<new () => CompiledDecoder>>;

/** What a compiled module starts from, and fills with its own. */
const quiet = () => ({ print: () => {}, printErr: () => {} });

/** Those that are loaded; one that failed is loaded anew. */
const loaded = new Map<string, Promise<new () => CompiledDecoder>>();

/** Decodes by one of them. `read` takes the values before the decoder goes. */
async function compiled<T>(
  kind: keyof typeof COMPILED,
  coded: Uint8Array,
  read: (decoder: CompiledDecoder) => T,
): Promise<{ bytes: Uint8Array; about: T }> {
  const found = loaded.get(kind) ?? COMPILED[kind]();
  loaded.set(kind, found);
  try {
    const decoder = new (await found)();
    decoder.getEncodedBuffer(coded.length).set(coded);
    decoder.decode();
    const bytes = decoder.getDecodedBuffer().slice();
    const about = read(decoder);
    decoder.delete();
    return { bytes, about };
  } catch (error) {
    loaded.delete(kind);
    throw error;
  }
}

/** Markers of JPEG-LS (ITU T.87): no coded samples look like them. */
const [SCAN, END] = [0xda, 0xd9];

/** Where a marker stands last; -1 where there is none. */
function lastMarker(bytes: Uint8Array, marker: number): number {
  let at = bytes.lastIndexOf(marker);
  while (at > 0 && bytes[at - 1] !== 0xff) {
    at = bytes.lastIndexOf(marker, at - 1);
  }
  return at > 0 ? at : -1;
}

async function jpegLs(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  // A run takes few bits: `maxVoxels` is the only bound.
  checkSize(jpegSize(coded), header, Infinity, name);
  // Where the end is missing, the decoder may look for it for ever.
  if (lastMarker(coded, END) < lastMarker(coded, SCAN)) {
    throw badFile("a JPEG-LS image must be complete", "no end marker", name);
  }
  const ybr = checkColors(header, name);
  const { bytes, about } = await compiled(
    "charls",
    coded,
    (decoder) => decoder.getInterleaveMode!(),
  );
  return { bytes, little: true, planar: about === 0, plain: true, ybr };
}

async function jpeg2000(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  // Blank tiles take next to nothing: `maxVoxels` is the only bound.
  checkSize(codestreamSize(coded), header, Infinity, name);
  checkSampling(coded, header, name);
  // Luma and chroma are turned into colors where the codestream says so.
  const ybr = header.photometric.startsWith("YBR_FULL") &&
    header.samples === 3 && !hasColorTransform(coded);
  const kind = /\.20[123]$/.test(header.transferSyntax)
    ? "openjph"
    : "openjpeg";
  const { bytes } = await compiled(kind, coded, () => {});
  return { bytes, little: true, planar: false, plain: true, ybr };
}

/**
 * Refuses a codestream whose components have fewer samples than the image has
 * pixels (ITU T.800 A.5.1, XRsiz and YRsiz). DICOM has none, and a decoder may
 * look for their missing rows for ever.
 */
function checkSampling(
  bytes: Uint8Array,
  { samples }: DicomHeader,
  name: string,
): void {
  for (let channel = 0; channel < samples; channel++) {
    const [across, down] = bytes.subarray(43 + 3 * channel);
    if (across === 1 && down === 1) continue;
    throw badFile(
      "its coded image must have a sample of each component for every pixel",
      across === undefined || down === undefined
        ? "no more bytes"
        : `one for ${across} x ${down}`,
      name,
    );
  }
}

/** Whether a codestream's components were transformed (ITU T.800 A.6.1). */
function hasColorTransform(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 < bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === 0xff52) return bytes[at + 8] === 1;
    if (marker === 0xff90 || marker >> 8 !== 0xff) break;
  }
  return false;
}

/**
 * Decodes DICOM's RLE (PS3.5 annex G): one PackBits segment per byte of a
 * sample, most significant first, channel after channel.
 *
 * @param coded One frame: a header of 64 bytes and its segments.
 * @returns The samples, channels interleaved, least significant byte first.
 * @throws {Error} When the frame is damaged.
 */
export function decodeRle(
  coded: Uint8Array,
  { area, channels, width }: {
    /** Pixels of the frame. */
    area: number;
    channels: number;
    /** Bytes of a sample. */
    width: number;
  },
): Uint8Array {
  const view = new DataView(coded.buffer, coded.byteOffset, coded.byteLength);
  const segments = coded.length < 64 ? 0 : view.getUint32(0, true);
  if (segments !== channels * width) {
    throw new Error(`${segments} RLE segments instead of ${channels * width}`);
  }
  // A run packs 128 bytes into two at most.
  if (coded.length * 64 < area * segments) throw new Error("too few RLE bytes");
  const samples = new Uint8Array(area * segments);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments
      ? view.getUint32(8 + 4 * segment, true)
      : coded.length;
    if (!(start >= 64 && start <= end && end <= coded.length)) {
      throw new Error("an RLE segment outside the frame");
    }
    const plane = unpackBits(coded.subarray(start, end), area);
    const channel = Math.floor(segment / width);
    const byte = channel * width + width - 1 - segment % width;
    for (let i = 0; i < area; i++) {
      samples[i * channels * width + byte] = plane[i];
    }
  }
  return samples;
}

function unpackBits(packed: Uint8Array, length: number): Uint8Array {
  const plain = new Uint8Array(length);
  let from = 0;
  let to = 0;
  while (to < length && from < packed.length) {
    const control = packed[from++];
    if (control < 128) {
      const literal = packed.subarray(from, from + control + 1);
      plain.set(literal.subarray(0, length - to), to);
      to += literal.length;
      from += control + 1;
    } else if (control > 128) {
      const run = 257 - control;
      plain.fill(packed[from++], to, to + run);
      to += run;
    }
  }
  if (to < length) throw new Error("an RLE segment that ends too early");
  return plain;
}

type Size = [rows: number, columns: number, channels: number];

/** The markers of a JPEG up to its frame header (ITU T.81 B.2.2), and where each stands. */
function* markersOf(
  bytes: Uint8Array,
): Generator<{ marker: number; at: number; frame: boolean }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2; // behind the start of image
  while (at + 10 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    // Start of frame, but not a table's marker (DHT, JPG, DAC).
    const frame = marker === 0xf7 || // of JPEG-LS
      (marker >= 0xc0 && marker <= 0xcf &&
        ![0xc4, 0xc8, 0xcc].includes(marker));
    yield { marker, at, frame };
    if (frame) return;
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

/** The size in a JPEG's frame header, or undefined where there is none. */
export function jpegSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = markersOf(bytes).find(({ frame }) => frame);
  if (!header) return undefined;
  const { at } = header;
  return [view.getUint16(at + 5), view.getUint16(at + 7), bytes[at + 9]];
}

/** Adobe's marker APP14 of a JPEG whose components are red, green and blue: transform 0. */
const ADOBE_RGB = [
  ...[0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65],
  ...[0, 100, 0, 0, 0, 0, 0],
];

/**
 * A JPEG whose components are red, green and blue, told to a decoder that takes
 * three components for luma and chroma otherwise. One that says itself what they
 * are, by a JFIF or an Adobe marker, is left as it is: it knows better.
 */
export function asRgbJpeg(bytes: Uint8Array): Uint8Array {
  const says = (at: number, word: string) =>
    [...word].every((char, i) => bytes[at + 4 + i] === char.charCodeAt(0));
  const told = markersOf(bytes).some(({ marker, at }) =>
    (marker === 0xe0 && says(at, "JFIF")) ||
    (marker === 0xee && says(at, "Adobe"))
  );
  if (told) return bytes;
  const result = new Uint8Array(bytes.length + ADOBE_RGB.length);
  result.set(bytes.subarray(0, 2));
  result.set(ADOBE_RGB, 2);
  result.set(bytes.subarray(2), 2 + ADOBE_RGB.length);
  return result;
}

/** A tile-part's header in a JPEG 2000 codestream has at least so many bytes: SOT and SOD. */
const TILE_BYTES = 14;

/**
 * The size in a JPEG 2000 codestream's header (ITU T.800 A.5.1), or undefined
 * where there is none, or where it claims more tiles than its bytes can hold.
 */
export function codestreamSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 42 || view.getUint32(0) !== 0xff4fff51) return undefined;
  const [width, height, left, top, tileWidth, tileHeight, tileLeft, tileTop] =
    Array.from({ length: 8 }, (_, i) => view.getUint32(8 + 4 * i));
  const tiles = Math.ceil((width - tileLeft) / tileWidth) *
    Math.ceil((height - tileTop) / tileHeight);
  if (!(tiles * TILE_BYTES <= bytes.length)) return undefined;
  return [height - top, width - left, view.getUint16(40)];
}
