/** Cases to train on, in memory. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import type { Case } from "../datasets/dataset.ts";
import { digest } from "../digest.ts";
import type { Random } from "../random.ts";
import { InputError } from "../input_error.ts";

/** A case in memory. */
export interface TrainingCase {
  /** [H, W, C], C 1 or 3; 0..1, though any finite value is taken. */
  readonly image: NdArray<Float32Array>;
  /**
   * The raters' masks, [H, W] each, 0 or 1; empty ones are passed over. A case
   * without any has synthetic targets alone.
   */
  readonly masks: readonly NdArray<Uint8Array>[];
  /**
   * The distinct names of the masks' raters, where a name is the same person in
   * every case; without them nobody knows who drew what.
   */
  readonly raters?: readonly string[];
  /**
   * Its data set. A set is drawn in proportion to the square root of its number
   * of cases, so that large sets do not drown small ones. Cases without a name
   * are one set.
   */
  readonly set?: string;
  /**
   * What the same raters marked in the slices beside it, where it is a slice of a
   * volume: a user may begin with that.
   */
  readonly neighbors?: readonly Pick<TrainingCase, "masks" | "raters">[];
}

const ids = new WeakMap<TrainingCase, string>();

/** Tells cases apart, whatever their order: a digest of image, masks and raters. */
export function idOf(item: TrainingCase): string {
  const known = ids.get(item);
  if (known) return known;
  const { image, masks, raters } = item;
  const id = digest([
    JSON.stringify([raters, image.shape, masks.length]),
    ...[image, ...masks].map(({ data }) => data as Float32Array | Uint8Array),
  ]);
  ids.set(item, id);
  return id;
}

/** Tells training data apart: a digest of all images, masks and raters, in order. */
export function digestOf(cases: readonly TrainingCase[]): string {
  return digest(cases.map((item) => `${item.set ?? ""} ${idOf(item)}\n`));
}

/** Cases by set, and the sum of the sets' shares up to each one. */
interface Sets {
  readonly lists: readonly (readonly TrainingCase[])[];
  readonly sums: readonly number[];
}

const setsOfCases = new WeakMap<readonly TrainingCase[], Sets>();

/** Draws one of the cases: a set by the square root of its size, and one of it. */
export function drawFrom(
  cases: readonly TrainingCase[],
  random: Random,
): TrainingCase {
  let sets = setsOfCases.get(cases);
  if (!sets) {
    const lists = [...Map.groupBy(cases, ({ set }) => set).values()];
    let sum = 0;
    const sums = lists.map((list) => sum += Math.sqrt(list.length));
    sets = { lists, sums };
    setsOfCases.set(cases, sets);
  }
  const at = random.uniform() * sets.sums.at(-1)!;
  const list = sets.lists[sets.sums.findIndex((sum) => at < sum)];
  return list[random.integer(list.length)];
}

/** Whether a rater marked anything in a case. */
export function isMarked({ masks }: Pick<TrainingCase, "masks">): boolean {
  return masks.some((mask) => contiguous(mask).data.some((value) => value > 0));
}

/** How many slices away a neighbor is, at most. */
const FARTHEST = 3;

/** Tells every slice of a volume what was marked in those beside it. */
export function withNeighbors(
  cases: readonly { item: TrainingCase; slice: Case["slice"] }[],
): TrainingCase[] {
  const volumes = Map.groupBy(cases, ({ slice }) => slice?.volume);
  return cases.map(({ item, slice }) => {
    if (!slice) return item;
    const beside = volumes.get(slice.volume)!.filter((other) => {
      const apart = Math.abs(other.slice!.index - slice.index);
      return apart >= 1 && apart <= FARTHEST;
    });
    const neighbors = beside.map(({ item: { masks, raters } }) => ({
      masks,
      ...(raters && { raters }),
    }));
    return { ...item, neighbors };
  });
}

/** The error of cases that cannot be trained on. */
function refused(rule: string, found: unknown): RangeError {
  return new InputError(`Cannot train as ${rule}: current value is ${found}`);
}

/** Refuses a case whose parts do not fit, by its place among the cases. */
function checkCase(
  { image, masks, raters, neighbors }: TrainingCase,
  index: number,
) {
  const name = `cases[${index}]`;
  const [height, width, channels] = image.shape;
  if (image.shape.length !== 3 || channels !== 1 && channels !== 3) {
    throw refused(
      `${name}.image must be [H, W, 1] or [H, W, 3]`,
      `[${image.shape}]`,
    );
  }
  const checkSizes = (of: string, masks: readonly NdArray<Uint8Array>[]) => {
    for (const [r, { shape }] of masks.entries()) {
      if (`${shape}` === `${[height, width]}`) continue;
      throw refused(
        `${of}.masks[${r}] must be of its image's size, [${height},${width}]`,
        `[${shape}]`,
      );
    }
  };
  const found = image.data.find((value) => !Number.isFinite(value));
  if (found !== undefined) throw refused(`${name}.image must be finite`, found);
  checkSizes(name, masks);
  neighbors?.forEach(({ masks }, n) =>
    checkSizes(`${name}.neighbors[${n}]`, masks)
  );
  if (!raters) return;
  if (raters.length !== masks.length) {
    throw refused(
      `${name}.raters must be as many as its masks, ${masks.length}`,
      raters.length,
    );
  }
  const twice = raters.find((rater, r) => raters.indexOf(rater) !== r);
  if (twice === undefined) return;
  throw refused(`${name}.raters must be distinct`, `${twice} twice`);
}

/**
 * The cases in memory order, as drawing takes them.
 *
 * @param synthetic Whether there are synthetic targets, for which a case needs no
 * mask.
 * @throws {RangeError} When a case's image is of another rank or not finite, its
 * masks or raters do not fit it, or there are cases and all masks of all are
 * empty.
 */
export function orderCases(
  cases: readonly TrainingCase[],
  synthetic = false,
): TrainingCase[] {
  const inOrder = ({ masks }: Pick<TrainingCase, "masks">) => ({
    masks: masks.map((mask) => contiguous(mask)),
  });
  const ordered = cases.map(({ image, neighbors, ...rest }) => ({
    ...rest,
    ...inOrder(rest),
    image: contiguous(image),
    ...(neighbors && {
      neighbors: neighbors.map((item) => ({ ...item, ...inOrder(item) })),
    }),
  }));
  ordered.forEach(checkCase);
  if (synthetic || cases.length === 0 || ordered.some(isMarked)) return ordered;
  throw refused(
    "a case must have a mask that is not empty",
    `${cases.length} cases without`,
  );
}
