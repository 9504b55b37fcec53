/**
 * Buffers of disposed results, for new results of the same size.
 *
 * @module
 */
import { type DType, dtypeOf, type HostData } from "./tensors.ts";

/** Making a smaller buffer is as fast as finding a kept one. */
const LEAST_BYTES = 2 ** 16;

/** Bytes that are kept in all. */
const MOST_BYTES = 2 ** 26;

/** Large buffers to be used again: new memory costs more than the run that fills it. */
export class SpareBuffers {
  /** The oldest first. */
  readonly #kept: HostData[] = [];
  #bytes = 0;

  /** The newest buffer of a type and size, if one is kept; its values are left. */
  take(dtype: DType, size: number): HostData | undefined {
    const i = this.#kept.findLastIndex((buffer) =>
      buffer.length === size && dtypeOf(buffer) === dtype
    );
    return i < 0 ? undefined : this.#remove(i);
  }

  /** Keeps a buffer, and lets go of the oldest where that is too much. */
  keep(buffer: HostData): void {
    if (buffer.byteLength < LEAST_BYTES) return;
    this.#kept.push(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > MOST_BYTES) this.#remove(0);
  }

  /** Lets go of all of them. */
  clear(): void {
    this.#kept.length = 0;
    this.#bytes = 0;
  }

  #remove(i: number): HostData {
    const [buffer] = this.#kept.splice(i, 1);
    this.#bytes -= buffer.byteLength;
    return buffer;
  }
}
