/**
 * Data sets with several raters: open, describe, and phantoms as one.
 *
 * @module
 */

export type { Case, Dataset } from "../datasets/dataset.ts";
export {
  folderDataset,
  lidcCrops,
  qubiq,
  type QubiqOptions,
  refuge2,
  type Refuge2Options,
} from "../datasets/layouts.ts";
export {
  openDataset,
  type OpenDatasetOptions,
} from "../datasets/open_dataset.ts";
export type { CaseOptions } from "../datasets/_file_case.ts";
export type { MaskOptions } from "../formats/read_mask.ts";
export type {
  DicomSource,
  Layout,
  SliceOptions,
  Voi,
} from "../formats/volume.ts";
export type { DicomInstance, Lut } from "../formats/_dicom_attributes.ts";
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
