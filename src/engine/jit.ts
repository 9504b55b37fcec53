/**
 * jit(fn): a pure tfjs function, compiled once per input shapes.
 *
 * @module
 */
import { runEager } from "./eager.ts";
import {
  type ActiveEngine,
  activeEngine,
  engineInUse,
} from "./active_engine.ts";
import type { OnnxRuntime, Session, WorkerStorage } from "./session.ts";
import type { SessionOptions } from "./session_messages.ts";
import {
  checkHostTensor,
  type DeviceTensor,
  dtypeOf,
  EngineTensor,
  type HostData,
  type HostTensor,
  type InputLeaf,
  isInputLeaf,
  isRecord,
  mapTree,
  signatureOf,
  type Tensor,
  type Tree,
} from "./tensors.ts";
import { type Program, trace } from "./trace.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** A record whose members are tensors, or arrays and records of them. */
export type TensorRecord<T> = { [K in keyof T]: TensorTree<T[K]> };

/** A tensor, an absent one, or an array or record of such. */
export type TensorTree<T> = T extends Tensor | undefined ? T
  : T extends object ? { [K in keyof T]: TensorTree<T[K]> }
  : never;

/** The tree `T` of tensors with other leaves. */
export type WithLeaves<T, Leaf> = T extends undefined ? undefined
  : T extends Tensor ? Leaf
  : { [K in keyof T]: WithLeaves<T[K], Leaf> };

/** What a program takes for the inputs `I` of its function. */
export type ProgramInputs<I> = WithLeaves<I, HostTensor | DeviceTensor>;

/** What a program gives for the result `O`; members `R` stay in the engine. */
export type ProgramOutputs<O, R> = {
  [K in keyof O]: WithLeaves<O[K], K extends R ? DeviceTensor : HostTensor>;
};

/** Options of {@linkcode jit}. */
export interface JitOptions<R extends string> {
  /** The function's name, in errors and in {@linkcode ProgramInfo}. */
  readonly name: string;
  /** Top-level keys of the result that stay in the engine. Default: none. */
  readonly resident?: readonly R[];
  /**
   * The values of an input that never changes, by its place ("weights/bias"):
   * the engine `onnx` makes it a part of the program, which is then larger and
   * faster where it convolves. Default: none.
   */
  readonly constant?: (path: string) => HostData | undefined;
}

/** Facts about a compiled program. */
export interface ProgramInfo {
  /** The function's name. */
  readonly name: string;
  /** Types, shapes and names of the inputs. */
  readonly inputs: readonly string[];
  /** ONNX nodes. */
  readonly nodeCount: number;
  /** Size of the ONNX file. */
  readonly bytes: number;
  /** Tensors from outside the inputs that became constants. */
  readonly captured: { readonly count: number; readonly bytes: number };
  /** Time it took to trace the function. */
  readonly traceMilliseconds: number;
}

/** A compiled function. */
export interface JitFunction<I, O, R> {
  /** Runs it. Inputs on the host are copied, device tensors are not. */
  (inputs: ProgramInputs<I>): Promise<ProgramOutputs<O, R>>;
  /**
   * Compiles the program for inputs like these without running it; the values
   * do not count. On other engines than `onnx` it does nothing.
   */
  compile(inputs: ProgramInputs<I>): Promise<void>;
  /** The programs compiled so far, one per shapes and types of the inputs. */
  programs(): ProgramInfo[];
  /** Gives back the memory of all of them; a later call compiles again. */
  release(): void;
}

interface Compiled {
  readonly program: Program;
  session: Session | undefined;
  /** Where the session lives. */
  runtime?: OnnxRuntime;
}

/**
 * Compiles a pure function of a record of tensors. On the engine `onnx` its
 * first call with inputs of new shapes or types traces it into an ONNX program,
 * gradients included; other engines run it as it stands.
 *
 * The function must be synchronous and must not read values, assign variables
 * or draw random numbers. Tensors that it takes from elsewhere become constants.
 *
 * @example Multiply two matrices
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { jit } from "./jit.ts";
 *
 * const multiply = jit(
 *   ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => ({ product: tf.matMul(a, b) }),
 *   { name: "multiply" },
 * );
 * const a = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
 * const { product } = await multiply({ a, b: a });
 * ```
 */
export function jit<
  I extends TensorRecord<I>,
  O extends TensorRecord<O>,
  const R extends keyof O & string = never,
>(
  fn: (inputs: I) => O,
  { name, resident = [], constant }: JitOptions<R>,
): JitFunction<I, O, R> {
  const residentKeys = new Set<string>(resident);
  const compiled = new Map<string, Compiled>();

  /** The function, with a check of its result. */
  const checked = (inputs: I): O => {
    const result: unknown = fn(inputs);
    if (!isRecord(result)) {
      const promised = result instanceof Promise;
      if (promised) result.catch(() => {}); // it goes on without tensors
      throw new InputTypeError(
        `Cannot use the result of "${name}" as it must be a record of ` +
          `tensors: current value is ${promised ? "a Promise" : result}`,
      );
    }
    const missing = resident.find((key) => !(key in result));
    if (missing !== undefined) {
      throw new InputError(
        `Cannot keep "${missing}" of "${name}" in the engine as it must be a ` +
          `key of the result: current keys are ${Object.keys(result)}`,
      );
    }
    return result as O;
  };

  async function run(
    engine: ActiveEngine,
    inputs: Tree<InputLeaf>,
  ): Promise<Tree<HostTensor | EngineTensor>> {
    const { info } = engine;
    const { leaves, key } = leavesOf(inputs, info.name);
    if (info.name !== "onnx") {
      return await runEager(info.name, checked, inputs, residentKeys);
    }
    const entry = compiledFor(key, inputs);
    const session = sessionOf(entry, engine.runtime!, info);
    const { program } = entry;
    const outputs = await session.run(
      program.inputs.map(({ index }) =>
        leaves[index] as HostTensor | EngineTensor<WorkerStorage>
      ),
      program.outputs.map((port) => residentKeys.has(port.key)),
    );
    return mapTree(program.outputTree, isIndex, (i) => outputs[i]);
  }

  /** Traces the function, unless there is a program for inputs like these. */
  function compiledFor(
    key: readonly string[],
    inputs: Tree<InputLeaf>,
  ): Compiled {
    const id = key.join("; ");
    let entry = compiled.get(id);
    if (!entry) {
      const program = trace(
        name,
        checked,
        mapTree(inputs, isInputLeaf, (leaf, path) => {
          const data = constant?.(path);
          return { ...specOf(leaf), ...(data && { data }) };
        }),
      );
      entry = { program, session: undefined };
      compiled.set(id, entry);
    }
    return entry;
  }

  const call = async (inputs: ProgramInputs<I>) => {
    const tree = inputs as Tree<InputLeaf>;
    const engine = activeEngine() ?? await engineInUse();
    return await run(engine, tree) as ProgramOutputs<O, R>;
  };
  const compile = async (inputs: ProgramInputs<I>) => {
    const tree = inputs as Tree<InputLeaf>;
    const { info, runtime } = activeEngine() ?? await engineInUse();
    const { key } = leavesOf(tree, info.name);
    if (info.name !== "onnx") return;
    sessionOf(compiledFor(key, tree), runtime!, info);
  };
  return Object.assign(call, {
    compile,
    programs: () => [...compiled.values()].map(infoOf),
    release: () => {
      for (const { session } of compiled.values()) session?.release();
      compiled.clear();
    },
  });
}

function sessionOf(
  entry: Compiled,
  runtime: OnnxRuntime,
  { threads, provider }: SessionOptions,
): Session {
  const { session } = entry;
  if (
    session && entry.runtime === runtime &&
    session.options.threads === threads &&
    session.options.provider === provider
  ) return session;
  session?.release();
  entry.runtime = runtime;
  return entry.session = runtime.load(entry.program, { threads, provider });
}

/** The leaves of a program's inputs, and what tells its programs apart. */
function leavesOf(inputs: Tree<InputLeaf>, engine: string) {
  const leaves: InputLeaf[] = [];
  const key: string[] = [];
  mapTree(inputs, isInputLeaf, (leaf, path) => {
    leaves.push(leaf);
    key.push(`${path}: ${check(leaf, path, engine)}`);
  });
  return { leaves, key };
}

/** Type and shape of an input that the engine can take. */
function check(leaf: InputLeaf, path: string, engine: string): string {
  if (leaf instanceof EngineTensor) {
    leaf.storageIn(engine);
    return leaf.signature;
  }
  checkHostTensor(leaf, path);
  return signatureOf(dtypeOf(leaf.data), leaf.shape);
}

function specOf(leaf: InputLeaf) {
  const dtype = leaf instanceof EngineTensor ? leaf.dtype : dtypeOf(leaf.data);
  return { shape: [...leaf.shape], dtype };
}

function infoOf({ program }: Compiled): ProgramInfo {
  const { name, inputs, nodeCount, bytes, captured, traceMilliseconds } =
    program;
  return {
    name,
    inputs: inputs.map(({ name, shape, dtype }) =>
      `${name}: ${signatureOf(dtype, shape)}`
    ),
    nodeCount,
    bytes: bytes.length,
    captured,
    traceMilliseconds,
  };
}

function isIndex(node: unknown): node is number {
  return typeof node === "number";
}
