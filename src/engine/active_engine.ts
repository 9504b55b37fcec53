/**
 * The engine in use, and how one is chosen.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type EagerName, loadEager } from "./eager.ts";
import { OnnxRuntime } from "./session.ts";

/** An engine's name. */
export type EngineName = "onnx" | "tensorflow" | "webgpu" | "wasm" | "cpu";

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
  /** Its name. */
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
/** The last choice, for whoever needs an engine before it is made. */
let choice: Promise<ActiveEngine> | undefined;
let runtime: Promise<OnnxRuntime> | undefined;

/**
 * Chooses an engine; it is in use once this is done, unless another choice has
 * been made meanwhile.
 */
export async function choose(
  name: EngineName | "auto",
  options: EngineOptions,
): Promise<EngineInfo> {
  const mine = find(name, options);
  choice = mine;
  try {
    const engine = await mine;
    if (choice === mine) activate(engine);
    return engine.info;
  } catch (error) {
    if (choice === mine) choice = undefined;
    throw error;
  }
}

async function find(
  name: EngineName | "auto",
  { threads = defaultThreads() }: EngineOptions,
): Promise<ActiveEngine> {
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
  if (name !== "auto") return await load(name, threads, "as asked");
  const missing: string[] = [];
  for (const candidate of AUTOMATIC) {
    try {
      const reason = ["the first available", ...missing].join("; ");
      return await load(candidate, threads, reason);
    } catch (error) {
      missing.push((error as Error).message);
    }
  }
  throw new Error(missing.join("; "));
}

/** The engine in use, if one has been chosen. */
export function activeEngine(): ActiveEngine | undefined {
  return active;
}

/** The engine in use once the choice under way is made, or "auto". */
export async function chooseEngine(): Promise<ActiveEngine> {
  if (!active) await (choice ?? choose("auto", {}));
  return active ?? await chooseEngine();
}

/** Makes an engine ready, without choosing it. */
export async function load(
  name: EngineName,
  threads: number,
  reason: string,
): Promise<ActiveEngine> {
  if (name !== "onnx") {
    await loadEager(name);
    return { info: { name, reason, threads: 1 }, runtime: undefined };
  }
  runtime ??= OnnxRuntime.start();
  try {
    return { info: { name, reason, threads }, runtime: await runtime };
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

function activate(engine: ActiveEngine): void {
  active = engine;
  const { name } = engine.info;
  // Around traced functions tensors live on cpu, which can read them at once.
  tf.setBackend(name === "onnx" ? "cpu" : name);
}

function defaultThreads(): number {
  const cores = navigator.hardwareConcurrency;
  const half = Math.max(2, Math.floor(cores / 2)); // hyperthreads do not help
  return Math.min(cores, half, MAX_DEFAULT_THREADS);
}
