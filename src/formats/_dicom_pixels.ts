// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { DicomHeader } from "./_dicom_header.ts";
import { checkColors, decodeFrame, type Frame } from "./_dicom_codecs.ts";
import { badFile, SAMPLES } from "./_bytes.ts";
import { lookUp } from "./_dicom_attributes.ts";
import type { Segments } from "./_dicom_seg.ts";
import { countValues } from "./_volume_header.ts";

const BIG_ENDIAN = "1.2.840.10008.1.2.2";

/** The values of a DICOM file, rescaled: [frame, row, column, channel]. */
export async function dicomValues(
  header: DicomHeader,
  maxVoxels: number,
  name: string,
): Promise<NdArray<Float32Array>> {
  const { shape, frames } = header;
  countValues([frames, ...shape.slice(1)], maxVoxels, name);
  const count = countValues(shape, maxVoxels, name);
  const frameAt = frameReader(header, name);
  if (header.segments) {
    return await segmentValues(header, header.segments, frameAt, {
      ...{ maxVoxels, name },
    });
  }
  const values = new Float32Array(count);
  const size = count / frames;
  for (let place = 0; place < frames; place++) {
    const stored = header.order?.[place] ?? place;
    const frame = await frameAt(stored);
    const target = values.subarray(place * size, (place + 1) * size);
    store(target, header, frame, header.rescale[stored] ?? header.rescale[0]);
  }
  return ndarray(values, shape);
}

/** Reads one stored frame. */
function frameReader(
  header: DicomHeader,
  name: string,
): (frame: number) => Promise<Frame> {
  const { frames, rows, columns, samples, bitsAllocated, pixels } = header;
  if (!pixels) {
    throw badFile("a DICOM file must have pixel data", "none", name);
  }
  if (pixels.encapsulatedPixelData) {
    return async (frame) =>
      await decodeFrame(await codedFrame(header, frame, name), header, name);
  }
  const little = header.transferSyntax !== BIG_ENDIAN;
  const size = rows * columns * samples;
  if (bitsAllocated === 1) {
    const bytes = plainBytes(header, Math.ceil(frames * size / 8), name);
    return (frame) =>
      Promise.resolve({
        ...{ bytes: bitsOf(bytes, frame * size, size), width: 1, little },
      });
  }
  if (header.photometric === "YBR_FULL_422") {
    const length = rows * columns * 2;
    const bytes = plainBytes(header, frames * length, name);
    return (frame) => {
      const coded = bytes.subarray(frame * length, (frame + 1) * length);
      return Promise.resolve({
        ...{ bytes: fullChroma(coded, rows * columns), width: 1, little },
        ...{ planar: false, ybr: true },
      });
    };
  }
  const ybr = checkColors(header, name);
  const width = bitsAllocated / 8;
  const bytes = plainBytes(header, frames * size * width, name);
  return (frame) =>
    Promise.resolve({
      ...{ bytes: bytes.subarray(frame * size * width), width, little, ybr },
    });
}

/** Bits as bytes of 0 and 1; the lowest bit of a byte comes first (PS3.5 8.1.1). */
function bitsOf(bytes: Uint8Array, start: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => {
    const bit = start + i;
    return bytes[bit >> 3] >> (bit & 7) & 1;
  });
}

/** Two lumas, then the chroma of both pixels: luma and chroma of each (PS3.3 C.7.6.3.1.2). */
function fullChroma(coded: Uint8Array, pixels: number): Uint8Array {
  const full = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const pair = pixel >> 1 << 2;
    full[3 * pixel] = coded[pair + (pixel & 1)];
    full[3 * pixel + 1] = coded[pair + 2];
    full[3 * pixel + 2] = coded[pair + 3];
  }
  return full;
}

/** The bytes of pixel data that are not coded. */
function plainBytes(
  header: DicomHeader,
  length: number,
  name: string,
): Uint8Array {
  const { dataSet, transferSyntax, bitsAllocated } = header;
  const { dataOffset, length: stated, vr } = header.pixels!;
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
  { dataSet, pixels, frames }: DicomHeader,
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
    if (fragments.length === frames) return part(frame, 1);
    if (frames === 1 && fragments.length > 0) {
      return part(0, fragments.length);
    }
    if (basicOffsetTable.length === frames) {
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
    `its pixel data must have ${frames} frames`,
    `${fragments.length} fragments`,
    name,
  );
}

/** Writes one frame's samples: its stored bits, signed or not, rescaled or looked up. */
function store(
  values: Float32Array,
  header: DicomHeader,
  { bytes, width, little, planar = header.planar, plain = false, ybr }: Frame,
  [slope, intercept]: [slope: number, intercept: number],
): void {
  const { rows, columns, samples, palette, modality } = header;
  const area = rows * columns;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { read } = { 1: SAMPLES.u1, 2: SAMPLES.u2, 4: SAMPLES.u4 }[width]!;
  // Shifted to the top of 32 bits and back: bits that are not stored fall away.
  const drop = 32 - (plain ? header.bitsStored : header.highBit + 1);
  const back = 32 - header.bitsStored;
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < samples; channel++) {
      const at = planar ? channel * area + pixel : pixel * samples + channel;
      const shifted = read(view, at * width, little) << drop;
      const value = header.signed ? shifted >> back : shifted >>> back;
      if (palette) {
        palette.forEach((lut, c) => values[3 * pixel + c] = lookUp(lut, value));
      } else {
        values[pixel * samples + channel] = modality
          ? lookUp(modality, value)
          : value * slope + intercept;
      }
    }
  }
  if (ybr) toRgb(values, 2 ** header.bitsStored);
}

/** Luma and chroma become red, green and blue, in place (PS3.3 C.7.6.3.1.2, ITU-R BT.601). */
function toRgb(values: Float32Array, levels: number): void {
  const clip = (value: number) =>
    Math.min(Math.max(Math.round(value), 0), levels - 1);
  for (let i = 0; i < values.length; i += 3) {
    const luma = values[i];
    const blue = values[i + 1] - levels / 2;
    const red = values[i + 2] - levels / 2;
    values[i] = clip(luma + 1.402 * red);
    values[i + 1] = clip(luma - 0.344136 * blue - 0.714136 * red);
    values[i + 2] = clip(luma + 1.772 * blue);
  }
}

/**
 * What a segmentation marks: every voxel the number of its segment, or a
 * fraction where it has one segment of fractions; where segments lie over each
 * other, or several have fractions, a channel for each.
 */
async function segmentValues(
  header: DicomHeader,
  segments: Segments,
  frameAt: (frame: number) => Promise<Frame>,
  { maxVoxels, name }: { maxVoxels: number; name: string },
): Promise<NdArray<Float32Array>> {
  const { frames, rows, columns } = header;
  const { numbers, slices, depth, most, labels } = segments;
  const area = rows * columns;
  const kinds = [...new Set(labels ? [0] : numbers)].sort((a, b) => a - b);
  const one = new Float32Array(area);
  /** Undefined where segments lie over each other and there is one channel. */
  const fill = async (channels: number) => {
    const shape = [depth, rows, columns, channels];
    const values = new Float32Array(countValues(shape, maxVoxels, name));
    for (let frame = 0; frame < frames; frame++) {
      store(one, header, await frameAt(frame), [1, 0]);
      const channel = channels === 1 ? 0 : kinds.indexOf(numbers[frame]);
      const start = slices[frame] * area;
      for (let i = 0; i < area; i++) {
        if (one[i] === 0) continue;
        const place = (start + i) * channels + channel;
        if (values[place] !== 0) return undefined;
        values[place] = labels
          ? one[i]
          : most === undefined
          ? numbers[frame]
          : one[i] / most;
      }
    }
    return ndarray(values, shape);
  };
  const several = most !== undefined && kinds.length > 1;
  const values = (several ? undefined : await fill(1)) ??
    (kinds.length > 1 ? await fill(kinds.length) : undefined);
  if (values) return values;
  throw badFile(
    "a segmentation must mark a voxel once for each segment",
    "two frames of one segment in one place",
    name,
  );
}
