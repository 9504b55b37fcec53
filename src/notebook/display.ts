/**
 * How this module's values show themselves: as the last expression of a
 * notebook's cell, and on a console. Importing it registers them all.
 *
 * @module
 */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { registerDisplay } from "../displayable.ts";
import {
  describe,
  figureOf,
  type Showable,
  type ShowOptions,
} from "../figures/figure_of.ts";
import {
  type Bundle,
  displayBundle,
  guardOutputs,
  inKernel,
  showPlain,
} from "./kernel.ts";

/** Names of the outputs in which values were shown. */
const places = new WeakMap<object, string>();

/** The forms of a value for a notebook. */
async function bundleOf(
  value: Showable,
  options?: ShowOptions,
): Promise<Bundle> {
  const nothing = Array.isArray(value) && value.length === 0;
  const figure = nothing ? undefined : figureOf(value, options);
  return { ...await figure?.toBundle(), "text/plain": describe(value) };
}

/**
 * Shows a value now, anywhere in a cell. Outside a notebook it prints a few
 * lines about the value.
 *
 * @param value What is shown.
 * @param options What its figure says besides the value. `replaces`: a value
 * that was shown before and whose place this one takes; by default it is an
 * output of its own.
 * @throws In a notebook, as {@linkcode figureOf}.
 *
 * @example In the middle of a cell
 * ```ts ignore
 * await show(proposal, { truth });
 * ```
 *
 * @example A curve that grows
 * ```ts ignore
 * const longer = diceFigure({ series });
 * await show(longer, { replaces: curve });
 * curve = longer;
 * ```
 */
export async function show(
  value: Showable,
  { replaces, ...options }: ShowOptions & { replaces?: Showable } = {},
): Promise<void> {
  if (!inKernel()) return console.log(describe(value));
  const place = replaces && places.get(replaces);
  const id = place ?? crypto.randomUUID();
  places.set(value, id);
  const update = place !== undefined;
  await displayBundle(bundleOf(value, options), { id, update });
}

for (
  const kind of [
    "session",
    "volumeSession",
    "proposal",
    "candidate",
    "model",
    "dataset",
    "evaluation",
  ] as const
) {
  registerDisplay<Showable>(kind, {
    describe,
    display: (value) => bundleOf(value),
  });
}
showPlain((value) => isPlain(value) ? bundleOf(value) : undefined);
guardOutputs();

/** Whether a value is an image, a mask, a volume or a preference: plain data. */
function isPlain(value: unknown): value is Showable {
  if (typeof value !== "object" || value === null) return false;
  if ("layout" in value && "spacing" in value && "values" in value) return true;
  if ("distribution" in value && "feedback" in value) return true;
  const { shape, dtype, data } = value as Partial<
    NdArray<Float32Array> | NdArray<Uint8Array>
  >;
  if (!Array.isArray(shape) || !shape.every((side) => side > 0)) return false;
  const flat = shape.length === 2;
  if (dtype === "uint8") return flat && within(data!, 1);
  const image = flat || shape.length === 3 && [1, 3].includes(shape[2]);
  return dtype === "float32" && image && within(data!, 1);
}

/** Whether all values are in 0..max. */
function within(values: ArrayLike<number>, max: number): boolean {
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] >= 0 && values[i] <= max)) return false;
  }
  return true;
}
