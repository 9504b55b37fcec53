// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { checkOptions } from "../options.ts";
import { displayable } from "../displayable.ts";
import { createRandom, type Random } from "../random.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { fundusScene } from "./_phantom_fundus.ts";
import { kidneyScene } from "./_phantom_abdomen.ts";
import { noduleScene } from "./_phantom_chest.ts";
import {
  blur,
  coverage,
  type Field,
  type Scene,
  union,
} from "./_phantom_paint.ts";
import { InputError } from "../input_error.ts";

/**
 * The kinds of phantoms; masks are of the optic cup, the nodule, the kidney.
 */
export type PhantomKind = "fundus" | "nodule" | "kidney";

/**
 * How a phantom's raters differ:
 *
 * - `generous` draws at the outer edge of the soft border and includes the part,
 * - `strict` draws at the inner edge and leaves the part out,
 * - `with_part` draws at the middle of the border and includes the part,
 * - `without_part` draws there and leaves the part out,
 * - `smooth` draws as `with_part` and rounds every detail off.
 *
 * The part is what is attached and may or may not belong: a nodule's vessel,
 * spicules or ground-glass rim; a kidney's cyst or tumor; the sloping nasal
 * side of an optic cup. Not every nodule and kidney has one.
 */
export type PhantomRater =
  | "generous"
  | "strict"
  | "with_part"
  | "without_part"
  | "smooth";

/** A synthetic image and the masks of its raters. */
export interface Phantom {
  /** Its kind. */
  kind: PhantomKind;
  /** The seed that paints it again. */
  seed: number;
  /** [size, size, C], values 0..1; C = 3 for fundus, else 1. */
  image: NdArray<Float32Array>;
  /** One mask per rater: [size, size], 0 or 1; never empty. */
  masks: Record<PhantomRater, NdArray<Uint8Array>>;
  /** Whether there is an attached part. */
  hasPart: boolean;
}

const SCENES: Record<
  PhantomKind,
  { size: number; paint(random: Random, size: number): Scene }
> = {
  fundus: { size: 128, paint: fundusScene },
  nodule: { size: 71, paint: noduleScene },
  kidney: { size: 128, paint: kidneyScene },
};

/** Every kind of phantom. */
export const PHANTOM_KINDS = Object.keys(SCENES) as PhantomKind[];

/** Every phantom's raters, in order. */
export const PHANTOM_RATERS: PhantomRater[] = [
  "generous",
  "strict",
  "with_part",
  "without_part",
  "smooth",
];

/**
 * Paints a phantom: a synthetic image whose object has a soft border, and five
 * raters who disagree about it in named ways (see {@linkcode PhantomRater}).
 * The same kind, seed and size give the same phantom, bit for bit.
 *
 * @param options.kind What it shows.
 * @param options.seed Any whole number.
 * @param options.size Pixels per side. Default: 71 for a nodule, as the
 * LIDC crops have, and to 128 otherwise. The scene scales with it.
 * @returns The image and the five masks.
 * @throws {RangeError} When the kind is unknown, the seed not a whole number, or the size not a whole number of 32 to 1024.
 *
 * @example Let two raters disagree
 * ```ts
 * import { phantom } from "@spa-seg/spa";
 *
 * const { image, masks } = phantom({ kind: "kidney", seed: 7 });
 * image.shape; // [128, 128, 1]
 * masks.strict.get(64, 64) <= masks.generous.get(64, 64); // true
 * ```
 */
export function phantom(
  options: { kind: PhantomKind; seed: number; size?: number },
): Phantom {
  checkOptions("paint phantom", options, {
    ...{ kind: "string", seed: "number", size: "number" },
  });
  const { kind, seed, size = SCENES[kind]?.size } = options;
  checkKind(kind);
  if (!Number.isInteger(seed)) {
    throw new InputError(
      `Cannot paint phantom as seed must be a whole number: current value is ${seed}`,
    );
  }
  if (!Number.isInteger(size) || size < 32 || size > 1024) {
    throw new InputError(
      `Cannot paint phantom as size must be a whole number of 32 to 1024: current value is ${size}`,
    );
  }
  const random = createRandom(seed, PHANTOM_KINDS.indexOf(kind));
  const scene = SCENES[kind].paint(random, size);
  const { image, channels, part } = scene;
  return {
    kind,
    seed,
    image: ndarray(image, [size, size, channels]),
    masks: rate(scene, size),
    hasPart: part !== undefined,
  };
}

function checkKind(kind: PhantomKind): void {
  if (!Object.hasOwn(SCENES, kind)) {
    throw new InputError(
      `Cannot paint phantom as kind must be one of ${
        PHANTOM_KINDS.join(", ")
      }: current value is ${kind}`,
    );
  }
}

/** The raters' masks of a scene. */
function rate({ object, part, softness }: Scene, size: number) {
  const whole = part ? union(object, part) : object;
  // A border blurred by `softness` crosses 0.16 that far outside, 0.84 inside.
  const soft = (shape: Field, sigma: number) =>
    blur(shape.map((distance) => coverage(distance, 0.7)), size, sigma);
  const mask = (field: Field, above: number) => {
    const values = new Uint8Array(field.length);
    for (let i = 0; i < values.length; i++) {
      values[i] = field[i] > above ? 1 : 0;
    }
    return ndarray(values, [size, size]);
  };
  const inner = soft(object, softness);
  const deepest = inner.reduce((max, value) => Math.max(max, value));
  const area = object.reduce((sum, d) => d > 0 ? sum + 1 : sum, 0);
  const rounding = 0.35 * Math.sqrt(area / Math.PI);
  return {
    generous: mask(soft(whole, softness), 0.16),
    strict: mask(inner, Math.min(0.84, 0.8 * deepest)),
    with_part: mask(whole, 0),
    without_part: mask(object, 0),
    smooth: mask(soft(whole, rounding), 0.45),
  } satisfies Phantom["masks"];
}

/**
 * A dataset of phantoms, painted when asked for. Each case is a patient of its
 * own; `nodule-2-5` is case 5 of seed 2.
 *
 * @param options.count How many cases.
 * @param options.seed Case k, from 0, is the {@linkcode phantom} of seed `seed
 * * 2 ** 20 + k`, so no two seeds share one; it defaults to 0.
 * @param options.kinds Taken in turn. Default: all.
 * @param options.size Pixels per side. Default: each kind's own.
 * @throws {RangeError} When count is not a whole number of 1 to 2 ** 20, or
 * kinds is empty or has an unknown one. A seed or size that {@linkcode phantom}
 * refuses is an error when a case is read.
 */
export function phantoms(
  options: {
    count: number;
    seed?: number;
    kinds?: readonly PhantomKind[];
    size?: number;
  },
): Dataset {
  checkOptions("list phantoms", options, {
    ...{ count: "number", seed: "number", kinds: "array", size: "number" },
  });
  const { count, seed = 0, kinds = PHANTOM_KINDS, size } = options;
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 20) {
    throw new InputError(
      `Cannot list phantoms as count must be a whole number of 1 to ${
        2 ** 20
      }: current value is ${count}`,
    );
  }
  if (kinds.length === 0) {
    throw new InputError(
      "Cannot list phantoms as kinds must name at least one: current value is []",
    );
  }
  kinds.forEach(checkKind);
  const cases = listPhantoms(count, seed, kinds).map(({ id, kind, seed }) => {
    const paint = () => phantom({ kind, seed, size });
    return {
      id,
      patient: id,
      raters: [...PHANTOM_RATERS],
      readImage: () => Promise.resolve().then(() => paint().image),
      readMask: async (rater: string) => {
        const { masks } = await Promise.resolve().then(paint);
        if (!Object.hasOwn(masks, rater)) {
          throw new InputError(
            `Cannot read mask of case ${id} as rater must be one of ${
              PHANTOM_RATERS.join(", ")
            }: current value is ${rater}`,
          );
        }
        return masks[rater as PhantomRater];
      },
    };
  });
  return displayable("dataset", {
    name: `phantoms (${kinds.join(", ")})`,
    cases,
    crops: true,
  });
}

/** The phantoms of the cases of {@linkcode phantoms}. */
export function listPhantoms(
  count: number,
  seed: number,
  kinds: readonly PhantomKind[] = PHANTOM_KINDS,
): (Pick<Phantom, "kind" | "seed"> & { id: string })[] {
  return Array.from({ length: count }, (_, k) => {
    const kind = kinds[k % kinds.length];
    return { id: `${kind}-${seed}-${k}`, kind, seed: seed * 2 ** 20 + k };
  });
}
