// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { DicomHeader } from "./_dicom_header.ts";
import { checkColours, decodeFrame, type Frame } from "./_dicom_codecs.ts";
import { badFile, SAMPLES } from "./_bytes.ts";
import { countValues } from "./_volume_header.ts";

const BIG_ENDIAN = "1.2.840.10008.1.2.2";

/** The values of a DICOM file, rescaled: [frame, row, column, channel]. */
export async function dicomValues(
  header: DicomHeader,
  maxVoxels: number,
  name: string,
): Promise<NdArray<Float32Array>> {
  const { shape, pixels } = header;
  const count = countValues(shape, maxVoxels, name);
  if (!pixels) {
    throw badFile("a DICOM file must have pixel data", "none", name);
  }
  const frames = shape[0];
  const size = count / frames;
  const width = header.bitsAllocated / 8;
  const values = new Float32Array(count);
  const stored = (place: number) => header.order?.[place] ?? place;
  if (!pixels.encapsulatedPixelData) {
    const bytes = plainBytes(header, count * width, name);
    const little = header.transferSyntax !== BIG_ENDIAN;
    for (let place = 0; place < frames; place++) {
      const samples = bytes.subarray(stored(place) * size * width);
      store(values, place, header, { bytes: samples, width, little });
    }
  } else {
    for (let place = 0; place < frames; place++) {
      const coded = await codedFrame(header, stored(place), name);
      const decoded = await decodeFrame(coded, header, name);
      store(values, place, header, decoded);
    }
  }
  return ndarray(values, shape);
}

/** The bytes of pixel data that are not coded. */
function plainBytes(
  header: DicomHeader,
  length: number,
  name: string,
): Uint8Array {
  const { dataSet, transferSyntax, bitsAllocated } = header;
  const { dataOffset, length: stated, vr } = header.pixels!;
  checkColours(header, name); // first: YBR_FULL_422 has fewer bytes
  const held = Math.min(stated, dataSet.byteArray.length - dataOffset);
  if (held < length) {
    throw badFile(
      `its pixel data must have ${length} bytes`,
      `${held} bytes`,
      name,
    );
  }
  const end = dataOffset + length;
  if (transferSyntax !== BIG_ENDIAN || bitsAllocated > 8 || vr !== "OW") {
    return dataSet.byteArray.subarray(dataOffset, end);
  }
  // Bytes in words of 16 bits, each of which begins with its second (PS3.5 8.1.1).
  const words = dataSet.byteArray.slice(dataOffset, end + length % 2);
  for (let i = 1; i < words.length; i += 2) {
    [words[i - 1], words[i]] = [words[i], words[i - 1]];
  }
  return words;
}

/** One frame's bytes out of encapsulated pixel data. */
async function codedFrame(
  { dataSet, pixels, shape }: DicomHeader,
  frame: number,
  name: string,
): Promise<Uint8Array> {
  const { default: parser } = await import("dicom-parser");
  const { fragments = [], basicOffsetTable = [] } = pixels!;
  const part = (first: number, count: number) =>
    parser.readEncapsulatedPixelDataFromFragments(
      dataSet,
      pixels!,
      first,
      count,
      fragments,
    ) as Uint8Array;
  try {
    if (fragments.length === shape[0]) return part(frame, 1);
    if (shape[0] === 1 && fragments.length > 0) {
      return part(0, fragments.length);
    }
    if (basicOffsetTable.length === shape[0]) {
      return parser.readEncapsulatedImageFrame(
        dataSet,
        pixels!,
        frame,
        basicOffsetTable,
        fragments,
      ) as Uint8Array;
    }
  } catch (error) {
    throw badFile("its pixel data must be undamaged", error, name, error);
  }
  throw badFile(
    `its pixel data must have ${shape[0]} frames`,
    `${fragments.length} fragments`,
    name,
  );
}

/** Writes one frame's samples at its place: its stored bits, signed or not, rescaled. */
function store(
  values: Float32Array,
  place: number,
  header: DicomHeader,
  { bytes, width, little, planar = header.planar, plain = false }: Frame,
): void {
  const [, rows, columns, channels] = header.shape;
  const area = rows * columns;
  const start = place * area * channels;
  const { rescale, order } = header;
  const [slope, intercept] = rescale[order?.[place] ?? place] ?? rescale[0];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { read } = { 1: SAMPLES.u1, 2: SAMPLES.u2, 4: SAMPLES.u4 }[width]!;
  // Shifted to the top of 32 bits and back: what is not stored falls away.
  const drop = 32 - (plain ? header.bitsStored : header.highBit + 1);
  const back = 32 - header.bitsStored;
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const at = planar ? channel * area + pixel : pixel * channels + channel;
      const shifted = read(view, at * width, little) << drop;
      const value = header.signed ? shifted >> back : shifted >>> back;
      values[start + pixel * channels + channel] = value * slope + intercept;
    }
  }
}
