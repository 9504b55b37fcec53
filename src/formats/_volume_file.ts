// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dicomValues } from "./_dicom.ts";
import { dicomHeader, readDicomHeader } from "./_dicom_header.ts";
import { isDicom } from "./_dicom_preamble.ts";
import { openSeries, seriesValues } from "./_dicom_series.ts";
import type { Layout } from "../datasets/_layout.ts";
import { isNifti, niftiHeader, niftiValues } from "./_nifti.ts";
import { isNpy, npyHeader, npyValues } from "./_npy.ts";
import { isZip, npzEntry } from "./_npz.ts";
import { folderOf, readHead } from "./_read_bytes.ts";
import { MAX_VOXELS, type VolumeHeader } from "./_volume_header.ts";

/** How a volume's file is read. */
export interface VolumeFileOptions {
  maxVoxels?: number;
  array?: string;
  /** The layout of another NIfTI file, to take instead of the file's own. */
  layout?: Layout;
}

/** Whether a file is NIfTI, DICOM, NPY or NPZ, by its beginning. */
export function isVolumeFile(bytes: Uint8Array): boolean {
  return [isNifti, isDicom, isNpy, isZip].some((is) => is(bytes));
}

/** Decodes a whole NIfTI, DICOM, NPY or NPZ file. */
export async function decodeVolumeFile(
  bytes: Uint8Array,
  { maxVoxels = MAX_VOXELS, array, layout }: VolumeFileOptions,
  name: string,
): Promise<{ header: VolumeHeader; values: NdArray<Float32Array> }> {
  if (isDicom(bytes)) {
    const header = await dicomHeader(bytes, { whole: true, name });
    return { header, values: await dicomValues(header, maxVoxels, name) };
  }
  if (isNifti(bytes)) {
    const own = niftiHeader(bytes, name);
    const header = layout ? { ...own, layout, affine: undefined } : own;
    return { header, values: niftiValues(bytes, header, maxVoxels, name) };
  }
  const npy = isZip(bytes)
    ? await npzEntry(bytes, { array, maxVoxels, name })
    : bytes;
  const header = npyHeader(npy, name);
  return { header, values: npyValues(npy, header, maxVoxels, name) };
}

/** Decodes the series in a folder of DICOM files. */
export async function decodeSeries(
  folder: string,
  { maxVoxels = MAX_VOXELS }: VolumeFileOptions,
): Promise<{ header: VolumeHeader; values: NdArray<Float32Array> }> {
  const series = await openSeries(folder, maxVoxels);
  return {
    header: series.header,
    values: await seriesValues(series, maxVoxels),
  };
}

/**
 * The header of a NIfTI, DICOM, NPY or NPZ file, most often from its first
 * bytes alone, or of a folder's series; undefined where the file is another one.
 */
export async function readVolumeHeader(
  path: string,
  options: VolumeFileOptions = {},
): Promise<VolumeHeader | undefined> {
  if (await folderOf(path) !== undefined) {
    const { maxVoxels = MAX_VOXELS } = options;
    return (await openSeries(path, maxVoxels)).header;
  }
  const head = await readHead(path);
  if (isDicom(head)) return await readDicomHeader(path, head);
  if (isNifti(head)) return niftiHeader(head, path);
  if (isNpy(head)) return npyHeader(head, path);
  if (!isZip(head)) return undefined;
  const bytes = await Deno.readFile(path);
  return (await decodeVolumeFile(bytes, options, path)).header;
}
