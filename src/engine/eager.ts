/**
 * The engines that run a function as it stands: tfjs backends.
 *
 * @module
 */
import * as tf from "./tf.ts";
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
  zeros,
} from "./tensors.ts";
import { loadTensorFlow } from "./tensorflow.ts";
import { loadWebGPU, withDeviceErrors } from "./webgpu.ts";
import { EnvironmentError } from "../input_error.ts";

/**
 * The specifier is computed: a literal one would be downloaded with the module,
 * needed or not.
 */
const WASM = "npm:@tensorflow/tfjs-backend-wasm@4.22.0";

/** Engines that are tfjs backends, by the backend's name. */
export type EagerName = "tensorflow" | "webgpu" | "wasm" | "cpu";

/** A tensor kept on a tfjs backend. */
export interface TfStorage extends Storage {
  readonly tensor: tf.Tensor;
}

/** Options of the backends. */
export interface EagerOptions {
  /**
   * Whether a GPU may be a program on the CPU (lavapipe, SwiftShader): slow,
   * but the same numbers. Default: false.
   */
  readonly allowSoftware?: boolean;
  /**
   * The folder in whose `node_modules` `tensorflow` finds
   * `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`. Default: the
   * environment's SPA_TENSORFLOW, else the current folder.
   */
  readonly tensorflowFolder?: string;
}

/** Makes a tfjs backend ready, or throws an error that says what is missing. */
export async function loadEager(
  name: EagerName,
  { allowSoftware = false, tensorflowFolder }: EagerOptions,
): Promise<void> {
  if (name === "wasm") await import(WASM);
  if (name === "webgpu") await loadWebGPU(allowSoftware);
  if (name === "tensorflow") loadTensorFlow(tensorflowFolder);
  const previous = tf.getBackend();
  let cause: unknown;
  const ready = await tf.setBackend(name).catch((error) => {
    cause = error;
    return false;
  });
  if (previous) await tf.setBackend(previous);
  if (!ready) {
    throw new EnvironmentError(
      `Cannot use the engine "${name}" as its tfjs backend does not initialize` +
        (cause instanceof Error ? `: ${cause.message}` : ""),
      { cause },
    );
  }
}

/** Keeps a host tensor on a tfjs backend. */
export function uploadEager(
  engine: EagerName,
  { data, shape }: HostTensor,
): EngineTensor<TfStorage> {
  tf.setBackend(engine);
  const tensor = tf.tensor(copyOf(data), [...shape], dtypeOf(data));
  return engineTensor(engine, tf.keep(tensor)); // a surrounding tidy must not dispose it
}

/**
 * Runs `fn` on the tfjs backend `engine`. Results whose top-level key is in
 * `resident` stay there; all others come to the host.
 */
export async function runEager<I, O>(
  engine: EagerName,
  fn: (inputs: I) => O,
  inputs: Tree<InputLeaf>,
  resident: ReadonlySet<string>,
): Promise<Tree<HostTensor | EngineTensor>> {
  tf.setBackend(engine); // it is ready, so this is synchronous
  let result: Tree<tf.Tensor> = [];
  const compute = () =>
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
  if (engine === "webgpu") {
    await withDeviceErrors(compute).catch((error) => {
      mapTree(result, isTensor, (tensor) => tensor.dispose());
      throw error;
    });
  } else compute();
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

/**
 * Copies the values into an array of the tensor's own type. After a cast, the
 * cpu backend still holds an array of the earlier type.
 */
async function readTensor(tensor: tf.Tensor): Promise<HostData> {
  const data = zeros(tensor.dtype as DType, tensor.size);
  data.set(await tensor.data());
  return data;
}

function isTensor(node: unknown): node is tf.Tensor {
  return node instanceof tf.Tensor;
}
