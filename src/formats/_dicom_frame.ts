import type { DicomHeader } from "./_dicom_header.ts";
import { decodeRle } from "./_dicom_rle.ts";
import { asRgbJpeg, codestreamSize, jpegSize } from "./_jpeg_size.ts";
import { badFile } from "./_read_bytes.ts";

/** One decoded frame. */
export interface Frame {
  bytes: Uint8Array;
  /** Bytes of a sample. */
  width: number;
  little: boolean;
  /** Whether colours lie plane by plane, where it is not as the file says. */
  planar?: boolean;
  /** Whether the stored bits are the lowest ones, whatever the file's high bit. */
  plain?: boolean;
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
  "1.2.840.10008.1.2.4.90": jpeg2000,
  "1.2.840.10008.1.2.4.91": jpeg2000,
};

/** Names of those that are not decoded, for the error. */
const UNDECODED: Record<string, string> = {
  "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
  "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless",
  "1.2.840.10008.1.2.4.100": "MPEG-2",
  "1.2.840.10008.1.2.4.102": "MPEG-4",
  "1.2.840.10008.1.2.4.201": "High-throughput JPEG 2000 lossless",
  "1.2.840.10008.1.2.4.202": "High-throughput JPEG 2000 lossless RPCL",
  "1.2.840.10008.1.2.4.203": "High-throughput JPEG 2000",
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
      "its transfer syntax must be uncompressed, deflated, RLE, JPEG or JPEG 2000",
      `${transferSyntax} ${UNDECODED[transferSyntax] ?? ""}`.trim(),
      name,
    );
  }
  const [, rows, columns, channels] = header.shape;
  let frame: Omit<Frame, "width">;
  try {
    frame = await decoder(coded, header, name);
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith("Cannot read")) {
      throw error;
    }
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

/** Where samples come out as they were stored, colours must be red, green and blue. */
export function checkColours(
  { colour, photometric }: DicomHeader,
  name: string,
): void {
  if (!colour || photometric === "RGB") return;
  throw badFile("its colours must be RGB", photometric, name);
}

// deno-lint-ignore require-await -- as the others
async function rle(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  const { shape, bitsAllocated } = header;
  checkColours(header, name);
  const [, rows, columns, channels] = shape;
  const bytes = decodeRle(coded, {
    area: rows * columns,
    channels,
    width: bitsAllocated / 8,
  });
  return { bytes, little: true, planar: false };
}

/**
 * What a codec makes room for is what the coded image claims: it must be the
 * file's own size, and not more than so many bytes can code.
 */
function checkSize(
  size: readonly [number, number, number] | undefined,
  { shape }: DicomHeader,
  mostSamples: number,
  name: string,
): void {
  const [, rows, columns, channels] = shape;
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
  const opened = sharp(bytes, { failOn: "error", ignoreIcc: true });
  const data = await (header.colour ? opened : opened.toColourspace("b-w"))
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
  checkColours(header, name);
  const { Decoder } = await import("jpeg-lossless-decoder-js");
  const bytes = coded.slice(); // a buffer of its own
  const decoded = new Decoder().decompress(bytes.buffer, 0, bytes.length);
  return {
    bytes: new Uint8Array(decoded),
    little: true,
    planar: false,
    plain: true,
  };
}

/** What is used of OpenJPEG, which comes without types. */
interface OpenJpeg {
  J2KDecoder: new () => {
    getEncodedBuffer(length: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  };
}

/** OpenJPEG, once it is needed; a new one after it failed. */
let openJpeg: Promise<OpenJpeg> | undefined;

async function jpeg2000(
  coded: Uint8Array,
  header: DicomHeader,
  name: string,
): ReturnType<Decoder> {
  // Blank tiles take next to nothing: `maxVoxels` is the only bound.
  checkSize(codestreamSize(coded), header, Infinity, name);
  const { default: load } = await import("@cornerstonejs/codec-openjpeg");
  try {
    const decoder = new (await (openJpeg ??= load({
      print: () => {},
      printErr: () => {},
    }))).J2KDecoder();
    decoder.getEncodedBuffer(coded.length).set(coded);
    decoder.decode();
    const bytes = decoder.getDecodedBuffer().slice();
    decoder.delete();
    return { bytes, little: true, planar: false, plain: true };
  } catch (error) {
    openJpeg = undefined;
    throw error;
  }
}
