import type { Affine, VolumeHeader } from "./_volume_header.ts";

/** Where slices lie in space. */

/** Direction cosines may differ by so much, as they are rounded in files. */
export const SAME_DIRECTION = 1e-3;

/** Positions may lie so far beside equal distances: a share of the distance, and millimeters. */
const UNEVEN = { share: 0.01, millimeters: 0.01 };

/** Slices one behind the other at equal distances. */
export interface Grid {
  /** The slices' indices, in order along their normal. */
  readonly order: readonly number[];
  /** From one slice to the next, in DICOM's millimeters. */
  readonly step: readonly number[];
  /** Its length. */
  readonly between: number;
}

/** The normal of a slice: that of its rows and columns, right-handed. */
export function normalOf([a, b, c, d, e, f]: readonly number[]): number[] {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

/** Whether there are direction cosines, and they stand at right angles. */
export function areCosines(cosines: readonly number[]): boolean {
  return cosines.length === 6 &&
    Math.abs(Math.hypot(...normalOf(cosines)) - 1) <= SAME_DIRECTION;
}

/** How far each position lies along the slices' normal. */
export function alongNormal(
  cosines: readonly number[],
  positions: readonly (readonly number[])[],
): number[] {
  const normal = normalOf(cosines);
  return positions.map((position) =>
    position.reduce((sum, x, axis) => sum + x * normal[axis], 0)
  );
}

/** The grid of two slices or more; undefined where they make none: gaps, or two in one place. */
export function gridOf(
  cosines: readonly number[],
  positions: readonly (readonly number[])[],
): Grid | undefined {
  const along = alongNormal(cosines, positions);
  const order = [...along.keys()].sort((a, b) => along[a] - along[b]);
  const count = order.length;
  const [first, last] = [order[0], order[count - 1]];
  const step = positions[last].map((x, axis) =>
    (x - positions[first][axis]) / (count - 1)
  );
  const between = Math.hypot(...step);
  const allowed = Math.max(UNEVEN.share * between, UNEVEN.millimeters);
  const beside = (index: number, i: number) =>
    Math.hypot(
      ...positions[index].map((x, k) => x - positions[first][k] - i * step[k]),
    );
  const deep = along[last] - along[first] > between * (count - 1) / 2;
  const even = order.every((index, i) => beside(index, i) <= allowed);
  return deep && even ? { order, step, between } : undefined;
}

/**
 * The affine of a slice or a stack of them, where its place is known. DICOM's
 * axes are left, posterior, superior; the result's are right, anterior, superior.
 *
 * @param step From one slice to the next.
 */
export function dicomAffine(
  cosines: readonly number[],
  position: readonly number[],
  [, row, column]: readonly number[],
  step: readonly number[],
): Affine | undefined {
  if (cosines.length !== 6 || position.length !== 3) return undefined;
  const affine = [0, 1, 2].flatMap((axis) =>
    [
      cosines[axis] * column,
      cosines[3 + axis] * row,
      step[axis],
      position[axis],
    ].map((value) => axis < 2 ? -value : value)
  );
  return affine.every(Number.isFinite) ? [...affine, 0, 0, 0, 1] : undefined;
}

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
  /** Millimeters between rows and columns, of all frames, or of each. */
  pixels: readonly number[][];
  /** Millimeters between slices, or of their thickness. */
  stated?: number;
}

/** The known places of frames, and their order along the normal. */
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
