/**
 * Kernels that move values about: shapes, slices, gathers, constants.
 *
 * @module
 */
import * as tf from "./tf.ts";
import type { Graph, Value } from "./graph.ts";
import {
  binary,
  cast,
  concat,
  reshape,
  slice,
  split,
  transpose,
  where,
} from "./operators.ts";
import { registerKernels } from "./trace_backend.ts";
import { type DType, sizeOf } from "./tensors.ts";

/** Slice's end for "through index 0" where its step is negative. */
const BEFORE_START = -(2 ** 31);

registerKernels({
  Identity: (_g, { x }) => x,
  Reshape: (g, { x }, { shape }) =>
    reshape(g, x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape))),
  ExpandDims: (g, { input }, { dim }) => {
    const shape = [...input.shape];
    shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
    return reshape(g, input, shape);
  },
  Transpose: (g, { x }, { perm }) => transpose(g, x, perm),
  BroadcastTo: (g, { x }, { shape }) => g.broadcast(x, shape),
  Tile: (g, { x }, { reps }) => {
    const shape = x.shape.map((extent, i) => extent * reps[i]);
    const repeatsOnlyOnes = x.shape.every((extent, i) =>
      extent === 1 || reps[i] === 1
    );
    if (repeatsOnlyOnes) return g.broadcast(x, shape);
    return g.node("Tile", [x, g.int64(reps)], { shape, dtype: x.dtype });
  },

  Concat: (g, inputs, { axis }) => {
    const all = Object.values(inputs);
    const filled = all.filter((v) => sizeOf(v.shape) > 0);
    const parts = filled.length > 0 ? filled : all;
    return concat(g, parts, axisOf(parts[0], axis));
  },
  Pack: (g, inputs, { axis }) => {
    const parts = Object.values(inputs).map((value) => {
      const shape = [...value.shape];
      shape.splice(axis, 0, 1);
      return reshape(g, value, shape);
    });
    return concat(g, parts, axis);
  },
  Unpack: (g, { value }, { axis }) => {
    const along = axisOf(value, axis);
    const extents = new Array<number>(value.shape[along]).fill(1);
    const shape = value.shape.filter((_, i) => i !== along);
    return split(g, value, extents, along).map((v) => reshape(g, v, shape));
  },
  SplitV: (g, { x }, { numOrSizeSplits, axis }) => {
    const along = axisOf(x, axis);
    const extents = tf.backend_util.prepareSplitSize(
      tensorLike(x),
      numOrSizeSplits,
      along,
    );
    return split(g, x, extents, along);
  },

  Slice: (g, { x }, { begin, size }) => {
    const [from, extents] = tf.slice_util.parseSliceParams(
      tensorLike(x),
      begin,
      size,
    );
    return slice(g, x, from, extents);
  },
  StridedSlice: (g, { x }, a) => {
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      a.begin,
      a.end,
      a.strides,
      a.beginMask,
      a.endMask,
      a.ellipsisMask,
      a.newAxisMask,
      a.shrinkAxisMask,
    );
    const { begin, end, strides } = info;
    const ends = end.map((e, i) => strides[i] < 0 && e < 0 ? BEFORE_START : e);
    const shape = info.finalShapeSparse;
    const sparse = stridedSlice(
      g,
      x,
      begin,
      ends,
      [...begin.keys()],
      strides,
      shape,
    );
    return reshape(g, sparse, info.finalShape);
  },
  Reverse: (g, { x }, { dims }) => {
    const axes = tf.util.parseAxisParam(dims, [...x.shape]);
    if (axes.length === 0) return x;
    const all = (n: number) => axes.map(() => n);
    return stridedSlice(
      g,
      x,
      all(-1),
      all(BEFORE_START),
      axes,
      all(-1),
      x.shape,
    );
  },
  PadV2: (g, { x }, { paddings, constantValue }) => {
    const sides = paddings as [number, number][];
    return pad(g, x, sides, "constant", constantValue);
  },
  MirrorPad: (g, { x }, { paddings, mode }, refuse) => {
    if (mode !== "reflect") refuse(`mode ${mode} is not supported`);
    return pad(g, x, paddings, "reflect");
  },

  Fill: (g, _inputs, { shape, value, dtype }) =>
    g.broadcast(g.scalar(value, dtype ?? "float32"), shape),
  ZerosLike: (g, { x }) => g.broadcast(g.scalar(0, x.dtype), x.shape),
  OnesLike: (g, { x }) => g.broadcast(g.scalar(1, x.dtype), x.shape),
  Range: (g, _inputs, { start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil((stop - start) / step));
    const numbers = Array.from({ length }, (_, i) => start + i * step);
    return dtype === "int32"
      ? g.constant(Int32Array.from(numbers), { shape: [length], dtype })
      : g.constant(Float32Array.from(numbers), {
        shape: [length],
        dtype: "float32",
      });
  },
  LinSpace: (g, _inputs, { start, stop, num }) => {
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    const numbers = Float32Array.from(
      { length: num },
      (_, i) => start + i * step,
    );
    return g.constant(numbers, { shape: [num], dtype: "float32" });
  },

  GatherV2: (g, { x, indices }, { axis, batchDims }, refuse) => {
    if (batchDims) refuse("batchDims must be 0");
    const along = axisOf(x, axis);
    const shape = [
      ...x.shape.slice(0, along),
      ...indices.shape,
      ...x.shape.slice(along + 1),
    ];
    const type = { shape, dtype: x.dtype };
    return g.node("Gather", [x, indices], type, {
      attributes: { axis: along },
    });
  },
  GatherNd: (g, { params, indices }) => {
    const depth = indices.shape.at(-1)!;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
    const positions = cast(g, indices, "int64");
    return g.node("GatherND", [params, positions], {
      shape,
      dtype: params.dtype,
    });
  },
  /** The gradient of gather. */
  UnsortedSegmentSum: (g, { x, segmentIds }, { numSegments }) => {
    const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)];
    const { dtype } = x;
    const zeros = g.broadcast(g.scalar(0, dtype), shape);
    const rows = reshape(g, segmentIds, [...segmentIds.shape, 1]);
    const positions = cast(g, rows, "int64");
    return g.node("ScatterND", [zeros, positions, x], { shape, dtype }, {
      attributes: { reduction: "add" },
    });
  },
  OneHot: (g, { indices }, { depth, onValue, offValue, dtype }) => {
    const type = (dtype ?? "int32") as DType;
    const classes = g.constant(
      Int32Array.from({ length: depth }, (_, i) => i),
      {
        shape: [depth],
        dtype: "int32",
      },
    );
    const column = reshape(g, indices, [...indices.shape, 1]);
    const hit = binary(g, "Equal", column, classes, "bool");
    if (onValue === 1 && offValue === 0) return cast(g, hit, type);
    const [on, off] = [onValue, offValue].map((v) => g.scalar(v, type));
    return where(g, hit, on, off, hit.shape);
  },
});

function stridedSlice(
  g: Graph,
  x: Value,
  begin: number[],
  end: number[],
  axes: number[],
  strides: number[],
  shape: readonly number[],
): Value {
  const parameters = [begin, end, axes, strides].map((v) => g.int64(v));
  return g.node("Slice", [x, ...parameters], { shape, dtype: x.dtype });
}

function pad(
  g: Graph,
  x: Value,
  sides: readonly (readonly [before: number, after: number])[],
  mode: string,
  fill = 0,
): Value {
  const amounts = [...sides.map(([b]) => b), ...sides.map(([, a]) => a)];
  const shape = x.shape.map((extent, i) => extent + sides[i][0] + sides[i][1]);
  const { dtype } = x;
  const inputs = [x, g.int64(amounts), g.scalar(fill, dtype)];
  return g.node("Pad", inputs, { shape, dtype }, { attributes: { mode } });
}

function axisOf({ shape }: Value, axis: number): number {
  return tf.util.parseAxisParam(axis, [...shape])[0];
}

/** tfjs's helpers ask for a tensor and read its shape. */
function tensorLike({ shape }: Value): tf.Tensor {
  return { shape, rank: shape.length } as unknown as tf.Tensor;
}
