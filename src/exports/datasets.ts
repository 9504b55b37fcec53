/**
 * Data sets with several raters: open, describe, and phantoms as one.
 *
 * @module
 */

export type { Case, Dataset } from "../datasets/dataset.ts";
export { folderDataset } from "../datasets/folder.ts";
export { lidcCrops } from "../datasets/layouts.ts";
export {
  openDataset,
  type OpenDatasetOptions,
} from "../datasets/open_dataset.ts";
export { qubiq, type QubiqOptions } from "../datasets/layouts.ts";
export { refuge2, type Refuge2Options } from "../datasets/layouts.ts";
export type { CaseOptions } from "../datasets/_file_case.ts";
export type { MaskOptions } from "../formats/read_mask.ts";
export type {
  DicomSource,
  Layout,
  SliceOptions,
  Voi,
} from "../formats/volume.ts";
export type { DicomInstance } from "../formats/_dicom_source.ts";
export type { Lut } from "../formats/_dicom_lut.ts";
export {
  PHANTOM_KINDS,
  PHANTOM_RATERS,
  type PhantomKind,
  type PhantomRater,
  phantoms,
} from "../phantoms/phantom.ts";
export {
  PHANTOM_VOLUME_KINDS,
  PHANTOM_VOLUME_RATERS,
} from "../phantoms/phantom_volume.ts";
