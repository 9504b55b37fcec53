/**
 * How values come to show themselves in a notebook and on a console while the
 * code that makes them knows neither: it names the kind of a value, and whoever
 * draws registers how a kind is shown.
 *
 * @module
 */

/** How the values of one kind are shown. */
export interface Display<T> {
  /** One or a few lines of text. */
  readonly describe: (value: T) => string;
  /** The forms a notebook chooses from, by mime type. */
  readonly display: (value: T) => Promise<Record<string, unknown>>;
}

const JUPYTER_DISPLAY = Symbol.for("Jupyter.display");
const INSPECT = Symbol.for("Deno.customInspect");

// deno-lint-ignore no-explicit-any -- each kind has values of its own type
const displays = new Map<string, Display<any>>();

/** Says how the values of a kind are shown from now on. */
export function registerDisplay<T>(kind: string, display: Display<T>): void {
  displays.set(kind, display);
}

/**
 * Names the kind of a value, or, given a class's prototype, of its instances.
 * The value does not change for any other purpose: what is added cannot be
 * enumerated, and is undefined until the kind's display is registered.
 *
 * @returns The value.
 */
export function displayable<T extends object>(kind: string, value: T): T {
  return Object.defineProperties(value, {
    [JUPYTER_DISPLAY]: {
      get(this: T) {
        const shown = displays.get(kind);
        return shown && (() => shown.display(this));
      },
    },
    [INSPECT]: {
      get(this: T) {
        const shown = displays.get(kind);
        return shown && (() => shown.describe(this));
      },
    },
  });
}
