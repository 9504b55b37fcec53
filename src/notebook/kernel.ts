/**
 * The Jupyter kernel this module may run in. It passes outputs on by a queue
 * beside the one of the cells' replies, so that the last outputs of a cell come
 * too late, and are lost or stand in the next cell, unless the cell waits.
 */

/** The forms of one output, by mime type. */
export type Bundle = Record<string, unknown>;

interface DisplayOptions {
  raw?: boolean;
  update?: boolean;
  display_id?: string;
}

interface Jupyter {
  display(value: unknown, options?: DisplayOptions): Promise<void>;
  format(value: unknown): Promise<Bundle>;
}

/** What the kernel calls at the end of every cell; not part of its API. */
interface KernelInternals {
  broadcastResult(count: number, result: unknown): Promise<void>;
}

/** Milliseconds that an output takes to be passed on; all three on a busy machine. */
const DELAY = 25;
/** Characters of output that are passed on in a millisecond. */
const SPEED = 4000;
/** Milliseconds of one output, however small. */
const EACH = 2;

const JUPYTER_DISPLAY = Symbol.for("Jupyter.display");
const GUARDED = Symbol.for("spa.guarded");

/** Outputs under way, without those of the cell's own code. */
const pending = new Set<Promise<void>>();
/** When the outputs so far will have been passed on, by `performance.now`. */
let clearAt = 0;

/** The kernel's API; undefined where this is no kernel. */
function jupyter(): Jupyter | undefined {
  try { // outside the kernel, already looking at it throws
    const api = (Deno as unknown as { jupyter?: Jupyter }).jupyter;
    return typeof api?.display === "function" ? api : undefined;
  } catch {
    return undefined;
  }
}

/** Whether this runs in a Jupyter kernel. */
export function inKernel(): boolean {
  return jupyter() !== undefined;
}

/**
 * Shows an output in the cell that runs, and waits until it has been passed on;
 * nothing outside a kernel.
 *
 * @param bundle The output's forms.
 * @param options.id A name to update the output by; none by default.
 * @param options.update Whether to replace the output of that name, which
 * defaults to false.
 */
export async function displayBundle(
  bundle: Bundle,
  { id, update = false }: { id?: string; update?: boolean } = {},
): Promise<void> {
  const api = jupyter();
  if (!api) return;
  const shown = api.display(bundle, {
    raw: true,
    update,
    ...(id === undefined ? {} : { display_id: id }),
  }).then(passedOn);
  const settled = shown.catch(() => {}).finally(() => pending.delete(settled));
  pending.add(settled);
  await shown;
}

/**
 * Makes every cell wait until its outputs have been passed on. Does nothing
 * outside a kernel, and nothing the second time.
 */
export function guardOutputs(): void {
  const api = jupyter();
  if (!api) return;
  try {
    // deno-lint-ignore no-explicit-any -- internals have no types
    const deno = Deno as any;
    const internals: KernelInternals = deno[deno.internal].jupyter;
    if (GUARDED in internals.broadcastResult) return;

    const { broadcastResult } = internals;
    const guarded = async (count: number, result: unknown) => {
      await Promise.all(pending);
      const shown = result === undefined ? undefined : measured(api, result);
      await broadcastResult(count, shown);
      await passedOn();
    };
    internals.broadcastResult = Object.assign(guarded, { [GUARDED]: true });

    const { display } = api;
    api.display = async (value, options = {}) => {
      const shown = options.raw ? value : measured(api, value);
      if (options.raw) count(value as Bundle);
      await display(shown, options);
    };

    for (const name of ["log", "info", "debug", "warn", "error"] as const) {
      const print = console[name];
      console[name] = (...values: unknown[]) => {
        count({});
        print(...values);
      };
    }
  } catch {
    // A kernel made in another way: it is as good as it is.
  }
}

/** The value, its output counted when it is made. */
function measured(api: Jupyter, value: unknown) {
  return {
    [JUPYTER_DISPLAY]: async () => {
      const bundle = await api.format(value);
      count(bundle);
      return bundle;
    },
  };
}

function count(bundle: Bundle): void {
  let size = 0;
  for (const form of Object.values(bundle)) {
    size += (typeof form === "string" ? form : JSON.stringify(form) ?? "")
      .length;
  }
  clearAt = Math.max(clearAt, performance.now()) + EACH + size / SPEED;
}

async function passedOn(): Promise<void> {
  const wait = Math.max(clearAt - performance.now(), 0) + DELAY;
  await new Promise((resolve) => setTimeout(resolve, wait));
}
