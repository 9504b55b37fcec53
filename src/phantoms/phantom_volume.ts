// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Volume } from "../formats/volume.ts";
import { createRandom } from "../random.ts";
import { blur, grain } from "./_phantom_paint.ts";
import {
  type Grid,
  kidneySolid,
  noduleSolid,
  type SolidScene,
  wholeOf,
} from "./_phantom_solids.ts";
import { InputError } from "../input_error.ts";

/** The kinds of phantom volumes. */
export type PhantomVolumeKind = "nodule" | "kidney";

/**
 * How the raters of a phantom volume differ: `generous` draws at the outer edge
 * of the soft border and includes the part, `strict` draws at the inner edge and
 * leaves it out, `with_part` and `without_part` draw at the middle.
 */
export type PhantomVolumeRater =
  | "generous"
  | "strict"
  | "with_part"
  | "without_part";

/** Every kind of phantom volume. */
export const PHANTOM_VOLUME_KINDS: readonly PhantomVolumeKind[] = [
  "nodule",
  "kidney",
];

/** Every phantom volume's raters, in order. */
export const PHANTOM_VOLUME_RATERS: readonly PhantomVolumeRater[] = [
  "generous",
  "strict",
  "with_part",
  "without_part",
];

/** A synthetic volume and the masks of its raters. */
export interface PhantomVolume {
  /** Its kind. */
  readonly kind: PhantomVolumeKind;
  /** The seed that paints it again. */
  readonly seed: number;
  /** Values 0..1, thick slices; see `Volume`. */
  readonly volume: Volume;
  /** One mask per rater: [D, H, W], 0 or 1; never empty. */
  readonly masks: Readonly<Record<PhantomVolumeRater, NdArray<Uint8Array>>>;
}

const SCENES: Record<
  PhantomVolumeKind,
  {
    readonly shape: readonly [number, number, number];
    readonly spacing: readonly [number, number, number];
    readonly paint: (
      random: ReturnType<typeof createRandom>,
      grid: Grid,
    ) => SolidScene;
  }
> = {
  nodule: {
    shape: [16, 64, 64],
    spacing: [1.25, 0.7, 0.7],
    paint: noduleSolid,
  },
  kidney: { shape: [20, 96, 96], spacing: [5, 1.5, 1.5], paint: kidneySolid },
};

/**
 * Paints a phantom volume: a lung nodule with a vessel that runs into it, or a
 * kidney with a cyst. Four raters disagree about its border, and about whether
 * the vessel or the cyst belongs to it. The same kind and seed give the same
 * volume, bit for bit.
 *
 * @param options.kind What it shows.
 * @param options.seed Any whole number.
 * @param options.shape Slices, rows and columns, which default to 16 x 64 x 64
 * for a nodule and 20 x 96 x 96 for a kidney. The scene fills them.
 * @returns The volume and the four masks.
 * @throws {RangeError} When the kind is unknown, the seed not a whole number, or
 * a side not a whole number of 8 to 256 slices, 32 to 512 rows and columns.
 *
 * @example A kidney, with its cyst and without
 * ```ts
 * import { phantomVolume } from "@spa-seg/spa";
 *
 * const { volume, masks } = phantomVolume({ kind: "kidney", seed: 3 });
 * volume.values.shape; // [20, 96, 96, 1]
 * masks.with_part.shape; // [20, 96, 96]
 * ```
 */
export function phantomVolume(
  { kind, seed, shape = SCENES[kind]?.shape }: {
    kind: PhantomVolumeKind;
    seed: number;
    shape?: readonly [number, number, number];
  },
): PhantomVolume {
  if (!Object.hasOwn(SCENES, kind)) {
    throw new InputError(
      `Cannot paint the phantom volume as kind must be one of ${
        PHANTOM_VOLUME_KINDS.join(", ")
      }: current value is ${kind}`,
    );
  }
  if (!Number.isInteger(seed)) {
    throw new InputError(
      `Cannot paint the phantom volume as seed must be a whole number: current value is ${seed}`,
    );
  }
  const sound = shape.length === 3 &&
    shape.every((side, i) =>
      Number.isInteger(side) && side >= (i === 0 ? 8 : 32) &&
      side <= (i === 0 ? 256 : 512)
    );
  if (!sound) {
    throw new InputError(
      `Cannot paint the phantom volume as its shape must be 8 to 256 slices of 32 to 512 rows and columns: current value is [${shape}]`,
    );
  }
  const { spacing, paint } = SCENES[kind];
  const [D, H, W] = shape;
  const random = createRandom(seed, 3, PHANTOM_VOLUME_KINDS.indexOf(kind));
  const scene = paint(random, { shape, step: spacing[0] / spacing[1] });
  const values = scan(random, scene, shape);
  const volume: Volume = {
    values: ndarray(values, [D, H, W, 1]),
    spacing,
    color: false,
    window: [0, 1],
    inverted: false,
    layout: { axes: [2, 1, 0], flipped: [false, false, false] },
  };
  return { kind, seed, volume, masks: masksOf(scene, shape) };
}

/** A scene as a scanner sees it: blurred and grainy within each slice. */
function scan(
  random: ReturnType<typeof createRandom>,
  { values, noise }: SolidScene,
  [D, H, W]: readonly number[],
): Float32Array {
  const side = Math.max(H, W); // of the squares that these brushes take
  const out = new Float32Array(values.length);
  for (let z = 0; z < D; z++) {
    const square = new Float32Array(side * side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        square[y * side + x] =
          values[(z * H + Math.min(y, H - 1)) * W + Math.min(x, W - 1)];
      }
    }
    const seen = blur(square, side, 0.6);
    const speckle = grain(random, side, 0.6);
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++) {
        const value = seen[y * side + x] + noise * speckle[y * side + x];
        out[(z * H + y) * W + x] = Math.min(1, Math.max(0, value));
      }
    }
  }
  return out;
}

/** The raters' masks of a scene. */
function masksOf(scene: SolidScene, shape: readonly number[]) {
  const { object, softness } = scene;
  const whole = wholeOf(scene);
  const mask = (field: Float32Array, above: number) =>
    ndarray(
      Uint8Array.from(field, (distance) => distance > above ? 1 : 0),
      shape.slice(),
    );
  return {
    generous: mask(whole, -softness),
    strict: mask(object, softness),
    with_part: mask(whole, 0),
    without_part: mask(object, 0),
  } satisfies PhantomVolume["masks"];
}
