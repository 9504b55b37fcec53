/**
 * The engine in use, how one is chosen, and what ONNX Runtime computes on.
 *
 * At first neither `active` nor `choice` is set. While an engine is resolved and
 * loaded, `choice` is pending and `active` is still the engine before, if there
 * was one. Then it becomes `active`, or, where it fails, the choice before holds.
 *
 * @module
 */

import * as tf from "./tf.ts";
import { type EagerName, type EagerOptions, loadEager } from "./eager.ts";
import { OnnxRuntime } from "./session.ts";
import type { Provider, SessionOptions } from "./session_messages.ts";
import { EnvironmentError, InputError } from "../input_error.ts";
import { trace } from "./trace.ts";
import { requireAdapter } from "./webgpu.ts";

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
  /** Threads that it computes with; 1 for engines that take no such option. */
  readonly threads: number;
  /** What ONNX Runtime computes on; for `onnx` only. */
  readonly provider?: Provider;
}

/** Options of {@linkcode useEngine}. */
export interface EngineOptions extends EagerOptions {
  /**
   * Threads that a program computes with, for `onnx` only; an integer >= 1.
   * Default: half of the logical cores, at least 2 and at most 8,
   * never more than there are.
   */
  readonly threads?: number;
  /**
   * What `onnx` computes on: "cpu", a GPU by "webgpu", or an NVIDIA GPU by
   * "cuda", which is installed with a step of its own. Operators that a GPU's
   * provider lacks run on the CPU. Default: "cpu". With another provider,
   * "auto" means `onnx`.
   */
  readonly provider?: Provider;
}

/** The options with their defaults. */
type Settings = EngineOptions & SessionOptions;

/** The engine in use, with what runs it. */
export type ActiveEngine =
  | {
    readonly info: EngineInfo & { name: "onnx"; provider: Provider };
    readonly runtime: OnnxRuntime;
  }
  | {
    readonly info: EngineInfo & { name: EagerName };
    readonly runtime: undefined;
  };

tf.enableProdMode(); // otherwise its cpu backend prints an advertisement

let active: ActiveEngine | undefined;
/**
 * The outcome of the choices so far, of which the last counts. It is undefined
 * if all fail.
 */
let choice: Promise<ActiveEngine | undefined> | undefined;
/** The first choice that needs it starts it. */
let runtime: Promise<OnnxRuntime> | undefined;

/**
 * Chooses an engine; it is in use once this is done, unless another choice has
 * been made meanwhile. If it fails, the choice before it holds.
 */
export async function choose(
  name: EngineName | "auto",
  options: EngineOptions,
): Promise<EngineInfo> {
  const settings = settingsOf(options);
  if (name !== "auto" && !ENGINE_NAMES.includes(name)) {
    throw new InputError(
      `Cannot use an engine as its name must be one of auto, ` +
        `${ENGINE_NAMES.join(", ")}: current value is "${name}"`,
    );
  }
  const before = choice;
  const asked = resolveEngine(name, settings);
  const mine = asked.catch(() => before);
  choice = mine;
  const engine = await mine;
  if (choice === mine) {
    if (!engine) choice = undefined;
    else if (engine !== active) activate(engine);
  }
  return (await asked).info;
}

/** The engine of a name, ready; for "auto" the first that works. */
async function resolveEngine(
  name: EngineName | "auto",
  settings: Settings,
): Promise<ActiveEngine> {
  if (name === "auto" && settings.provider !== "cpu") name = "onnx";
  if (name !== "auto") return await load(name, settings, "as asked");
  const missing: string[] = [];
  for (const candidate of AUTOMATIC) {
    try {
      const reason = ["the first available", ...missing].join("; ");
      return await load(candidate, settings, reason);
    } catch (error) {
      missing.push((error as Error).message);
    }
  }
  throw new EnvironmentError(missing.join("; "));
}

/** The options with their defaults, checked. */
export function settingsOf(options: EngineOptions): Settings {
  const { threads = defaultThreads(), provider = "cpu" } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new InputError(
      `Cannot use an engine as threads must be an integer >= 1: ` +
        `current value is ${threads}`,
    );
  }
  if (!PROVIDERS.includes(provider)) {
    throw new InputError(
      `Cannot use an engine as its provider must be one of ` +
        `${PROVIDERS.join(", ")}: current value is "${provider}"`,
    );
  }
  return { ...options, threads, provider };
}

/** The engine in use, if one has been chosen. */
export function activeEngine(): ActiveEngine | undefined {
  if (active?.runtime?.ended) replaceWorker(active.info);
  return active;
}

/** Starts another Worker in place of one that ended; it is in use once it runs. */
function replaceWorker({ threads, provider }: EngineInfo): void {
  active = undefined;
  choice = undefined;
  runtime = undefined;
  choose("onnx", { threads, provider }).catch(() => {}); // the next caller gets the error
}

/** The engine in use once the choice under way is made, or "auto". */
export async function engineInUse(): Promise<ActiveEngine> {
  if (!activeEngine()) await (choice ?? choose("auto", {}));
  return active ?? await engineInUse();
}

/** Makes an engine ready, without choosing it. */
export async function load(
  name: EngineName,
  settings: Settings,
  reason: string,
): Promise<ActiveEngine> {
  if (name !== "onnx") {
    await loadEager(name, settings);
    return { info: { name, reason, threads: 1 }, runtime: undefined };
  }
  const { threads, provider, allowSoftware = false } = settings;
  const started = await startRuntime();
  if (provider !== "cpu") {
    await checkProvider(started, provider, allowSoftware);
  }
  return { info: { name, reason, threads, provider }, runtime: started };
}

async function startRuntime(): Promise<OnnxRuntime> {
  runtime ??= OnnxRuntime.start();
  try {
    return await runtime;
  } catch (cause) {
    runtime = undefined;
    throw new EnvironmentError(
      `Cannot use the engine "onnx" as ONNX Runtime does not start ` +
        `(it needs npm:onnxruntime-node, --allow-ffi and ` +
        `--allow-env=ORT_DISABLE_TELEMETRY): ${(cause as Error).message}`,
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

/** ONNX Runtime's execution providers that an engine may name. */
export const PROVIDERS: readonly Provider[] = ["cpu", "webgpu", "cuda"];

/** The package whose install step fetches the provider "cuda". */
const PACKAGE = "npm:onnxruntime-node@1.30.0";

/**
 * Runs a small program on a provider.
 *
 * @throws {Error} When it does not run; the message has ONNX Runtime's reason.
 */
async function checkProvider(
  runtime: OnnxRuntime,
  provider: Provider,
  allowSoftware: boolean,
): Promise<void> {
  const user = `the engine "onnx" with provider "${provider}"`;
  if (provider === "webgpu") await requireAdapter(user, allowSoftware);
  const program = trace(
    "negate",
    ({ x }: { x: tf.Tensor }) => ({ y: tf.neg(x) }),
    { x: { shape: [1], dtype: "float32" } },
  );
  const session = runtime.load(program, { threads: 1, provider });
  try {
    await session.run([{ data: new Float32Array(1), shape: [1] }], [false]);
  } catch (cause) {
    const install = provider === "cuda"
      ? `. To install it (Linux on x64), set "nodeModulesDir": "auto" in ` +
        `deno.json, then run: deno install --allow-scripts=${PACKAGE}`
      : "";
    const { message } = (cause as Error).cause as Error;
    throw new EnvironmentError(
      `Cannot use ${user} as ONNX Runtime does not run on it: ` +
        message.trim() + install,
      { cause },
    );
  } finally {
    session.release();
  }
}
