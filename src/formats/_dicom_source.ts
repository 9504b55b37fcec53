import type { Attributes } from "./_dicom_attributes.ts";

/** Whose image it is, and of which files: what is written about it repeats that. */
export interface DicomSource {
  /** Patient, study, frame of reference: the file's text by its tag, bytes as letters. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The file of each slice. */
  readonly instances: readonly DicomInstance[];
}

/** A file, and the number of its frame, from 1, where it has several. */
export interface DicomInstance {
  /** What kind of object it is: its SOP Class UID. */
  readonly sopClass: string;
  /** Which one it is: its SOP Instance UID. */
  readonly sopInstance: string;
  /** From 1, of a file with several frames. */
  readonly frame?: number;
}

/** What a single file says of itself. */
export type DicomOrigin =
  & Pick<DicomSource, "attributes">
  & Pick<DicomInstance, "sopClass" | "sopInstance">;

/** Attributes that a derived object has in common with its source. */
const KEPT = [
  ...["x00080005", "x00080020", "x00080030", "x00080050", "x00080090"],
  ...["x00100010", "x00100020", "x00100030", "x00100040"],
  ...["x0020000d", "x0020000e", "x00200010", "x00200052", "x00201040"],
];

/** What a file says of itself. */
export function originOf(file: Attributes): DicomOrigin {
  const attributes: Record<string, string> = {};
  for (const tag of KEPT) {
    if (file.set.elements[tag]) attributes[tag] = file.text(tag);
  }
  return {
    attributes,
    sopClass: file.text("x00080016"),
    sopInstance: file.text("x00080018"),
  };
}

/** The source of a volume that one file holds, its frames in an order. */
export function sourceOf(
  { attributes, sopClass, sopInstance }: DicomOrigin,
  frames: number,
  order?: readonly number[],
): DicomSource {
  const names = { sopClass, sopInstance };
  const instances = frames === 1
    ? [names]
    : Array.from({ length: frames }, (_, place) => ({
      ...names,
      frame: (order?.[place] ?? place) + 1,
    }));
  return { attributes, instances };
}
