import {
  areCosines,
  dicomAffine,
  gridOf,
  normalOf,
  SAME_DIRECTION,
} from "./_dicom_grid.ts";
import type { VolumeHeader } from "./_volume_header.ts";

/** What a DICOM file's header says of where its frames lie. */
export interface StatedPlace {
  frames: number;
  /** Direction cosines of all frames, or of each. */
  cosines: readonly number[][];
  /** Where the first pixel of all frames lies. */
  position: readonly number[];
  /** Where that of each lies; empty where it is not told. */
  positions: readonly number[][];
  /** How far each lies along the normal, behind the first: of dose grids. */
  offsets: readonly number[];
  /** Millimetres between rows and columns, of all frames, or of each. */
  pixels: readonly number[][];
  /** Millimetres between slices, or of their thickness. */
  stated?: number;
}

/** Where frames lie, as far as it is known, and the order in which they lie one behind the other. */
export interface Place extends Pick<VolumeHeader, "spacing" | "affine"> {
  order?: readonly number[];
}

/**
 * The place of a file's frames. Where the file tells each frame's position, they
 * are put in order along their normal; frames that make no grid there (times or
 * echoes of one place, gaps, several directions) stay in their order, and what
 * lies between them is unknown.
 */
export function placeOf(place: StatedPlace): Place {
  const { frames, cosines: [cosines = []], position, offsets, stated } = place;
  const [pixels = []] = place.pixels;
  const flat = pixels.length === 2 && pixels.every((size) => size > 0);
  const sizes = (between: number): VolumeHeader["spacing"] =>
    flat ? [between, pixels[0], pixels[1]] : undefined;
  let positions = place.positions;
  if (
    positions.length === 0 && offsets.length === frames && frames > 1 &&
    position.length === 3 && areCosines(cosines)
  ) {
    const normal = normalOf(cosines);
    positions = offsets.map((offset) =>
      position.map((x, axis) => x + (offset - offsets[0]) * normal[axis])
    );
  }
  if (frames > 1 && positions.length > 0) {
    const grid = areAlike(place.cosines, (a, b) => Math.abs(a - b)) &&
        areAlike(place.pixels, (a, b) => Math.abs(a / b - 1)) &&
        areCosines(cosines) && positions.length === frames &&
        positions.every((each) => each.length === 3)
      ? gridOf(cosines, positions)
      : undefined;
    if (!grid) return {};
    const { order, step } = grid;
    const spacing = sizes(grid.between);
    const first = positions[order[0]];
    return {
      spacing,
      affine: spacing && dicomAffine(cosines, first, spacing, step),
      order,
    };
  }
  // A slice by itself has no next one: any number may stand for the distance.
  const between = Math.abs(stated ?? 0) || (frames === 1 ? 1 : undefined);
  const spacing = between === undefined ? undefined : sizes(between);
  const step = normalOf(cosines).map((cosine) => cosine * (between ?? NaN));
  return {
    spacing,
    affine: spacing && dicomAffine(cosines, position, spacing, step),
  };
}

/** Whether lists of numbers are as the first, up to rounding. */
function areAlike(
  lists: readonly number[][],
  apart: (a: number, b: number) => number,
): boolean {
  const [first] = lists;
  return lists.every((list) =>
    list.length === first.length &&
    list.every((value, i) => apart(value, first[i]) <= SAME_DIRECTION)
  );
}
