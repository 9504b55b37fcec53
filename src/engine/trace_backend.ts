/**
 * A tfjs backend that computes nothing: each kernel adds nodes to the graph of
 * the function being traced. tfjs's own gradients only call more kernels, so
 * they are recorded as well.
 *
 * @module
 */

import * as tf from "./tf.ts";
import { Graph, numberIn, sameShape, type Value } from "./graph.ts";
import { reshape } from "./operators.ts";
import { type DType, type HostData, sizeOf, zeros } from "./tensors.ts";

/** The error of a function that cannot become a program. */
export class TraceError extends Error {
  override name = "TraceError";
}

/** One function's tracing. */
export class Tracing {
  readonly graph: Graph;
  /** Tensors that the function took from outside its inputs. */
  readonly captured = { count: 0, bytes: 0 };
  /** The first error, even if the function caught it. */
  violation: TraceError | undefined;
  /** The values behind tfjs's tensors, by their data ids. */
  readonly values = new WeakMap<object, Value>();

  constructor(readonly name: string, options: { standard?: boolean } = {}) {
    this.graph = new Graph(options);
  }

  /** Throws an error that names the function, and remembers it. */
  refuse(reason: string, options?: ErrorOptions): never {
    this.violation ??= new TraceError(
      `Cannot trace "${this.name}": ${reason}`,
      options,
    );
    throw this.violation;
  }

  /** A tensor of another backend becomes a constant and stays where it is. */
  capture({ dataId, shape, dtype }: tf.TensorInfo): Value {
    const values = this.#readOutside(dataId);
    this.captured.count++;
    this.captured.bytes += values.byteLength;
    const value = this.graph.constant(values.slice(), {
      shape: [...shape],
      dtype: dtype as DType,
    });
    this.values.set(dataId, value);
    return value;
  }

  #readOutside(dataId: object): HostData {
    // The engine keeps each tensor's backend there and nowhere public.
    const { tensorInfo } = (tf.engine() as unknown as {
      state: { tensorInfo: WeakMap<object, { backend: tf.KernelBackend }> };
    }).state;
    const info = tensorInfo.get(dataId);
    if (!info) this.refuse("it uses a tensor that is disposed");
    try {
      return info.backend.readSync(dataId) as HostData;
    } catch (cause) {
      this.refuse(
        "it uses a tensor whose values cannot be read now; make it an input",
        { cause },
      );
    }
  }
}

/** Name under which the backend is registered with tfjs. */
export const TRACE_BACKEND = "trace";

let current: Tracing | undefined;

/** The current tracing. It throws where there is none. */
export function currentTracing(): Tracing {
  if (current) return current;
  throw new TraceError(
    `Cannot run a kernel on the backend "${TRACE_BACKEND}" as it only serves jit()`,
  );
}

/**
 * Runs `body` on the trace backend. Synchronous, so that no other task ever
 * sees that backend.
 */
export function withTracing<T>(tracing: Tracing, body: () => T): T {
  if (current) {
    throw new TraceError(
      `Cannot trace "${tracing.name}" while "${current.name}" is being traced`,
    );
  }
  const previous = tf.getBackend() ?? "cpu"; // none before the first use
  current = tracing;
  tf.setBackend(TRACE_BACKEND); // its factory is synchronous, so this is too
  const restore = forbid(tracing);
  try {
    let result!: T; // not through tidy, which would search it for tensors
    tf.tidy(() => {
      result = body();
    });
    return result;
  } finally {
    restore();
    current = undefined;
    tf.setBackend(previous);
  }
}

class TraceBackend extends tf.KernelBackend {
  /** Hands a value to tfjs. */
  tensorOf(value: Value): tf.TensorInfo {
    const dataId = {};
    currentTracing().values.set(dataId, value);
    const dtype = value.dtype as DType;
    return { dataId, shape: [...value.shape], dtype };
  }

  /** The value behind a tensor, in the shape that the tensor has. */
  valueFor(tensor: tf.TensorInfo): Value {
    const tracing = currentTracing();
    const value = tracing.values.get(tensor.dataId) ??
      tracing.capture(tensor);
    return sameShape(value.shape, tensor.shape)
      ? value
      : reshape(tracing.graph, value, [...tensor.shape]);
  }

  override write(
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
  ): object {
    const tracing = currentTracing();
    const random = randomOp();
    if (random) refuseRandom(tracing, random);
    const data = toHostData(values, dtype);
    if (!data) return tracing.refuse(`it uses a tensor of type ${dtype}`);
    const value = tracing.graph.constant(data, {
      shape: [...shape],
      dtype: dtype as DType,
    });
    return this.tensorOf(value).dataId;
  }

  /** Values of constants are known; those of anything else are not. */
  override readSync(dataId: object): tf.BackendValues {
    const tracing = currentTracing();
    const value = tracing.values.get(dataId);
    const number = value && numberIn(value);
    if (number !== undefined) {
      const { dtype, shape } = value!;
      return zeros(dtype as DType, sizeOf(shape)).fill(number);
    }
    if (value?.origin.kind === "constant") {
      return value.origin.data.slice() as HostData;
    }
    return refuseRead(tracing);
  }

  /** Never settles: a rejection could go unhandled, and the tracing fails anyway. */
  override read(dataId: object): Promise<tf.BackendValues> {
    try {
      return Promise.resolve(this.readSync(dataId));
    } catch {
      return new Promise(() => {});
    }
  }

  override time(): never {
    return currentTracing().refuse("it measures time (tf.time)");
  }

  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  override refCount(): number {
    return 1;
  }
  override numDataIds(): number {
    return 0;
  }
  override memory() {
    return { unreliable: true } as ReturnType<tf.KernelBackend["memory"]>;
  }
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {}
}

function toHostData(
  values: tf.BackendValues,
  dtype: tf.DataType,
): HostData | undefined {
  const numbers = values as ArrayLike<number>;
  if (dtype === "float32") return new Float32Array(numbers);
  if (dtype === "int32") return new Int32Array(numbers);
  if (dtype === "bool") return Uint8Array.from(numbers, Number);
  return undefined;
}

/** The one trace backend. */
export const traceBackend = new TraceBackend();
tf.registerBackend(TRACE_BACKEND, () => traceBackend, 0);

/** Refuses what a kernel does not support. */
export type Refuse = (reason: string) => never;

/**
 * Adds a kernel's nodes to the graph and returns its result or results. Inputs
 * and attributes have the names, and the attributes the types, of tfjs.
 */
export type Kernel = (
  g: Graph,
  inputs: Record<string, Value>,
  // deno-lint-ignore no-explicit-any
  attrs: any,
  refuse: Refuse,
) => Value | readonly Value[];

/** Registers kernels by their tfjs names. */
export function registerKernels(kernels: Record<string, Kernel>): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName: TRACE_BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        const tracing = currentTracing();
        const named: Record<string, Value> = {};
        for (const [name, tensor] of Object.entries(inputs)) {
          if (tensor) {
            named[name] = traceBackend.valueFor(tensor as tf.TensorInfo);
          }
        }
        const refuse = (reason: string) =>
          tracing.refuse(`${kernelName}: ${reason}`);
        const result = kernel(tracing.graph, named, attrs ?? {}, refuse);
        return Array.isArray(result)
          ? result.map((value) => traceBackend.tensorOf(value))
          : traceBackend.tensorOf(result as Value);
      },
    });
  }
}

/** Reads of values; each may name itself in the error. */
const READS = [
  "array",
  "arraySync",
  "buffer",
  "bufferSync",
  "bytes",
  "bytesSync",
  "data",
  "dataSync",
  "print",
  "toString",
] as const;

/** Random ops draw on the host: their values would be frozen into the program. */
const RANDOM_OP = /^(rand|random.*|truncatedNormal|dropout|multinomial)$/;

/**
 * Makes assignments and Math.random throw, and makes reads name themselves in
 * their errors.
 *
 * @returns Undoes it.
 */
function forbid(tracing: Tracing): () => void {
  const tensor = tf.Tensor.prototype as unknown as Record<string, unknown>;
  const originals = READS.map((name) => [name, tensor[name]] as const);
  for (const [name, original] of originals) {
    tensor[name] = function (this: tf.Tensor, ...args: unknown[]) {
      const outer = reading;
      reading ??= name;
      try {
        return (original as typeof Function.prototype).apply(this, args);
      } finally {
        reading = outer;
      }
    };
  }
  const { assign } = tf.Variable.prototype;
  tf.Variable.prototype.assign = function () {
    tracing.refuse(
      `it assigns the variable "${this.name}"; return the new value instead`,
    );
  };
  const { random } = Math;
  Math.random = () => refuseRandom(tracing, randomOp() ?? "Math.random");
  return () => {
    for (const [name, original] of originals) tensor[name] = original;
    tf.Variable.prototype.assign = assign;
    Math.random = random;
  };
}

/** The read being executed, if any. */
let reading: string | undefined;

/** Refuses the read under way. */
function refuseRead(tracing: Tracing): never {
  const op = reading ?? operations().at(-1) ?? "a read";
  tracing.refuse(
    `it asks for the values of a tensor (${op}), and there are none while ` +
      `tracing; decide outside of it, or use tf.where`,
  );
}

/** Refuses random numbers drawn by `op`. */
function refuseRandom(tracing: Tracing, op: string): never {
  tracing.refuse(
    `it draws random numbers (${op}), which would be the same in every call; ` +
      `make them an input`,
  );
}

/** The random tfjs op being executed, if any. */
function randomOp(): string | undefined {
  return operations().find((op) => RANDOM_OP.test(op));
}

/** Names of the tfjs ops being executed, outermost first. */
function operations(): string[] {
  const { scopeStack } = (tf.engine() as unknown as {
    state: { scopeStack: { name: string }[] };
  }).state;
  return scopeStack
    .filter(({ name }) => name?.endsWith("__op"))
    .map(({ name }) => name.slice(0, -"__op".length));
}
