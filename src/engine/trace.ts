/**
 * trace(fn): a pure tfjs function becomes an ONNX program.
 *
 * @module
 */

import * as tf from "./tf.ts";
import { encodeModel, type OnnxModel } from "./onnx.ts";
import {
  type DType,
  type HostData,
  mapRecord,
  mapTree,
  type Tree,
} from "./tensors.ts";
import {
  traceBackend,
  TraceError,
  Tracing,
  withTracing,
} from "./trace_backend.ts";
import "./kernels_elementwise.ts";
import "./kernels_linear.ts";
import "./kernels_reduce.ts";
import "./kernels_shape.ts";

/** Shape and element type of a program's input. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Its values, where they are part of the program: a weight of its own. */
  readonly data?: HostData;
}

/** An input or output of a program. */
export interface Port extends Omit<TensorSpec, "data"> {
  /** Its place in the tree: "weights/mask_decoder.bias". */
  readonly name: string;
}

/** A traced function. */
export interface TracedFunction {
  readonly name: string;
  /** The program itself. */
  readonly model: OnnxModel;
  /** Inputs that it needs, with their places among all leaves of the inputs. */
  readonly inputs: readonly (Port & { readonly index: number })[];
  /** Outputs, with the top-level keys under which the result has them. */
  readonly outputs: readonly (Port & { readonly key: string })[];
  /** The function's result, with indices into `outputs` as leaves. */
  readonly outputTree: Tree<number>;
  /** Tensors from outside the inputs, which became constants. */
  readonly captured: { readonly count: number; readonly bytes: number };
}

/** A traced function, ready to be loaded. */
export interface Program extends Omit<TracedFunction, "model"> {
  /** The program as an `.onnx` file. */
  readonly bytes: Uint8Array;
  readonly nodeCount: number;
  readonly traceMilliseconds: number;
}

/** Traces a function as {@linkcode traceFunction} does, and encodes it. */
export function trace<I, O>(
  name: string,
  fn: (inputs: I) => O,
  specs: Tree<TensorSpec>,
): Program {
  const start = performance.now();
  const { model, ...traced } = traceFunction(name, fn, specs);
  return {
    ...traced,
    bytes: encodeModel(model),
    nodeCount: model.nodes.length,
    traceMilliseconds: performance.now() - start,
  };
}

/**
 * Runs `fn` once on tensors without values and records what it does.
 *
 * @param name The function's name in errors.
 * @param fn A pure, synchronous function of a tree of tensors; its result is a
 * record.
 * @param specs Shapes and types of its inputs, as the same tree; the values of
 * those that are part of the program.
 * @param options `standard`: whether to use ONNX's standard operators alone, for
 * any runtime; default false, as ONNX Runtime has faster ones of its own.
 */
export function traceFunction<I, O>(
  name: string,
  fn: (inputs: I) => O,
  specs: Tree<TensorSpec>,
  options: { standard?: boolean } = {},
): TracedFunction {
  const tracing = new Tracing(name, options);
  const { graph } = tracing;
  const ports: Port[] = [];
  const outputs: (Port & { key: string })[] = [];
  try {
    const built = withTracing(tracing, () => {
      const inputs = mapTree(specs, isSpec, (spec, path) => {
        const { data, ...type } = spec;
        ports.push({ name: path, ...type });
        const value = data
          ? graph.named(path, data, type)
          : graph.input(path, type);
        return tf.engine().makeTensorFromTensorInfo(
          traceBackend.tensorOf(value),
        );
      });
      const result = fn(inputs as I);
      const inputNames = new Set(ports.map((port) => port.name));
      const values: { name: string; value: ReturnType<typeof graph.scalar> }[] =
        [];
      const outputTree = mapRecord(
        result,
        isTensor,
        (tensor, path, key) => {
          const value = traceBackend.valueFor(tensor);
          const unique = inputNames.has(path) ? `${path}:result` : path;
          const { shape } = tensor;
          outputs.push({
            name: unique,
            key,
            shape,
            dtype: tensor.dtype as DType,
          });
          return values.push({ name: unique, value }) - 1;
        },
      );
      if (tracing.violation) throw tracing.violation;
      return { outputTree, model: graph.build(name, values) };
    });
    const needed = new Set(built.model.inputs.map(({ name }) => name));
    return {
      name,
      model: built.model,
      inputs: ports
        .map((port, index) => ({ ...port, index }))
        .filter((port) => needed.has(port.name)),
      outputs,
      outputTree: built.outputTree,
      captured: tracing.captured,
    };
  } catch (error) {
    throw explained(tracing, error);
  }
}

/** The error with the traced function's name. */
function explained(tracing: Tracing, cause: unknown): Error {
  if (tracing.violation) return tracing.violation;
  if (cause instanceof TraceError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const missing = /Kernel '(\w+)' not registered/.exec(message);
  const reason = missing
    ? `the tfjs kernel ${missing[1]} has no translation to ONNX`
    : message;
  return new TraceError(`Cannot trace "${tracing.name}": ${reason}`, { cause });
}

function isSpec(node: unknown): node is TensorSpec {
  return typeof (node as TensorSpec).dtype === "string" &&
    Array.isArray((node as TensorSpec).shape);
}

function isTensor(node: unknown): node is tf.Tensor {
  return node instanceof tf.Tensor;
}
