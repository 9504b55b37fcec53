/** The element types of checkpoints, and how their bytes become host values. */

import type { HostData } from "../engine/tensors.ts";

/** An element type of a checkpoint. */
export type ElementType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

/** Bytes per element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Most dimensions of a tensor, and the largest of its sides. */
export const MAX_RANK = 8;
export const MAX_SIDE = 2 ** 31 - 1;

/** Whether a value is a whole number in 0..max. */
export function isWhole(
  value: unknown,
  max: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 &&
    (value as number) <= max;
}

/** Whether a value is a shape that can be read. */
export function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_RANK &&
    value.every((side) => isWhole(side, MAX_SIDE));
}

/**
 * How an error shows a value of a file: JSON of 80 characters at most. Only a
 * short list of plain values is shown in full: lists and objects may be huge,
 * contain themselves, or nest too deep for recursion.
 */
export function show(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length <= MAX_RANK && value.every(isPlain)
      ? `[${value.map(show)}]`.slice(0, 80)
      : `a list of ${value.length}`;
  }
  if (!isPlain(value)) return `an object of ${Object.keys(value!).length}`;
  const short = typeof value === "string" ? value.slice(0, 80) : value;
  return (JSON.stringify(short) ?? "missing").slice(0, 80);
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

/**
 * Turns little-endian bytes into host values: floats of any width into float32
 * (float64 rounded to the nearest), integers into int32, bool unchanged.
 *
 * @param type The bytes' element type.
 * @param bytes Owned by the result where no conversion is needed; must start at
 * a multiple of 8 of its buffer.
 * @param refuse Makes the error of a value that does not fit.
 */
export function widen(
  type: ElementType,
  bytes: Uint8Array<ArrayBuffer>,
  refuse: (rule: string, current: unknown) => Error,
): HostData {
  const { buffer, byteOffset } = bytes;
  const length = bytes.byteLength / ELEMENT_BYTES[type];
  switch (type) {
    case "float64":
      return new Float32Array(new Float64Array(buffer, byteOffset, length));
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "float16":
      return new Float32Array(new Float16Array(buffer, byteOffset, length));
    case "bfloat16":
      return widenBfloat16(new Uint16Array(buffer, byteOffset, length));
    case "int64": {
      const wide = new BigInt64Array(buffer, byteOffset, length);
      const narrow = Int32Array.from(wide, Number);
      const at = wide.findIndex((value, i) => value !== BigInt(narrow[i]));
      if (at < 0) return narrow;
      throw refuse("every int64 must fit int32", wide[at]);
    }
    case "int32":
      return new Int32Array(buffer, byteOffset, length);
    case "int16":
      return new Int32Array(new Int16Array(buffer, byteOffset, length));
    case "int8":
      return new Int32Array(new Int8Array(buffer, byteOffset, length));
    case "uint8":
      return new Int32Array(bytes);
    case "bool": {
      const at = bytes.findIndex((value) => value > 1);
      if (at < 0) return bytes;
      throw refuse("every bool must be 0 or 1", bytes[at]);
    }
  }
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(upper: Uint16Array): Float32Array {
  const bits = new Uint32Array(upper.length);
  for (let i = 0; i < upper.length; i++) bits[i] = upper[i] << 16;
  return new Float32Array(bits.buffer);
}
