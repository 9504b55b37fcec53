/**
 * One view of every checkpoint format: names, shapes, and tensors on demand, which
 * are byte ranges of files.
 */

import { type HostTensor, sizeOf } from "../engine/tensors.ts";
import { ELEMENT_BYTES, type ElementType, widen } from "./_elements.ts";
import type { ByteSource } from "./_byte_source.ts";
import { InputError, InputTypeError } from "../input_error.ts";

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

/** A tensor as a file describes it, checked against the file's size. */
export interface TensorRecord {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly source: ByteSource;
  /** Byte of the source at which element 0 lies. */
  readonly begin: number;
  /** Elements from one index to the next, where they are not row-major. */
  readonly strides?: readonly number[];
  /** Compares the bytes around the tensor with their checksum. */
  readonly verify?: () => void;
}

/** An open checkpoint. */
export class FileCheckpoint implements Checkpoint {
  readonly format: CheckpointFormat;
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly skipped: ReadonlyMap<string, string>;
  readonly #records: ReadonlyMap<string, TensorRecord>;
  readonly #sources: readonly { close(): void }[];
  #closed = false;

  /** `records` by name; `sources` are closed with it. */
  constructor(
    { format, records, metadata = {}, skipped = new Map(), sources }: {
      format: CheckpointFormat;
      records: ReadonlyMap<string, TensorRecord>;
      metadata?: Readonly<Record<string, string>>;
      skipped?: ReadonlyMap<string, string>;
      sources: readonly { close(): void }[];
    },
  ) {
    this.format = format;
    this.names = [...records.keys()];
    this.metadata = metadata;
    this.skipped = skipped;
    this.#records = records;
    this.#sources = sources;
  }

  shape(name: string): readonly number[] {
    return this.record(name).shape;
  }

  type(name: string): ElementType {
    return this.record(name).type;
  }

  /** Where a tensor lies. */
  record(name: string): TensorRecord {
    const record = this.#records.get(name);
    if (record) return record;
    const problem = this.skipped.get(name);
    if (problem !== undefined) throw new InputError(problem);
    throw new InputError(
      `Cannot read the checkpoint as a tensor's name must be one of its ${this.names.length}: current value is ${name}`,
    );
  }

  // deno-lint-ignore require-await -- a promise, so that a source may wait one day
  async read(
    name: string,
    { finite = true }: ReadOptions = {},
  ): Promise<HostTensor> {
    const record = this.record(name);
    if (this.#closed) {
      throw new InputTypeError("Cannot read the checkpoint as it is closed");
    }
    record.verify?.();
    const data = widen(
      record.type,
      readElements(record),
      (rule, current) =>
        new InputError(
          `Cannot read ${this.format} as ${rule} in "${name}": current value is ${current}`,
        ),
    );
    if (finite) checkFinite(`read ${this.format}`, name, data);
    return { data, shape: record.shape };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const source of this.#sources) source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The bytes of a tensor's elements, row-major. */
function readElements(
  { type, shape, source, begin, strides }: TensorRecord,
): Uint8Array<ArrayBuffer> {
  const width = ELEMENT_BYTES[type];
  const size = sizeOf(shape);
  if (!strides || size === 0) return source.read(begin, size * width);
  const last = shape.reduce((sum, side, k) => sum + (side - 1) * strides[k], 0);
  const from = source.read(begin, (last + 1) * width);
  const to = new Uint8Array(size * width);
  const index = shape.map(() => 0);
  for (let at = 0, element = 0; at < to.length; at += width) {
    for (let b = 0; b < width; b++) to[at + b] = from[element * width + b];
    for (let k = shape.length - 1; k >= 0; k--) {
      element += strides[k];
      if (++index[k] < shape[k]) break;
      element -= shape[k] * strides[k];
      index[k] = 0;
    }
  }
  return to;
}

/** Refuses floats that are NaN or infinite. */
export function checkFinite(
  action: string,
  name: string,
  data: HostTensor["data"],
): void {
  if (!(data instanceof Float32Array)) return;
  for (let at = 0; at < data.length; at++) {
    if (Number.isFinite(data[at])) continue;
    throw new InputError(
      `Cannot ${action} as every value of "${name}" must be finite: ` +
        `current value at ${at} is ${data[at]}`,
    );
  }
}
