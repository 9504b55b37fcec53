import { gzipSync } from "node:zlib";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { writeFileAtomic } from "../files.ts";
import { checkOptions } from "../options.ts";
import { encodeRle } from "./_coco_rle.ts";
import { AS_STORED } from "./_volume_header.ts";
import { encodeNifti } from "./_nifti.ts";
import { encodeSegmentation } from "./_write_dicom_seg.ts";
import { encodePng } from "./write_image.ts";
import { type Volume, volumeSlice } from "./volume.ts";
import { InputError } from "../input_error.ts";

/** Options of {@linkcode writeMask}. */
export interface WriteMaskOptions {
  /** The volume that the mask is of: NIfTI keeps its place in space, and DICOM its patient as well. */
  volume?: Volume;
  /** Which slice of the volume a mask [H, W] is; the others are empty. */
  slice?: number;
  /** The dimension that the slice cuts, as for `volumeSlice`; default 0, or the one with one slice only. */
  axis?: 0 | 1 | 2;
  /**
   * Whether the values are labels, which are stored as they are: true, or the
   * names of labels 1, 2 ..., which DICOM files state. Default false: anything
   * but 0 is inside, stored as 1, in a PNG file as 255.
   */
  labels?: boolean | readonly string[];
}

/**
 * Writes a mask, whole or not at all, in the format that the name's suffix says:
 *
 * - `.png`: [H, W], 8 bits of gray, 0 outside and 255 inside;
 * - `.nii`, `.nii.gz`: [D, H, W] on the voxels of `volume` (orientation,
 *   spacing and the order of the stored axes are the volume's own), or a flat
 *   mask without a volume, as it is seen;
 * - `.dcm`: a DICOM segmentation of `volume`, which DICOM files hold: it names
 *   their patient, study and instances, and its segments are the labels;
 * - `.npy`: [H, W] or [D, H, W], uint8;
 * - `.json`: [H, W] in COCO's run-length code, `{ "size", "counts" }`.
 *
 * A mask [H, W] of one slice goes back into its scan with `volume` and `slice`.
 *
 * @param mask [H, W] or [D, H, W].
 * @param path Where the file will be; missing folders are made.
 * @param options The volume, and what the values are.
 * @throws {RangeError} When the suffix is another, the mask has no pixels, or
 * is of another size than the volume, or the format cannot hold it.
 * @throws {TypeError} When an option is unknown or of another type.
 *
 * @example Segment one slice and save it in the scan's geometry
 * ```ts ignore
 * const volume = await readVolume("brain.nii.gz");
 * await writeMask(session.accept(), "brain_mask.nii.gz", { volume, slice: 40 });
 * ```
 */
export async function writeMask(
  mask: NdArray<Uint8Array>,
  path: string | URL,
  options: WriteMaskOptions = {},
): Promise<void> {
  checkOptions("write mask", options, {
    ...{ volume: "object", slice: "number", axis: "number" },
    labels: "boolean | array",
  });
  const name = String(path);
  const suffix = /\.(png|nii|nii\.gz|dcm|npy|json)$/i.exec(name)?.[1];
  if (suffix === undefined) {
    throw refuse(
      "its name must end in .png, .nii, .nii.gz, .dcm, .npy or .json",
      name,
    );
  }
  const whole = inVolume(stored(mask, suffix, options), options);
  const encode = ENCODERS[suffix.toLowerCase()];
  await writeFileAtomic(path, await encode(whole, options));
}

function refuse(must: string, value: unknown): RangeError {
  return new InputError(
    `Cannot write mask as ${must}: current value is ${value}`,
  );
}

/** The values that are written. */
function stored(
  mask: NdArray<Uint8Array>,
  suffix: string,
  { labels = false }: WriteMaskOptions,
): NdArray<Uint8Array> {
  const { shape } = mask;
  if (shape.length !== 2 && shape.length !== 3) {
    throw refuse("its shape must be [H, W] or [D, H, W]", `[${shape}]`);
  }
  if (shape.includes(0)) throw refuse("it must have pixels", shape.join(" x "));
  const { data } = contiguous(mask);
  if (labels !== false) return ndarray(data, shape);
  const inside = /^png$/i.test(suffix) ? 255 : 1;
  return ndarray(data.map((value) => value === 0 ? 0 : inside), shape);
}

/** The mask of the whole volume, where there is one. */
function inVolume(
  mask: NdArray<Uint8Array>,
  { volume, slice, axis }: WriteMaskOptions,
): NdArray<Uint8Array> {
  if (!volume) {
    if (slice === undefined && axis === undefined) return mask;
    throw refuse("slice and axis must be of a volume, an option", "none");
  }
  const shape = volume.values.shape.slice(0, 3);
  if (mask.shape.length === 3) {
    if (slice !== undefined || axis !== undefined) {
      throw refuse("a mask with a slice must be [H, W]", `[${mask.shape}]`);
    }
    if (`${mask.shape}` === `${shape}`) return mask;
    throw refuse(
      `its shape must be that of the volume, [${shape}]`,
      `[${mask.shape}]`,
    );
  }
  if (slice === undefined && !shape.includes(1)) {
    throw refuse("slice must say which slice of the volume it is", "none");
  }
  const size = shape.reduce((product, side) => product * side, 1);
  const whole = ndarray(new Uint8Array(size), shape);
  const place = volumeSlice(whole, { axis, slice });
  if (`${place.shape}` !== `${mask.shape}`) {
    throw refuse(
      `its shape must be that of the slice, [${place.shape}]`,
      `[${mask.shape}]`,
    );
  }
  for (let h = 0; h < mask.shape[0]; h++) {
    for (let w = 0; w < mask.shape[1]; w++) place.set(h, w, mask.get(h, w));
  }
  return whole;
}

type Encoder = (
  mask: NdArray<Uint8Array>,
  options: WriteMaskOptions,
) => Uint8Array | string | Promise<Uint8Array>;

const ENCODERS: Record<string, Encoder> = {
  png: (mask, { volume }) =>
    encodePng(flat(mask, volume, "PNG"), [
      ...mask.shape.slice(-2),
      1,
    ]),
  nii: encodeVolume,
  "nii.gz": (mask, options) => gzipSync(encodeVolume(mask, options)),
  dcm(mask, { volume, labels }) {
    if (!volume?.dicom) {
      throw refuse(
        "a DICOM segmentation must be of a volume that was read from DICOM files, an option",
        volume ? "a volume of another file" : "none",
      );
    }
    const names = Array.isArray(labels) ? labels : [];
    return encodeSegmentation(mask, volume, names);
  },
  npy: encodeNpy,
  json(mask, { labels, volume }) {
    if (labels) {
      throw refuse("a run-length code must be of one label", "several");
    }
    const data = flat(mask, volume, "JSON");
    return JSON.stringify(encodeRle(data, mask.shape));
  },
};

/** The pixels of a flat mask. */
function flat(
  { data, shape }: NdArray<Uint8Array>,
  volume: Volume | undefined,
  format: string,
): Uint8Array {
  if (shape.length === 2 && !volume) return data;
  throw refuse(
    `a ${format} file must be of a mask [H, W], without a volume`,
    `[${shape}]`,
  );
}

function encodeVolume(
  mask: NdArray<Uint8Array>,
  { volume }: WriteMaskOptions,
): Uint8Array {
  if (volume) return encodeNifti(mask, volume);
  const { shape, data } = mask;
  if (shape.length === 3) {
    throw refuse(
      "a NIfTI mask [D, H, W] must be of a volume, an option",
      "none",
    );
  }
  const values = ndarray(new Float32Array(), [1, ...shape, 1]);
  const nowhere = { values, color: false, inverted: false, layout: AS_STORED };
  return encodeNifti(ndarray(data, [1, ...shape]), nowhere);
}

function encodeNpy({ data, shape }: NdArray<Uint8Array>): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${
    shape.join(", ")
  }), }`;
  const header = new Uint8Array(128);
  header.set([0x93, ...new TextEncoder().encode(`NUMPY\x01\x00v\x00`)]);
  header.set(new TextEncoder().encode(`${text.padEnd(117)}\n`), 10);
  const bytes = new Uint8Array(header.length + data.length);
  bytes.set(header);
  bytes.set(data, header.length);
  return bytes;
}
