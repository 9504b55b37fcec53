// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import {
  type Affine,
  AS_STORED,
  determinant,
  type Layout,
} from "./_volume_header.ts";

/** A mask's voxels in an image's order, or why they do not lie on the image's. */
export type OnGrid =
  | { mask: NdArray<Uint8Array> }
  /** Its sides in the image's order are others. */
  | { sides: readonly number[] }
  /** Its corners lie so many millimeters beside. */
  | { apart: number };

/**
 * A mask as a view in the order of an image's slices, rows and columns, by
 * where both lie in space: a sagittal image and an axial mask of the same
 * voxels are of one grid.
 *
 * @param mask [D, H, W].
 * @param affine The mask's, from (column, row, slice) to millimeters.
 */
export function onGrid(
  mask: NdArray<Uint8Array>,
  affine: Affine,
  image: {
    readonly affine: Affine;
    readonly shape: readonly number[];
    readonly spacing: readonly number[];
  },
): OnGrid {
  const turn = product(inverse(affine), image.affine);
  const axes = [0, 0, 0]; // the mask's axis of each of the image's
  const back = [false, false, false];
  const free = [0, 1, 2];
  const share = (axis: number, k: number) =>
    turn[3 * axis + k] / Math.hypot(turn[k], turn[3 + k], turn[6 + k]);
  const strength = (k: number) =>
    Math.max(...[0, 1, 2].map((axis) => Math.abs(share(axis, k))));
  for (const k of [0, 1, 2].sort((a, b) => strength(b) - strength(a))) {
    const axis = free.reduce((best, next) =>
      Math.abs(share(next, k)) > Math.abs(share(best, k)) ? next : best
    );
    free.splice(free.indexOf(axis), 1);
    axes[k] = axis;
    back[k] = share(axis, k) < 0;
  }
  // Axes count columns, rows, slices; sides slices, rows, columns.
  const view = mask
    .transpose(...[2, 1, 0].map((k) => 2 - axes[k]))
    .step(...[2, 1, 0].map((k) => back[k] ? -1 : 1));
  const sides = image.shape.slice(0, 3);
  if (`${view.shape}` !== `${sides}`) return { sides: view.shape };

  const column = (k: number, row: number) =>
    affine[row + axes[k]] * (back[k] ? -1 : 1);
  const rows = [0, 4, 8];
  const origin = rows.map((row) =>
    [0, 1, 2].reduce(
      (sum, k) => sum - (back[k] ? column(k, row) * (sides[2 - k] - 1) : 0),
      affine[row + 3],
    )
  );
  let apart = 0;
  for (let corner = 0; corner < 8; corner++) {
    const at = [0, 1, 2].map((k) => corner >> k & 1 ? sides[2 - k] - 1 : 0);
    const away = Math.hypot(...rows.map((row, i) =>
      at.reduce(
        (sum, index, k) =>
          sum + (image.affine[row + k] - column(k, row)) * index,
        image.affine[row + 3] - origin[i],
      )
    ));
    if (!(away <= apart)) apart = away;
  }
  return apart < Math.min(...image.spacing) / 2 ? { mask: view } : { apart };
}

/** The inverse of the upper left 3 x 3 of an affine, row by row. */
function inverse(m: Affine): number[] {
  const size = determinant(m);
  const minor = (i: number, j: number) => {
    const [a, b] = [0, 1, 2].filter((k) => k !== i);
    const [c, d] = [0, 1, 2].filter((k) => k !== j);
    return m[4 * a + c] * m[4 * b + d] - m[4 * a + d] * m[4 * b + c];
  };
  return [0, 1, 2].flatMap((i) =>
    [0, 1, 2].map((j) => (-1) ** (i + j) * minor(j, i) / size)
  );
}

/** A 3 x 3 matrix times the upper left 3 x 3 of an affine. */
function product(a: readonly number[], b: Affine): number[] {
  return [0, 1, 2].flatMap((i) =>
    [0, 1, 2].map((j) =>
      [0, 1, 2].reduce((sum, k) => sum + a[3 * i + k] * b[4 * k + j], 0)
    )
  );
}

/** Whether a volume is shown as its file stores it: then an array that knows no place has its order. */
export function isAsStored({ axes, flipped }: Layout): boolean {
  return `${axes}` === `${AS_STORED.axes}` && !flipped.includes(true);
}
