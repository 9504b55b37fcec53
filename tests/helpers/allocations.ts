/** Counts what reading a file takes of memory. */

/** What one piece of work took, in bytes. */
export interface Allocated {
  /** Of all typed arrays and buffers together that its own code made, freed or not. */
  requested: number;
  /** Of the largest of them. */
  largest: number;
  /**
   * How far the process's resident memory rose at its highest, native code
   * included: a number to look at, as the runtime adds what it likes. 0 where
   * the system does not tell.
   */
  resident: number;
}

/** Constructors of memory; the rest of the runtime has its own, which the resident memory shows. */
const NAMES = [
  ...["ArrayBuffer", "Int8Array", "Uint8Array", "Uint8ClampedArray"],
  ...["Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
  ...["Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
];
/**
 * Puts counters in place of the constructors of typed arrays, until it is disposed.
 *
 * @returns Starts to count; what that gives tells what was allocated since.
 */
export function countAllocations(): (() => () => Allocated) & Disposable {
  const scope = globalThis as unknown as Record<string, unknown>;
  const memory = residentMemory();
  let [requested, largest] = [0, 0];
  const add = (bytes: number) => {
    requested += bytes;
    largest = Math.max(largest, bytes);
  };
  const undo: (() => void)[] = [];
  for (const name of NAMES) {
    const own = scope[name] as new (...given: unknown[]) => ArrayBufferLike;
    const counted: typeof own = new Proxy(own, {
      construct(_, given, target): ArrayBufferLike {
        const made: ArrayBufferLike = Reflect.construct(
          own,
          given,
          target === counted ? own : target,
        );
        const view = given[0] instanceof ArrayBuffer ||
          given[0] instanceof SharedArrayBuffer;
        if (!view || name === "ArrayBuffer") add(made.byteLength);
        return made;
      },
    });
    scope[name] = counted;
    // who looks at a value's constructor finds the same, and copies are counted
    own.prototype.constructor = counted;
    undo.push(() => {
      scope[name] = own;
      own.prototype.constructor = own;
    });
  }
  const start = () => {
    [requested, largest] = [0, 0];
    const before = memory.restart();
    return () => ({
      ...{ requested, largest },
      resident: Math.max(memory.highest() - before, 0),
    });
  };
  return Object.assign(start, {
    [Symbol.dispose]() {
      undo.forEach((back) => back());
      memory.close();
    },
  });
}

/** Keeps the most of each kind, by what it was taken for. */
export function takeWorst(
  worst: Record<string, Allocated>,
  of: string,
  { requested, largest, resident }: Allocated,
): void {
  const { requested: r = 0, largest: l = 0, resident: s = 0 } = worst[of] ?? {};
  worst[of] = {
    requested: Math.max(r, requested),
    largest: Math.max(l, largest),
    resident: Math.max(s, resident),
  };
}

/** Looks at the resident memory, by files that stay open as there are many looks. */
function residentMemory() {
  let status: Deno.FsFile, reset: Deno.FsFile;
  try { // Linux
    reset = Deno.openSync("/proc/self/clear_refs", { write: true });
    status = Deno.openSync("/proc/self/status");
  } catch {
    return { restart: () => 0, highest: () => 0, close() {} };
  }
  const [text, mark] = [new Uint8Array(4096), new TextEncoder().encode("5")];
  const highest = () => {
    status.seekSync(0, Deno.SeekMode.Start);
    const length = status.readSync(text) ?? 0;
    const lines = new TextDecoder().decode(text.subarray(0, length));
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(lines)?.[1] ?? 0);
  };
  return {
    highest,
    /** Tells the highest anew; gives what it is now. */
    restart() {
      reset.writeSync(mark);
      return highest();
    },
    close() {
      status.close();
      reset.close();
    },
  };
}
