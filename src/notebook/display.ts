/**
 * How this module's values show themselves: as the last expression of a
 * notebook's cell, and on a console. Importing it registers them all.
 *
 * @module
 */

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
guardOutputs();
