/** A sample type: how many bytes, and how one is read. */
export interface SampleType {
  bytes: number;
  read(view: DataView, offset: number, little: boolean): number;
}

/** The sample types of NIfTI and NPY files by NPY's names. 64-bit integers are read to 53 bits. */
export const SAMPLES = {
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  i8: {
    bytes: 8,
    read: (view, at, little) => Number(view.getBigInt64(at, little)),
  },
  u8: {
    bytes: 8,
    read: (view, at, little) => Number(view.getBigUint64(at, little)),
  },
  f2: { bytes: 2, read: (view, at, little) => view.getFloat16(at, little) },
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
} satisfies Record<string, SampleType>;

/** `count` samples from the beginning of `bytes`, each times `slope` plus `intercept` in double precision. */
export function readSamples(
  bytes: Uint8Array,
  { count, type, little, slope = 1, intercept = 0 }: {
    count: number;
    type: SampleType;
    little: boolean;
    slope?: number;
    intercept?: number;
  },
): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = type.read(view, i * type.bytes, little) * slope + intercept;
  }
  return values;
}
