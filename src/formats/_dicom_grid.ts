/** Where slices lie in space. */

import type { Affine } from "../datasets/_layout.ts";

/** Direction cosines may differ by so much, as they are rounded in files. */
export const SAME_DIRECTION = 1e-3;

/** Positions may lie so far beside equal distances: a share of the distance, and millimetres. */
const UNEVEN = { share: 0.01, millimetres: 0.01 };

/** Slices one behind the other at equal distances. */
export interface Grid {
  /** The slices' indices, in order along their normal. */
  readonly order: readonly number[];
  /** From one slice to the next, in DICOM's millimetres. */
  readonly step: readonly number[];
  /** Its length. */
  readonly between: number;
}

/** The normal of a slice: that of its rows and columns, right-handed. */
export function normalOf([a, b, c, d, e, f]: readonly number[]): number[] {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

/** Whether direction cosines are there, and of two directions at right angles. */
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
  const allowed = Math.max(UNEVEN.share * between, UNEVEN.millimetres);
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
