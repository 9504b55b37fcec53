/**
 * The engine that runs the model: which one, and tensors that live in it.
 *
 * @module
 */
import {
  activeEngine,
  choose,
  ENGINE_NAMES,
  type EngineInfo,
  engineInUse,
  type EngineName,
  type EngineOptions,
  load,
  settingsOf,
} from "./active_engine.ts";
import { type EagerOptions, uploadEager } from "./eager.ts";
import type { Provider } from "./session_messages.ts";
import {
  checkHostTensor,
  type DeviceTensor,
  type DType,
  type HostData,
  type HostTensor,
  isInputLeaf,
  mapTree,
  type Tree,
} from "./tensors.ts";
import { EnvironmentError } from "../input_error.ts";

export type {
  DeviceTensor,
  DType,
  EagerOptions,
  EngineInfo,
  EngineName,
  EngineOptions,
  HostData,
  HostTensor,
  Provider,
};

/**
 * Chooses the engine for all later calls. Without a call, the first program
 * chooses "auto". A choice that fails changes nothing.
 *
 * Await the running calls first: tensors stay in the engine that made them, and
 * another engine refuses them. This holds for image embeddings as well; encode
 * the image again.
 *
 * @param name "auto" takes the first of onnx, wasm, cpu that this machine has.
 * "tensorflow" needs `@tensorflow/tfjs-node-gpu`, or `@tensorflow/tfjs-node`
 * without a GPU, which you install with npm into a folder of your choice.
 * @param options Threads, and what computes; see {@linkcode EngineOptions}.
 * @returns The engine taken, and why.
 * @throws {Error} When the named engine is not available; the message says what
 * is missing and how to install it.
 * @throws {RangeError} When there is no engine or provider of the name, or
 * `threads` is no integer >= 1.
 *
 * @example Use two threads
 * ```ts
 * import { useEngine } from "@spa-seg/spa";
 *
 * const { name, reason } = await useEngine("auto", { threads: 2 });
 * ```
 *
 * @example TensorFlow, after npm install --prefix ~/tfjs @tensorflow/tfjs-node-gpu@4.22.0
 * ```ts ignore
 * import { useEngine } from "@spa-seg/spa";
 *
 * await useEngine("tensorflow", { tensorflowFolder: "/home/me/tfjs" });
 * ```
 *
 * @example ONNX Runtime on a GPU
 * ```ts ignore
 * import { useEngine } from "@spa-seg/spa";
 *
 * await useEngine("onnx", { provider: "webgpu" });
 * ```
 */
export async function useEngine(
  name: EngineName | "auto",
  options: EngineOptions = {},
): Promise<EngineInfo> {
  return await choose(name, options);
}

/** The engine in use, or undefined before the first choice. */
export function currentEngine(): EngineInfo | undefined {
  return activeEngine()?.info;
}

/**
 * Tries every engine and says why it does not work, or undefined where it
 * works. The engine in use stays.
 *
 * @param options What {@linkcode useEngine} would be called with.
 * @throws {RangeError} When there is no provider of the name, or `threads` is
 * no integer >= 1.
 */
export async function availableEngines(
  options: EngineOptions = {},
): Promise<Record<EngineName, string | undefined>> {
  const settings = settingsOf(options);
  const result = {} as Record<EngineName, string | undefined>;
  for (const name of ENGINE_NAMES) {
    try {
      await load(name, settings, "");
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
  const { info, runtime } = activeEngine() ?? await engineInUse();
  return mapTree(tree as Tree<HostTensor>, isInputLeaf, (leaf, path) => {
    const tensor = leaf as HostTensor;
    checkHostTensor(tensor, path);
    return info.name === "onnx"
      ? runtime!.upload(tensor)
      : uploadEager(info.name, tensor);
  }) as Uploaded<T>;
}

/** A tree of host tensors with device tensors in their places. */
export type Uploaded<T> = T extends HostTensor ? DeviceTensor
  : { [K in keyof T]: Uploaded<T[K]> };

/**
 * Throws unless all numbers that the engine gave are finite.
 *
 * @param action What they were computed for, as "decode".
 * @throws {Error} When one is NaN or infinite; the message names the engine.
 */
export function checkFinite(action: string, values: ArrayLike<number>): void {
  let sum = 0; // a sum of finite float32 values is finite in float64
  for (let i = 0; i < values.length; i++) sum += values[i];
  if (Number.isFinite(sum)) return;
  const all = Array.from(values);
  const at = all.findIndex((value) => !Number.isFinite(value));
  const bad = all.filter((value) => !Number.isFinite(value)).length;
  const { name, provider } = currentEngine() ?? { name: "none" };
  const engine = provider && provider !== "cpu"
    ? `${name} (${provider})`
    : name;
  throw new EnvironmentError(
    `Cannot ${action} as the engine ${engine} must give finite numbers: current value is ${
      values[at]
    }, ${bad} of ${all.length} are not finite. Choose another engine with useEngine(), or check the weights`,
  );
}
