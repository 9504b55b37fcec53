/**
 * The tracing of one function: its graph, the tensors it captured, its errors.
 *
 * @module
 */
import * as tf from "./tf.ts";
import { Graph } from "./graph.ts";
import type { DType, HostData } from "./tensors.ts";
import type { Value } from "./values.ts";

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
