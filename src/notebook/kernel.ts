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
  broadcast(type: string, content: object): Promise<void>;
  format(value: unknown): Promise<Bundle>;
}

/** What the kernel calls at the end of every cell; not part of its API. */
interface KernelInternals {
  broadcastResult(count: number, result: unknown): Promise<void>;
}

/** Milliseconds that an output takes to be passed on; all on a machine that is not busy. */
const DELAY = 25;
/** Characters of output that are passed on in a millisecond. */
const SPEED = 4000;
/** Milliseconds of one output, however small. */
const EACH = 2;
/** Milliseconds of a turn of waiting: as many turns as outputs, at least. */
const TURN = EACH;

const JUPYTER_DISPLAY = Symbol.for("Jupyter.display");
const GUARDED = Symbol.for("spa.guarded");

/** Outputs under way, without those of the cell's own code. */
const pending = new Set<Promise<void>>();
/** The outputs before: what is shown first stands first, however long it takes. */
let before: Promise<void> = Promise.resolve();
/** How many cells have ended; undefined where that is not known. */
let cell: number | undefined;
/** When the outputs so far will have been passed on, by `performance.now`. */
let clearAt = 0;

/** The kernel's API; undefined where this is no kernel. */
function jupyter(deno: object = Deno): Jupyter | undefined {
  try { // outside the kernel, already looking at it throws
    const api = (deno as { jupyter?: Jupyter }).jupyter;
    return typeof api?.display === "function" ? api : undefined;
  } catch {
    return undefined;
  }
}

/** Which cell runs, as a number of its own; undefined where that is not known. */
export function currentCell(): number | undefined {
  return cell;
}

/** Whether this runs in a Jupyter kernel. */
export function inKernel(): boolean {
  return jupyter() !== undefined;
}

/** How {@linkcode displayBundle} shows an output. */
export interface BundleOptions {
  /** A name to update the output by; none by default. */
  id?: string;
  /** Whether to replace the output of that name. Default: false. */
  update?: boolean;
  /** What its picture shows, for those who cannot see it; nothing by default. */
  alt?: string;
}

/**
 * Shows an output in the cell that runs, and waits until it has been passed on;
 * nothing outside a kernel. The cell waits for it from the call on, awaited or
 * not, and so do the outputs that are shown after it.
 *
 * @param bundle The output's forms, as they are or still to be drawn.
 * @param options Its name and its picture's text.
 */
export async function displayBundle(
  bundle: Bundle | Promise<Bundle>,
  options: BundleOptions = {},
): Promise<void> {
  const api = jupyter();
  if (!api) return;
  const earlier = before;
  const displayed = (async () => {
    const forms = await bundle;
    await earlier;
    await displayNow(api, forms, options);
  })();
  before = displayed.catch(() => earlier);
  const shown = displayed.then(passedOn);
  const settled = shown.catch(() => {}).finally(() => pending.delete(settled));
  pending.add(settled);
  await shown;
}

async function displayNow(
  api: Jupyter,
  bundle: Bundle,
  { id, update = false, alt }: BundleOptions,
): Promise<void> {
  const transient = id === undefined ? {} : { display_id: id };
  if (alt === undefined) {
    return await api.display(bundle, { raw: true, update, ...transient });
  }
  count(bundle); // the kernel's own `display` has no metadata
  await api.broadcast(update ? "update_display_data" : "display_data", {
    data: bundle,
    metadata: { "image/png": { alt } },
    transient,
  });
}

/**
 * Makes every cell wait until its outputs have been passed on. It patches what
 * the kernel calls at the end of a cell, the kernel's `display` and the console;
 * nothing else in this module patches anything. Where the kernel is made in
 * another way than this knows, it says so once and leaves all as it is. Outside
 * a kernel, and the second time, it does nothing.
 *
 * @param deno The runtime; its internals are no part of its API.
 * @param output The console whose outputs are counted, and that is told.
 */
export function guardOutputs(
  deno: object = Deno,
  output: Pick<Console, typeof METHODS[number]> = console,
): void {
  const api = jupyter(deno);
  if (!api || GUARDED in api) return;
  Object.defineProperty(api, GUARDED, { value: true });
  const internals = internalsOf(deno);
  if (!internals || !Object.isExtensible(api)) {
    output.warn(
      "The last outputs of a cell may be lost or stand in the next cell: this " +
        "module knows the Jupyter kernel of Deno 2.9, and this one is made in " +
        "another way. Everything else works.",
    );
    return;
  }
  const { broadcastResult } = internals;
  cell = 0;
  internals.broadcastResult = async (count, result) => {
    await Promise.all(pending);
    cell!++;
    const shown = result === undefined ? undefined : measured(api, result);
    await broadcastResult(count, shown);
    await passedOn();
  };

  const { display } = api;
  api.display = async (value, options = {}) => {
    const shown = options.raw ? value : measured(api, value);
    if (options.raw) count(value as Bundle);
    await display(shown, options);
  };

  for (const name of METHODS) {
    const print = output[name];
    output[name] = (...values: unknown[]) => {
      count({});
      print(...values);
    };
  }
}

/** What prints. */
const METHODS = ["log", "info", "debug", "warn", "error"] as const;

/** The kernel's internals, where they are as this module knows them. */
function internalsOf(deno: object): KernelInternals | undefined {
  try {
    // deno-lint-ignore no-explicit-any -- internals have no types
    const { internal } = deno as any;
    // deno-lint-ignore no-explicit-any -- as above
    const found = (deno as any)[internal].jupyter;
    const own = Object.getOwnPropertyDescriptor(found, "broadcastResult");
    const known = typeof found.broadcastResult === "function" &&
      found.broadcastResult.length === 2 && own?.writable !== false;
    return known ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The forms of values that cannot know themselves how they are shown. */
let own: (value: unknown) => Promise<Bundle> | undefined = () => undefined;

/** Says how plain values are shown; undefined leaves one to the kernel. */
export function showPlain(forms: typeof own): void {
  own = forms;
}

/** The value, its output counted when it is made. */
function measured(api: Jupyter, value: unknown) {
  return {
    [JUPYTER_DISPLAY]: async () => {
      const bundle = await own(value) ?? await api.format(value);
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

/**
 * Waits in turns, not at once: another thread passes the outputs on, and where
 * the machine is busy this thread wakes late from every turn, about as late as
 * that one gets to work. One long sleep would be late only once.
 */
async function passedOn(): Promise<void> {
  const wait = Math.max(clearAt - performance.now(), 0) + DELAY;
  for (let turn = 0; turn < wait / TURN; turn++) {
    await new Promise((resolve) => setTimeout(resolve, TURN));
  }
}

/**
 * Does work that an interrupt (SIGINT: the notebook's square, Ctrl+C) stops
 * where it looks at its signal. Without a listener it would end the kernel, and
 * with it all that the cells before have made.
 *
 * Outside a notebook the second interrupt ends the process as ever.
 *
 * @param work Told of an interrupt, and of the caller's own abort, by a signal.
 * @param options.doing What must not be interrupted, as "pick".
 * @param options.left What the interrupt leaves behind.
 * @param options.signal The caller's; none by default.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { doing, left, signal }: {
    doing: string;
    left: string;
    signal?: AbortSignal;
  },
): Promise<T> {
  const interrupt = new AbortController();
  const onInterrupt = () => {
    if (!inKernel()) Deno.removeSignalListener("SIGINT", onInterrupt);
    interrupt.abort(
      new DOMException(
        `Cannot ${doing} as it must not be interrupted: ` +
          `current value is an interrupt; ${left}`,
        "AbortError",
      ),
    );
  };
  const signals = [interrupt.signal, ...(signal ? [signal] : [])];
  Deno.addSignalListener("SIGINT", onInterrupt);
  try {
    return await work(AbortSignal.any(signals));
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
  }
}

/** Milliseconds in which an interrupt that has come is heard of. */
const HEARING = 5;

/**
 * Stops where an interrupt has come: between two pieces of work, or after a
 * prompt, which leave no time to hear of one.
 */
export async function stopHere(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, HEARING));
  signal.throwIfAborted();
}
