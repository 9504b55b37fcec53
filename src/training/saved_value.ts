/** A value with arrays in it as tensors and text for a checkpoint, and back. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { HostTensor } from "../engine/tensors.ts";

/** A value taken apart. */
export interface SavedValue {
  /** Its arrays, exactly as they were. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** The rest, as JSON. */
  readonly text: string;
}

/** What stands in the text for an array. */
interface Reference {
  /** The tensor's name. */
  readonly tensor: string;
  /** `words`: an array of float64, as pairs of int32; `map`: an ndarray. */
  readonly as: "array" | "words" | "map";
  /** The ndarray's shape. */
  readonly shape?: number[];
}

const KEY = "$saved";

/**
 * Takes a value apart.
 *
 * @param value Plain objects and lists of numbers, strings, typed arrays
 * (float32, float64, int32) and contiguous ndarrays of float32.
 */
export function saveValue(value: unknown): SavedValue {
  const tensors = new Map<string, HostTensor>();
  const put = (
    data: HostTensor["data"],
    as: Reference["as"],
    shape?: number[],
  ): Record<typeof KEY, Reference> => {
    const tensor = `values.${tensors.size}`;
    tensors.set(tensor, { data, shape: [data.length] });
    return { [KEY]: { tensor, as, shape } };
  };
  const text = JSON.stringify(value, (_, part) => {
    if (part instanceof Float32Array || part instanceof Int32Array) {
      return put(part, "array");
    }
    if (part instanceof Float64Array) {
      return put(new Int32Array(part.slice().buffer), "words");
    }
    if (part?.data instanceof Float32Array && part.stride) {
      return put(part.data, "map", part.shape);
    }
    return part;
  });
  return { tensors, text };
}

/**
 * Puts a value together again.
 *
 * @throws {RangeError} When a tensor is missing.
 */
export function restoreValue({ tensors, text }: SavedValue): unknown {
  return JSON.parse(text, (_, part) => {
    const reference: Reference | undefined = part?.[KEY];
    if (!reference) return part;
    const { tensor, as, shape } = reference;
    const data = tensors.get(tensor)?.data;
    if (!data) {
      throw new RangeError(
        `Cannot restore the users of a checkpoint as it must have the tensor "${tensor}": current names are ${
          [...tensors.keys()].join(", ")
        }`,
      );
    }
    if (as === "words") return new Float64Array(data.slice().buffer);
    return as === "map" ? ndarray(data, shape) : data;
  });
}
