/**
 * Tensors at the edge of the engine, and trees of them.
 *
 * @module
 */

import type * as tf from "./tf.ts";
import { InputTypeError } from "../input_error.ts";

/** A tfjs tensor, as traced functions take and give. */
export type Tensor = tf.Tensor;

/** Element types that cross the edge of the engine. */
export type DType = "float32" | "int32" | "bool";

/** Values of a host tensor: float32, int32 and bool (0 or 1) in this order. */
export type HostData = Float32Array | Int32Array | Uint8Array;

/**
 * A tensor's values on the host: contiguous, row-major. `Float32Array` means
 * float32, `Int32Array` int32, `Uint8Array` bool. A contiguous ndarray is one.
 */
export interface HostTensor {
  /** The values, as many as the product of `shape`. */
  readonly data: HostData;
  /** Extents, outermost first; `[]` for a scalar. */
  readonly shape: readonly number[];
  /**
   * True: the receiver may take the memory instead of copying it; the sender
   * can no longer use it. Absent: the values are copied.
   */
  readonly owned?: boolean;
}

/**
 * A tensor that stays in the engine between calls: weights, an image embedding,
 * training state. It belongs to the engine that made it.
 */
export interface DeviceTensor {
  /** Extents, outermost first. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType;
  /**
   * Copies the values to the host.
   *
   * @throws {TypeError} When the tensor is disposed.
   */
  read(): Promise<HostTensor>;
  /** Gives its memory back; a second call does nothing. */
  dispose(): void;
}

/** Nested arrays and records with leaves of one kind. */
export type Tree<Leaf> =
  | Leaf
  | readonly Tree<Leaf>[]
  | { readonly [key: string]: Tree<Leaf> };

/** How an engine keeps a device tensor's values. */
export interface Storage {
  /** Copies the values to the host. */
  read(): Promise<HostData>;
  /** Frees them. */
  dispose(): void;
}

/** The engine's own side of a {@linkcode DeviceTensor}. */
export class EngineTensor<S extends Storage = Storage> implements DeviceTensor {
  /** Shape and element type in one string, for program lookup. */
  readonly signature: string;
  #storage: S | undefined;

  /** A tensor of `engine`, which owns its storage. */
  constructor(
    readonly engine: string,
    readonly shape: readonly number[],
    readonly dtype: DType,
    storage: S,
  ) {
    this.signature = signatureOf(dtype, shape);
    this.#storage = storage;
  }

  /** Its storage, after a check that `engine` may use it. */
  storageIn(engine: string): S {
    if (this.engine !== engine) {
      throw new InputTypeError(
        `Cannot use a device tensor as it must live in the current engine ` +
          `"${engine}": current value is "${this.engine}"`,
      );
    }
    return this.#live("use");
  }

  async read(): Promise<HostTensor> {
    const data = await this.#live("read").read();
    return { data, shape: this.shape };
  }

  dispose(): void {
    this.#storage?.dispose();
    this.#storage = undefined;
  }

  #live(action: string): S {
    if (this.#storage) return this.#storage;
    throw new InputTypeError(
      `Cannot ${action} a device tensor [${this.shape}] as it is disposed`,
    );
  }
}

/** A leaf that a program takes. */
export type InputLeaf = HostTensor | EngineTensor;

/** Whether a tree's node is a tensor of the host or of an engine. */
export function isInputLeaf(node: unknown): node is InputLeaf {
  return node instanceof EngineTensor ||
    ArrayBuffer.isView((node as Partial<HostTensor>).data);
}

/** A host tensor of one value, as learning rates and step counts are. */
export function scalar(value: number, dtype: DType = "float32"): HostTensor {
  const data = dtype === "float32"
    ? Float32Array.of(value)
    : dtype === "int32"
    ? Int32Array.of(value)
    : Uint8Array.of(value);
  return { data, shape: [] };
}

/** Number of values in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Element type of a host array. */
export function dtypeOf(data: HostData): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array) return "bool";
  throw new InputTypeError(
    `Cannot use a host tensor as its data must be Float32Array, Int32Array ` +
      `or Uint8Array: current value is ${Object.prototype.toString.call(data)}`,
  );
}

/** Shape and element type in one string. */
export function signatureOf(dtype: DType, shape: readonly number[]): string {
  return `${dtype}[${shape}]`;
}

/** Throws unless the tensor's data are contiguous and as many as its shape says. */
export function checkHostTensor(tensor: HostTensor, path: string): void {
  const { data, shape } = tensor;
  dtypeOf(data);
  const { stride, offset } = tensor as { stride?: number[]; offset?: number };
  let step = 1;
  const contiguous = stride === undefined ||
    shape.every((_, i) => {
      const axis = shape.length - 1 - i;
      const expected = step;
      step *= shape[axis];
      return shape[axis] <= 1 || stride[axis] === expected;
    });
  if (!contiguous || (offset ?? 0) !== 0) {
    throw new InputTypeError(
      `Cannot use input "${path}" as it must be contiguous: ` +
        `current strides are [${stride}], offset ${offset}`,
    );
  }
  if (data.length !== sizeOf(shape)) {
    throw new InputTypeError(
      `Cannot use input "${path}" as its shape [${shape}] must hold ` +
        `${sizeOf(shape)} values: current value is ${data.length}`,
    );
  }
}

/**
 * Visits a tree's leaves in order and builds the tree of results. `undefined`
 * entries (optional inputs) stay `undefined`.
 */
export function mapTree<Leaf, Result>(
  tree: Tree<Leaf>,
  isLeaf: (node: unknown) => node is Leaf,
  visit: (leaf: Leaf, path: string) => Result,
  path = "",
): Tree<Result> {
  if (tree === undefined) return tree as unknown as Tree<Result>;
  if (tree !== null && isLeaf(tree)) return visit(tree, path);
  if (!Array.isArray(tree) && !isRecord(tree)) {
    throw new InputTypeError(
      `Cannot use "${path}" as it must be a tensor, or an array or record of ` +
        `them: current value is ${String(tree)}`,
    );
  }
  const child = (key: string | number) =>
    path === "" ? `${key}` : `${path}/${key}`;
  if (Array.isArray(tree)) {
    return tree.map((node, i) => mapTree(node, isLeaf, visit, child(i)));
  }
  const result: { [key: string]: Tree<Result> } = {};
  for (const [key, node] of Object.entries(tree)) {
    result[key] = mapTree(node, isLeaf, visit, child(key));
  }
  return result;
}

/** Whether a value is a plain object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== "object") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The same for a record; `visit` also gets the top-level key. */
export function mapRecord<Leaf, Result>(
  record: unknown,
  isLeaf: (node: unknown) => node is Leaf,
  visit: (leaf: Leaf, path: string, key: string) => Result,
): { [key: string]: Tree<Result> } {
  const result: { [key: string]: Tree<Result> } = {};
  for (const [key, tree] of Object.entries(record as object)) {
    result[key] = mapTree(
      tree as Tree<Leaf>,
      isLeaf,
      (leaf, path) => visit(leaf, path, key),
      key,
    );
  }
  return result;
}

/** A copy in a buffer of its own, which may be transferred. */
export function copyOf(data: HostData): HostData {
  if (data instanceof Float32Array) return new Float32Array(data);
  if (data instanceof Int32Array) return new Int32Array(data);
  return new Uint8Array(data);
}

/**
 * Frees the memory of values that nobody uses any more; they are empty
 * afterwards. The garbage collector would free it much later, and new memory
 * costs more time than most programs that fill it.
 */
export function free({ buffer }: HostData): void {
  (buffer as ArrayBuffer).transfer(0);
}

/** A new array of zeros. */
export function zeros(dtype: DType, size: number): HostData {
  if (dtype === "float32") return new Float32Array(size);
  if (dtype === "int32") return new Int32Array(size);
  return new Uint8Array(size);
}
