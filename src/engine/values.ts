/**
 * The values of a program being traced, and what makes them.
 *
 * @module
 */
import type { Attribute, OnnxType } from "./onnx.ts";

/** Values of a constant. */
export type ConstantData =
  | Float32Array
  | Int32Array
  | Uint8Array
  | BigInt64Array;

/** What makes a value. */
export type Origin =
  | { readonly kind: "input"; readonly name: string }
  | {
    readonly kind: "constant";
    readonly data: ConstantData;
    /** A weight's own name; other constants have none. */
    readonly name?: string;
  }
  | { readonly kind: "node"; readonly node: GraphNode }
  | { readonly kind: "broadcast"; readonly source: Value };

/** A tensor in the program: its shape and type are known, its values are not. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: OnnxType;
  readonly origin: Origin;
}

/** Shape and type of a value to be made. */
export type ValueType = Pick<Value, "shape" | "dtype">;

/** An operation on values. */
export interface GraphNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly Value[];
  readonly outputs: Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** What a broadcast repeats; any other value itself. */
export function sourceOf(value: Value): Value {
  return value.origin.kind === "broadcast" ? value.origin.source : value;
}

/** The number that a constant (or a broadcast of it) holds everywhere. */
export function numberIn(value: Value): number | undefined {
  const { origin } = sourceOf(value);
  if (origin.kind !== "constant" || origin.data.length !== 1) return undefined;
  return Number(origin.data[0]);
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}

/** `value`'s reshape to more axes: leading ones, up to `rank`. */
export function paddedShape(shape: readonly number[], rank: number): number[] {
  return [...new Array(rank - shape.length).fill(1), ...shape];
}
