/** Segmentations in DICOM files (PS3.3 A.51 and C.8.20): each frame marks a segment in a slice. */

import type { Attributes } from "./_dicom_attributes.ts";
import { badFile } from "./_bytes.ts";
import {
  alongNormal,
  areCosines,
  dicomAffine,
  normalOf,
} from "./_dicom_place.ts";
import type { Affine } from "./_volume_header.ts";

const SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4";
const LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7";

/** What the frames of a segmentation are. */
export interface Segments {
  /** Whether frames hold labels, not one segment each. */
  readonly labels: boolean;
  /** The segment's number of each stored frame. */
  readonly numbers: readonly number[];
  /** The slice that each stored frame lies in. */
  readonly slices: readonly number[];
  /** How many slices there are from the first to the last; some may be empty. */
  readonly depth: number;
  /** The value that is inside for certain, where frames hold fractions. */
  readonly most?: number;
  readonly spacing?: [number, number, number];
  readonly affine?: Affine;
}

/** Positions may lie so far, in millimeters, beside a multiple of the slices' distance. */
const BESIDE = 0.02;

/** So many slices are never between two segments. */
const MOST_SLICES = 2 ** 16;

/** What the frames of a file are, where it is a segmentation. */
export function segmentsOf(
  file: Attributes,
  frames: number,
  cosines: readonly number[],
  pixels: readonly number[],
): Segments | undefined {
  const kind = file.text("x00080016");
  if (kind !== SEGMENTATION && kind !== LABEL_MAP) return undefined;
  const labels = kind === LABEL_MAP;
  if (file.perFrame.length !== frames) {
    throw badFile(
      `a segmentation must describe its ${frames} frames`,
      `${file.perFrame.length} of them`,
      file.name,
    );
  }
  const numbers = file.perFrame.map((_, frame) =>
    file.find("x0062000b", frame)?.uint16("x0062000b") ?? NaN
  );
  if (!labels && !numbers.every((number) => number > 0)) {
    throw badFile(
      "each frame of a segmentation must name its segment",
      "a frame without",
      file.name,
    );
  }
  const fractional = file.text("x00620001") === "FRACTIONAL";
  const most = fractional ? file.short("x0062000e") ?? 255 : undefined;
  const positions = file.perFrame.map((_, frame) =>
    file.places("x00200032", frame)
  );
  const known = areCosines(cosines) &&
    positions.every((position) => position.length === 3);
  const place = known
    ? inSpace(file, { cosines, positions, pixels })
    : inOrder(numbers, labels);
  return { labels, numbers, most, ...place };
}

/** Slices one after the other for every segment: where nothing tells their place. */
function inOrder(
  numbers: readonly number[],
  labels: boolean,
): Pick<Segments, "slices" | "depth"> {
  const seen = new Map<number, number>();
  const slices = numbers.map((number) => {
    const slice = seen.get(labels ? 0 : number) ?? 0;
    seen.set(labels ? 0 : number, slice + 1);
    return slice;
  });
  return { slices, depth: Math.max(...seen.values()) };
}

/** Slices by their positions; those without any segment may be left out. */
function inSpace(
  file: Attributes,
  { cosines, positions, pixels }: {
    cosines: readonly number[];
    positions: readonly (readonly number[])[];
    pixels: readonly number[];
  },
): Pick<Segments, "slices" | "depth" | "spacing" | "affine"> {
  const along = alongNormal(cosines, positions);
  const sorted = along.toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((at, i) => at - sorted[i])
    .filter((gap) => gap > BESIDE);
  const [first] = sorted;
  const whole = (step: number) =>
    step > BESIDE && along.every((at) => {
      const slices = Math.round((at - first) / step);
      return Math.abs(at - first - slices * step) <= Math.max(
        BESIDE,
        0.01 * step,
      );
    });
  const [stated = 0] = file.places("x00180088");
  const [thickness = 1] = file.places("x00180050");
  const steps = [
    Math.abs(stated),
    ...gaps.toSorted((a, b) => a - b).slice(0, 1),
  ];
  const step = gaps.length === 0
    ? Math.abs(stated) || thickness || 1
    : steps.find(whole);
  if (step === undefined) {
    throw badFile(
      "the slices of a segmentation must lie at equal distances",
      `${gaps.slice(0, 5).map((gap) => gap.toFixed(3)).join(", ")} mm`,
      file.name,
    );
  }
  const slices = along.map((at) => Math.round((at - first) / step));
  const depth = slices.reduce((most, slice) => Math.max(most, slice + 1), 0);
  if (depth > MOST_SLICES) {
    throw badFile(
      `a segmentation must have at most ${MOST_SLICES} slices`,
      depth,
      file.name,
    );
  }
  const [start, end] = [0, depth - 1].map((slice) =>
    positions[slices.indexOf(slice)]
  );
  const flat = pixels.length === 2 && pixels.every((size) => size > 0);
  if (!flat) return { slices, depth };
  const spacing: [number, number, number] = [step, pixels[0], pixels[1]];
  const between = depth > 1
    ? end.map((x, axis) => (x - start[axis]) / (depth - 1))
    : normalOf(cosines).map((cosine) => cosine * step);
  return {
    slices,
    depth,
    spacing,
    affine: dicomAffine(cosines, start, spacing, between),
  };
}
