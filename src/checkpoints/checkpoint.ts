/** One view of every checkpoint format: names, shapes, and tensors on demand. */

import type { HostTensor } from "../engine/tensors.ts";
import type { ElementType } from "./_elements.ts";

export type { ElementType };

/** A file format of checkpoints. */
export type CheckpointFormat = "safetensors" | "PyTorch checkpoint";

/** How {@linkcode Checkpoint.read} treats values. */
export interface ReadOptions {
  /** Refuse NaN and infinities. Default: true. */
  finite?: boolean;
}

/**
 * An open checkpoint file or folder. Only the description of its tensors is in
 * memory; each tensor is read from disk when asked for. Close it after use, or
 * declare it with `using`.
 */
export interface Checkpoint extends Disposable {
  /** The file format. */
  readonly format: CheckpointFormat;
  /** Names of the tensors, in the file's order. */
  readonly names: readonly string[];
  /**
   * Tensors that are not read, such as complex, sparse and expanded ones, each
   * with the error of reading it. None is in `names`.
   */
  readonly skipped: ReadonlyMap<string, string>;
  /** Free text of the file; empty where the format has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Extents of a tensor, outermost first; `[]` for a scalar.
   *
   * @throws {RangeError} When the name is unknown or skipped.
   */
  shape(name: string): readonly number[];
  /**
   * Element type of a tensor in the file.
   *
   * @throws {RangeError} When the name is unknown or skipped.
   */
  type(name: string): ElementType;
  /**
   * Reads a tensor from disk.
   *
   * @param name One of `names`.
   * @param options See {@linkcode ReadOptions}.
   * @returns Its values: float64, float16 and bfloat16 become float32; int64,
   * int16, int8 and uint8 become int32; bool is one byte per value.
   * @throws {RangeError} When the name is unknown or skipped, a value is not finite or
   * does not fit, or the bytes are damaged.
   * @throws {TypeError} When the checkpoint is closed.
   */
  read(name: string, options?: ReadOptions): Promise<HostTensor>;
  /** Closes the files; a second call does nothing. */
  close(): void;
}
