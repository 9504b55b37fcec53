import { inKernel } from "./kernel.ts";

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
