/**
 * The engines that run a function as it stands: tfjs backends.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import {
  copyOf,
  type DType,
  dtypeOf,
  EngineTensor,
  type HostData,
  type HostTensor,
  type InputLeaf,
  isInputLeaf,
  mapRecord,
  mapTree,
  type Storage,
  type Tree,
} from "./tensors.ts";

/** Engines that are tfjs backends, by the backend's name. */
export type EagerName = "tensorflow" | "webgpu" | "wasm" | "cpu";

/** A tensor kept on a tfjs backend. */
export interface TfStorage extends Storage {
  readonly tensor: tf.Tensor;
}

/** Their versions; computed specifiers stay outside the module graph. */
const WEBGPU = "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
const TENSORFLOW = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];
const TENSORFLOW_VERSION = "4.22.0";

/** Adapters that are programs on the CPU. */
const SOFTWARE_ADAPTER =
  /llvmpipe|lavapipe|swiftshader|softpipe|software|basic render/i;

/** Makes a tfjs backend ready; throws with what is missing where it cannot. */
export async function loadEager(name: EagerName): Promise<void> {
  if (name === "wasm") await import("@tensorflow/tfjs-backend-wasm");
  if (name === "webgpu") await loadWebGPU();
  if (name === "tensorflow") loadTensorFlow();
  const previous = tf.getBackend();
  let cause: unknown;
  const ready = await tf.setBackend(name).catch((error) => {
    cause = error;
    return false;
  });
  if (previous) await tf.setBackend(previous);
  if (!ready) {
    throw new Error(
      `Cannot use the engine "${name}" as its tfjs backend does not initialise` +
        (cause instanceof Error ? `: ${cause.message}` : ""),
      { cause },
    );
  }
}

async function loadWebGPU(): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter();
  const missing = !adapter
    ? "no adapter"
    : isSoftware(adapter)
    ? "only a software adapter"
    : undefined;
  if (missing) {
    throw new Error(
      `Cannot use the engine "webgpu" as this machine has ${missing}: it needs ` +
        `a GPU with a Vulkan, Metal or Direct3D 12 driver`,
    );
  }
  await import(WEBGPU);
}

function isSoftware(adapter: GPUAdapter): boolean {
  const { vendor, architecture, device, description } = adapter.info;
  return (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ===
      true ||
    SOFTWARE_ADAPTER.test(
      [vendor, architecture, device, description].join(" "),
    );
}

/** tfjs-node comes from the user's own node_modules: it has an install script. */
function loadTensorFlow(): void {
  const require = createRequire(pathToFileURL(`${Deno.cwd()}/deno.json`));
  // node:util lost two functions that tfjs-node 4.22.0 calls.
  const util = require("node:util");
  util.isNullOrUndefined ??= (value: unknown) => value == null;
  util.isArray ??= Array.isArray;
  let reason = `${TENSORFLOW[0]} is not installed`;
  for (const specifier of TENSORFLOW.filter((s) => resolves(require, s))) {
    try {
      require(specifier);
      return;
    } catch (error) {
      reason = `${specifier} does not load: ${(error as Error).message}`;
    }
  }
  const specifier = `npm:${TENSORFLOW[0]}@${TENSORFLOW_VERSION}`;
  throw new Error(
    `Cannot use the engine "tensorflow" as ${reason}. To install it, set ` +
      `"nodeModulesDir": "auto" in deno.json, then run: deno add ${specifier} ` +
      `&& deno install --allow-scripts=${specifier}`,
  );
}

function resolves(require: NodeJS.Require, specifier: string): boolean {
  try {
    require.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}

/** Keeps a host tensor on a tfjs backend. */
export function uploadEager(
  engine: EagerName,
  { data, shape }: HostTensor,
): EngineTensor<TfStorage> {
  tf.setBackend(engine);
  const tensor = tf.tensor(copyOf(data), [...shape], dtypeOf(data));
  return engineTensor(engine, tf.keep(tensor)); // even within a tidy
}

/**
 * Runs `fn` on the tfjs backend `engine`. Results whose top-level key is in
 * `resident` stay there; nothing else does.
 */
export async function runEager<I, O>(
  engine: EagerName,
  fn: (inputs: I) => O,
  inputs: Tree<InputLeaf>,
  resident: ReadonlySet<string>,
): Promise<Tree<HostTensor | EngineTensor>> {
  tf.setBackend(engine); // it is ready, so this is synchronous
  let result!: Tree<tf.Tensor>;
  tf.tidy(() => {
    const tensors = mapTree(inputs, isInputLeaf, (leaf) => {
      if (leaf instanceof EngineTensor) {
        return (leaf.storageIn(engine) as TfStorage).tensor;
      }
      return tf.tensor(leaf.data, [...leaf.shape], dtypeOf(leaf.data));
    });
    // Clones, as a function may return its input, or one tensor twice.
    const clones = mapRecord(fn(tensors as I), isTensor, (t) => tf.clone(t));
    result = mapRecord(clones, isTensor, (tensor) => tf.keep(tensor));
  });
  const reads: Promise<void>[] = [];
  const outputs = mapRecord(result, isTensor, (tensor, _path, key) => {
    if (resident.has(key)) return engineTensor(engine, tensor);
    const host = { data: new Float32Array() as HostData, shape: tensor.shape };
    const read = readTensor(tensor).then((data) => {
      host.data = data;
    });
    reads.push(read.finally(() => tensor.dispose()));
    return host;
  });
  await Promise.all(reads);
  return outputs;
}

function engineTensor(
  engine: EagerName,
  tensor: tf.Tensor,
): EngineTensor<TfStorage> {
  return new EngineTensor(engine, tensor.shape, tensor.dtype as DType, {
    tensor,
    read: () => readTensor(tensor),
    dispose: () => tensor.dispose(),
  });
}

/** The values in an array that is the caller's own. */
async function readTensor(tensor: tf.Tensor): Promise<HostData> {
  return copyOf(await tensor.data() as HostData);
}

function isTensor(node: unknown): node is tf.Tensor {
  return node instanceof tf.Tensor;
}
