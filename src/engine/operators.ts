/**
 * Operations that several kernels are made of, with the rewrites that make
 * gradients cheap: they look through broadcasts and fold constants.
 *
 * @module
 */
import {
  type Graph,
  numberIn,
  paddedShape,
  sameShape,
  sourceOf,
  type Value,
} from "./graph.ts";
import type { Attribute, OnnxType } from "./onnx.ts";
import { sizeOf } from "./tensors.ts";
import { InputError } from "../input_error.ts";

/** TensorProto.DataType, for Cast. */
const CAST_TO: Record<OnnxType, number> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
};

/**
 * From this number of rows on, a sum over leading axes is computed as a product
 * with ones.
 */
const ROWS_FOR_MATMUL = 64;

/** An elementwise operation on one value. */
export function unary(
  g: Graph,
  op: string,
  x: Value,
  dtype: OnnxType = x.dtype,
  attributes: Record<string, Attribute> = {},
): Value {
  const source = sourceOf(x);
  const type = { shape: source.shape, dtype };
  const result = g.node(op, [source], type, { attributes });
  return g.broadcast(result, x.shape);
}

/** An elementwise operation on two values, with broadcasting. */
export function binary(
  g: Graph,
  op: string,
  a: Value,
  b: Value,
  dtype: OnnxType = a.dtype,
): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const folded = fold(g, op, a, b, dtype);
  if (folded) return g.broadcast(folded, shape);
  const p = sourceOf(a);
  const q = sourceOf(b);
  const type = { shape: broadcastShape(p.shape, q.shape), dtype };
  return g.broadcast(g.node(op, [p, q], type), shape);
}

/** Arithmetic that needs no node: x * 1, x + 0, and that of two constants. */
function fold(
  g: Graph,
  op: string,
  a: Value,
  b: Value,
  dtype: OnnxType,
): Value | undefined {
  if (a.dtype !== dtype || b.dtype !== dtype) return undefined;
  const x = numberIn(a);
  const y = numberIn(b);
  if (x !== undefined && y !== undefined && dtype === "float32") {
    if (op === "Add") return g.scalar(x + y);
    if (op === "Sub") return g.scalar(x - y);
    if (op === "Mul") return g.scalar(x * y);
    if (op === "Div") return g.scalar(x / y);
  }
  if (y === 1 && (op === "Mul" || op === "Div")) return a;
  if (y === 0 && (op === "Add" || op === "Sub")) return a;
  if (x === 1 && op === "Mul") return b;
  if (x === 0 && op === "Add") return b;
  return undefined;
}

/** `x` as another element type. */
export function cast(g: Graph, x: Value, dtype: OnnxType): Value {
  if (x.dtype === dtype) return x;
  return unary(g, "Cast", x, dtype, { to: CAST_TO[dtype] });
}

/** Elementwise choice; all three broadcast to `shape`. */
export function where(
  g: Graph,
  condition: Value,
  yes: Value,
  no: Value,
  shape: readonly number[],
): Value {
  const sources = [cast(g, condition, "bool"), yes, no].map(sourceOf);
  const narrow = sources.map((v) => v.shape).reduce(broadcastShape);
  const type = { shape: narrow, dtype: yes.dtype };
  return g.broadcast(g.node("Where", sources, type), shape);
}

/** `x` in another shape of the same size. */
export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const { origin, dtype } = x;
  if (origin.kind === "constant" && isSingle(x)) {
    const scalar = g.denseConstant(origin.data, { shape: [], dtype });
    return g.broadcast(scalar, shape);
  }
  const source = sourceOf(x);
  if (source !== x && isSingle(source)) {
    return g.broadcast(reshape(g, source, []), shape);
  }
  let whole = g.written(x);
  if (whole.origin.kind === "node" && whole.origin.node.op === "Reshape") {
    whole = whole.origin.node.inputs[0];
    if (sameShape(whole.shape, shape)) return whole;
  }
  return g.node("Reshape", [whole, g.int64(shape)], { shape, dtype });
}

/** Axes in another order. */
export function transpose(g: Graph, x: Value, perm: readonly number[]): Value {
  if (perm.every((axis, i) => axis === i)) return x;
  const shape = perm.map((axis) => x.shape[axis]);
  const source = sourceOf(x);
  if (source !== x) {
    const padded = paddedShape(source.shape, perm.length);
    return g.broadcast(transpose(g, reshape(g, source, padded), perm), shape);
  }
  return g.node("Transpose", [x], { shape, dtype: x.dtype }, {
    attributes: { perm },
  });
}

/** The box of extents `size` that starts at `begin`. */
export function slice(
  g: Graph,
  x: Value,
  begin: readonly number[],
  size: readonly number[],
): Value {
  const axes = [...begin.keys()].filter((i) =>
    begin[i] !== 0 || size[i] !== x.shape[i]
  );
  if (axes.length === 0) return x;
  if (isSingle(sourceOf(x))) {
    return g.broadcast(reshape(g, sourceOf(x), []), size);
  }
  const starts = g.int64(axes.map((i) => begin[i]));
  const ends = g.int64(axes.map((i) => begin[i] + size[i]));
  const type = { shape: size, dtype: x.dtype };
  return g.node("Slice", [x, starts, ends, g.int64(axes)], type);
}

/** Values side by side along an axis. */
export function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  if (parts.length === 1) return parts[0];
  const shape = [...parts[0].shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const type = { shape, dtype: parts[0].dtype };
  return g.node("Concat", parts, type, { attributes: { axis } });
}

/** Parts of the given extents along an axis. */
export function split(
  g: Graph,
  x: Value,
  extents: readonly number[],
  axis: number,
): readonly Value[] {
  if (extents.length === 1) return [x];
  const types = extents.map((extent) => ({
    shape: x.shape.map((d, i) => i === axis ? extent : d),
    dtype: x.dtype,
  }));
  const inputs = [x, g.int64(extents)];
  return g.nodes("Split", inputs, types, { attributes: { axis } });
}

/** A reduction over axes that are all named and not negative. */
export function reduce(
  g: Graph,
  op: string,
  x: Value,
  axes: readonly number[],
  keepDims: boolean,
): Value {
  const shape = reducedShape(x.shape, axes, keepDims);
  const { dtype } = x;
  if (axes.every((axis) => x.shape[axis] === 1)) return reshape(g, x, shape);
  if (op === "ReduceSum" && dtype === "float32") {
    const sum = sumOfRows(g, x, axes);
    if (sum) return reshape(g, sum, shape);
  }
  const attributes = { keepdims: keepDims ? 1 : 0 };
  return g.node(op, [x, g.int64(axes)], { shape, dtype }, { attributes });
}

/** A sum over leading axes as ones [1, R] x [R, C]: the gradients of biases. */
function sumOfRows(g: Graph, x: Value, axes: readonly number[]) {
  const leading = axes.every((axis, i) => axis === i);
  const rows = sizeOf(x.shape.slice(0, axes.length));
  if (!leading || axes.length === x.shape.length || rows < ROWS_FOR_MATMUL) {
    return undefined;
  }
  const matrix = reshape(g, x, [rows, sizeOf(x.shape) / rows]);
  return matMul(g, g.denseOnes([1, rows]), matrix);
}

/** Product of matrices in the last two axes; leading axes broadcast. */
export function matMul(
  g: Graph,
  a: Value,
  b: Value,
  transposeA = false,
  transposeB = false,
): Value {
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const inner = [
    a.shape.at(transposeA ? -2 : -1),
    b.shape.at(transposeB ? -1 : -2),
  ];
  if (inner[0] !== inner[1]) {
    throw new InputError(
      `Cannot multiply [${a.shape}] by [${b.shape}] as their inner extents must ` +
        `be equal: current values are ${inner[0]} and ${inner[1]}`,
    );
  }
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const type = { shape: [...batch, rows, columns], dtype: "float32" } as const;
  if (g.standard) {
    a = transposeA ? transpose(g, a, lastTwoSwapped(a)) : a;
    b = transposeB ? transpose(g, b, lastTwoSwapped(b)) : b;
    return g.node("MatMul", [a, b], type);
  }
  if (!transposeA && !transposeB) return g.node("MatMul", [a, b], type);
  return g.node("FusedMatMul", [a, b], type, {
    domain: "com.microsoft",
    attributes: {
      transA: transposeA ? 1 : 0,
      transB: transposeB ? 1 : 0,
      alpha: { float: 1 },
    },
  });
}

/** A permutation of a value's axes that swaps the last two. */
function lastTwoSwapped({ shape }: Value): number[] {
  const axes = [...shape.keys()];
  return [...axes.slice(0, -2), ...axes.slice(-2).reverse()];
}

/** Shape of an elementwise result. */
export function broadcastShape(
  a: readonly number[],
  b: readonly number[],
): number[] {
  const rank = Math.max(a.length, b.length);
  const p = paddedShape(a, rank);
  const q = paddedShape(b, rank);
  return p.map((extent, i) => {
    if (extent !== q[i] && extent !== 1 && q[i] !== 1) {
      throw new InputError(
        `Cannot broadcast [${a}] with [${b}] as extents must be equal or 1: ` +
          `current values are ${extent} and ${q[i]}`,
      );
    }
    return extent === 1 ? q[i] : extent;
  });
}

/** A shape without its reduced axes, or with extent 1 there. */
export function reducedShape(
  shape: readonly number[],
  axes: readonly number[],
  keepDims: boolean,
): number[] {
  return keepDims
    ? shape.map((extent, i) => axes.includes(i) ? 1 : extent)
    : shape.filter((_, i) => !axes.includes(i));
}

/** Whether a value has but one element, whatever its rank. */
function isSingle({ shape }: Value): boolean {
  return sizeOf(shape) === 1;
}
