/**
 * A traced program as it grows: values, constants, and the nodes between them.
 *
 * Equal nodes are made once, values that nothing needs are not written, and
 * broadcasts stay unwritten as long as the operations around them allow:
 * gradients of sums and means multiply by ones of the full shape.
 *
 * @module
 */

import type { Attribute, OnnxConstant, OnnxModel, OnnxType } from "./onnx.ts";
import { sizeOf } from "./tensors.ts";

/** Values of a constant. */
type ConstantData =
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
type ValueType = Pick<Value, "shape" | "dtype">;

/** An operation on values. */
interface GraphNode {
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

/** Options of a node. */
export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  domain?: string;
}

/** Constants up to this size are merged by value. */
const MERGED_SIZE = 16;

/** A program under construction. */
export class Graph {
  /** Whether only ONNX's standard operators may be used. */
  readonly standard: boolean;
  #nextId = 0;
  readonly #inputs: Value[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #nodes = new Map<string, GraphNode>();

  /** An empty program. */
  constructor({ standard = false }: { standard?: boolean } = {}) {
    this.standard = standard;
  }

  /** Declares an input. */
  input(name: string, { shape, dtype }: ValueType): Value {
    const value = this.#value({ shape, dtype }, { kind: "input", name });
    this.#inputs.push(value);
    return value;
  }

  /** A constant that keeps its name, as a weight does. */
  named(name: string, data: ConstantData, { shape, dtype }: ValueType): Value {
    return this.#value({ shape, dtype }, { kind: "constant", data, name });
  }

  /** A constant; of equal values, a lazy broadcast of one of them. */
  constant(data: ConstantData, { shape, dtype }: ValueType): Value {
    if (data.length > 1 && data.every((v: number | bigint) => v === data[0])) {
      const one = this.constant(data.slice(0, 1), { shape: [], dtype });
      return this.broadcast(one, shape);
    }
    return this.denseConstant(data, { shape, dtype });
  }

  /** A constant that is written out in full. */
  denseConstant(data: ConstantData, { shape, dtype }: ValueType): Value {
    const origin = { kind: "constant", data } as const;
    if (data.length > MERGED_SIZE) return this.#value({ shape, dtype }, origin);
    // Object.is: 0 and -0 are two constants
    const numbers = data as ArrayLike<number | bigint>;
    const items = Array.from(numbers, (v) => Object.is(v, -0) ? "-0" : `${v}`);
    const key = `${dtype}[${shape}]${items}`;
    let value = this.#constants.get(key);
    if (!value) {
      value = this.#value({ shape, dtype }, origin);
      this.#constants.set(key, value);
    }
    return value;
  }

  /** Ones that are written out in full, once per shape. */
  denseOnes(shape: readonly number[]): Value {
    const key = `ones[${shape}]`;
    let value = this.#constants.get(key);
    if (!value) {
      const data = new Float32Array(sizeOf(shape)).fill(1);
      value = this.denseConstant(data, { shape, dtype: "float32" });
      this.#constants.set(key, value);
    }
    return value;
  }

  /** A constant of rank 0. */
  scalar(x: number, dtype: OnnxType = "float32"): Value {
    const data = dtype === "float32"
      ? Float32Array.of(x)
      : dtype === "int32"
      ? Int32Array.of(x)
      : Uint8Array.of(x);
    return this.denseConstant(data, { shape: [], dtype });
  }

  /** Shapes, axes and offsets, as ONNX takes them. */
  int64(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.denseConstant(data, { shape: [values.length], dtype: "int64" });
  }

  /** `value` repeated to `shape`, unwritten until something needs it. */
  broadcast(value: Value, shape: readonly number[]): Value {
    const source = sourceOf(value);
    if (sameShape(source.shape, shape)) return source;
    const { dtype } = source;
    return this.#value({ shape, dtype }, { kind: "broadcast", source });
  }

  /** `value` with its broadcast, if any, written out. */
  written(value: Value): Value {
    if (value.origin.kind !== "broadcast") return value;
    const { shape } = value;
    return this.node("Expand", [value.origin.source, this.int64(shape)], value);
  }

  /** The result of one operation. */
  node(
    op: string,
    inputs: readonly Value[],
    output: ValueType,
    options: NodeOptions = {},
  ): Value {
    return this.nodes(op, inputs, [output], options)[0];
  }

  /** The results of one operation that has several. */
  nodes(
    op: string,
    inputs: readonly Value[],
    outputs: readonly ValueType[],
    { attributes = {}, domain }: NodeOptions = {},
  ): readonly Value[] {
    inputs = inputs.map((value) => this.written(value));
    const ids = inputs.map((value) => value.id);
    const types = outputs.map(({ dtype, shape }) => `${dtype}[${shape}]`);
    const key = `${op}(${ids})${JSON.stringify(attributes)}${types}`;
    let node = this.#nodes.get(key);
    if (!node) {
      node = { op, domain, inputs, outputs: [], attributes };
      for (const type of outputs) {
        node.outputs.push(this.#value(type, { kind: "node", node }));
      }
      this.#nodes.set(key, node);
    }
    return node.outputs;
  }

  /** What `outputs` need, as an ONNX program. */
  build(
    name: string,
    outputs: readonly { name: string; value: Value }[],
  ): OnnxModel {
    const results = outputs.map(({ name, value }) => ({
      name,
      value: this.written(value),
    }));
    const names = new Map<Value, string>();
    for (const { name, value } of results) {
      if (value.origin.kind === "node" && !names.has(value)) {
        names.set(value, name);
      }
    }
    const nameOf = (value: Value) => {
      const { id, origin } = value;
      const own = origin.kind === "input" || origin.kind === "constant"
        ? origin.name
        : undefined;
      return names.get(value) ?? own ?? `#${id}`;
    };
    // Inputs, constants and repeated results need a node of their own.
    const copies = results
      .filter(({ name, value }) => names.get(value) !== name)
      .map(({ name, value }) => ({
        op: "Identity",
        inputs: [nameOf(value)],
        outputs: [name],
        attributes: {},
      }));

    const { nodes, leaves } = needed(results.map(({ value }) => value));
    const constants: OnnxConstant[] = [];
    const inputs = new Set<string>();
    for (const leaf of leaves) {
      const { shape, dtype, origin } = leaf;
      if (origin.kind === "input") inputs.add(origin.name);
      if (origin.kind === "constant") {
        constants.push({ name: nameOf(leaf), shape, dtype, data: origin.data });
      }
    }
    return {
      name,
      nodes: [
        ...nodes.map((node) => ({
          ...node,
          inputs: node.inputs.map(nameOf),
          outputs: node.outputs.map(nameOf),
        })),
        ...copies,
      ],
      constants,
      inputs: this.#inputs.flatMap(({ shape, dtype, origin }) =>
        origin.kind === "input" && inputs.has(origin.name)
          ? [{ name: origin.name, shape, dtype }]
          : []
      ),
      outputs: outputs.map(({ name, value: { shape, dtype } }) => ({
        name,
        shape,
        dtype,
      })),
    };
  }

  #value({ shape, dtype }: ValueType, origin: Origin): Value {
    return { id: this.#nextId++, shape, dtype, origin };
  }
}

/** The nodes that `results` need, in order of execution, and their leaves. */
function needed(results: readonly Value[]): {
  nodes: GraphNode[];
  leaves: Set<Value>;
} {
  const nodes: GraphNode[] = [];
  const leaves = new Set<Value>();
  const done = new Set<GraphNode>();
  // An explicit stack: graphs are too deep for recursion.
  const stack = [...results].reverse().map((value) => ({
    value,
    after: false,
  }));
  while (stack.length > 0) {
    const { value, after } = stack.pop()!;
    if (value.origin.kind !== "node") {
      leaves.add(value);
      continue;
    }
    const { node } = value.origin;
    if (done.has(node)) continue;
    if (after) {
      done.add(node);
      nodes.push(node);
      continue;
    }
    stack.push({ value, after: true });
    for (const input of node.inputs) stack.push({ value: input, after: false });
  }
  return { nodes, leaves };
}
