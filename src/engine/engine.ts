/**
 * The engine that runs the model: which one, and tensors that live in it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type EagerName, loadEager, uploadEager } from "./eager.ts";
import { OnnxRuntime } from "./session.ts";
import {
  checkHostTensor,
  type DeviceTensor,
  dtypeOf,
  type HostTensor,
  isInputLeaf,
  mapTree,
  type Tree,
} from "./tensors.ts";

/** An engine's name. */
export type EngineName = "onnx" | EagerName;

/** All engines, the preferred ones first. */
export const ENGINE_NAMES: readonly EngineName[] = [
  "onnx",
  "tensorflow",
  "webgpu",
  "wasm",
  "cpu",
];

/** What "auto" tries, in order. */
const AUTOMATIC: readonly EngineName[] = ["onnx", "wasm", "cpu"];

/** More threads than this gain little on programs of this size. */
const MAX_DEFAULT_THREADS = 8;

/** The engine in use. */
export interface EngineInfo {
  readonly name: EngineName;
  /** Why this one, in words. */
  readonly reason: string;
  /** Threads that it computes with; 1 for engines that have no choice. */
  readonly threads: number;
}

/** Options of {@linkcode useEngine}. */
export interface EngineOptions {
  /**
   * Threads that a program computes with, for `onnx` only; an integer >= 1,
   * which defaults to half of the logical cores, at least 2 and at most 8,
   * never more than there are.
   */
  threads?: number;
}

/** The engine in use, with what runs it. */
export type ActiveEngine =
  | {
    readonly info: EngineInfo & { name: "onnx" };
    readonly runtime: OnnxRuntime;
  }
  | {
    readonly info: EngineInfo & { name: EagerName };
    readonly runtime: undefined;
  };

tf.enableProdMode(); // or its cpu backend prints an advertisement

let active: ActiveEngine | undefined;
let automatic: Promise<EngineInfo> | undefined;
let runtime: Promise<OnnxRuntime> | undefined;

/**
 * Chooses the engine for all later calls. Without a call of it, the first
 * program chooses "auto".
 *
 * @param name "auto" takes the first of onnx, wasm, cpu that this machine has.
 * @returns The engine taken, and why.
 * @throws Where the engine named is not available: what is missing, and how to
 * install it.
 *
 * @example Use two threads
 * ```ts no-eval
 * import { useEngine } from "./engine.ts";
 *
 * const { name, reason } = await useEngine("auto", { threads: 2 });
 * ```
 */
export async function useEngine(
  name: EngineName | "auto",
  options: EngineOptions = {},
): Promise<EngineInfo> {
  const threads = options.threads ?? defaultThreads();
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(
      `Cannot use an engine as threads must be an integer >= 1: ` +
        `current value is ${threads}`,
    );
  }
  if (name !== "auto" && !ENGINE_NAMES.includes(name)) {
    throw new RangeError(
      `Cannot use an engine as its name must be one of auto, ` +
        `${ENGINE_NAMES.join(", ")}: current value is "${name}"`,
    );
  }
  const candidates = name === "auto" ? AUTOMATIC : [name];
  const missing: string[] = [];
  for (const candidate of candidates) {
    try {
      const engine = await load(candidate);
      const why = name === "auto" ? "the first available" : "as asked";
      const reason = [why, ...missing].join("; ");
      active = activate(candidate, engine, reason, threads);
      return active.info;
    } catch (error) {
      if (name !== "auto") throw error;
      missing.push((error as Error).message);
    }
  }
  throw new Error(missing.join("; "));
}

/** The engine in use, or undefined before the first choice. */
export function currentEngine(): EngineInfo | undefined {
  return active?.info;
}

/** Tries every engine: undefined where it works, else the reason why not. */
export async function availableEngines(): Promise<
  Record<EngineName, string | undefined>
> {
  const result = {} as Record<EngineName, string | undefined>;
  for (const name of ENGINE_NAMES) {
    try {
      await load(name);
      result[name] = undefined;
    } catch (error) {
      result[name] = (error as Error).message;
    }
  }
  return result;
}

/**
 * Copies a tree of host tensors into the current engine, to stay there until
 * they are disposed.
 */
export async function upload<T>(tree: T): Promise<Uploaded<T>> {
  const { info, runtime } = activeEngine() ?? await chooseEngine();
  return mapTree(tree as Tree<HostTensor>, isInputLeaf, (leaf, path) => {
    const tensor = leaf as HostTensor;
    checkHostTensor(tensor, path);
    return info.name === "onnx"
      ? runtime!.upload(tensor)
      : uploadEager(info.name, tensor, dtypeOf(tensor.data));
  }) as Uploaded<T>;
}

/** A tree of host tensors with device tensors in their places. */
export type Uploaded<T> = T extends HostTensor ? DeviceTensor
  : { [K in keyof T]: Uploaded<T[K]> };

/** The engine in use, if one has been chosen. */
export function activeEngine(): ActiveEngine | undefined {
  return active;
}

/** Chooses "auto" once, for whoever needs an engine first. */
export async function chooseEngine(): Promise<ActiveEngine> {
  automatic ??= useEngine("auto");
  await automatic;
  return active!;
}

async function load(name: EngineName): Promise<OnnxRuntime | undefined> {
  if (name !== "onnx") {
    await loadEager(name);
    return undefined;
  }
  runtime ??= OnnxRuntime.start();
  try {
    return await runtime;
  } catch (cause) {
    runtime = undefined;
    throw new Error(
      `Cannot use the engine "onnx" as ONNX Runtime does not start ` +
        `(it needs npm:onnxruntime-node and --allow-ffi): ${
          (cause as Error).message
        }`,
      { cause },
    );
  }
}

function activate(
  name: EngineName,
  runtime: OnnxRuntime | undefined,
  reason: string,
  threads: number,
): ActiveEngine {
  // Traced functions and code around them may make tensors: on cpu, which reads at once.
  tf.setBackend(name === "onnx" ? "cpu" : name);
  if (name === "onnx") {
    return { info: { name, reason, threads }, runtime: runtime! };
  }
  return { info: { name, reason, threads: 1 }, runtime: undefined };
}

function defaultThreads(): number {
  const cores = navigator.hardwareConcurrency;
  const half = Math.max(2, Math.floor(cores / 2)); // hyperthreads do not help
  return Math.min(cores, half, MAX_DEFAULT_THREADS);
}
