/**
 * Kernels that reduce axes, and those that normalize or order along one.
 *
 * @module
 */
import * as tf from "./tf.ts";
import type { Graph, Value } from "./graph.ts";
import { cast, reduce, reducedShape } from "./operators.ts";
import { type Kernel, registerKernels } from "./trace_backend.ts";

registerKernels({
  Sum: (g, { x }, { axis, keepDims }) => {
    const summed = x.dtype === "bool" ? cast(g, x, "int32") : x;
    return reduce(g, "ReduceSum", summed, axesOf(x, axis), keepDims);
  },
  Mean: (g, { x }, { axis, keepDims }) => {
    const averaged = cast(g, x, "float32");
    return reduce(g, "ReduceMean", averaged, axesOf(x, axis), keepDims);
  },
  Max: (g, { x }, { reductionIndices, keepDims }) =>
    reduce(g, "ReduceMax", x, axesOf(x, reductionIndices), keepDims),
  Min: (g, { x }, { axis, keepDims }) =>
    reduce(g, "ReduceMin", x, axesOf(x, axis), keepDims),
  Prod: (g, { x }, { axis, keepDims }) =>
    reduce(g, "ReduceProd", x, axesOf(x, axis), keepDims),
  All: truth("ReduceMin"),
  Any: truth("ReduceMax"),
  ArgMax: extremum("ArgMax"),
  ArgMin: extremum("ArgMin"),

  Softmax: (g, { logits }, { dim }) =>
    g.node("Softmax", [logits], logits, { attributes: { axis: dim } }),
  LogSoftmax: (g, { logits }, { axis }) =>
    g.node("LogSoftmax", [logits], logits, { attributes: { axis } }),
  Cumsum: (g, { x }, { axis, exclusive, reverse }) => {
    const [along] = axesOf(x, axis);
    return g.node("CumSum", [x, g.int64([along])], x, {
      attributes: { exclusive: Number(exclusive), reverse: Number(reverse) },
    });
  },
  TopK: (g, { x }, { k, sorted }) => {
    const shape = [...x.shape.slice(0, -1), k];
    const types = [{ shape, dtype: x.dtype }, {
      shape,
      dtype: "int64" as const,
    }];
    const [values, indices] = g.nodes("TopK", [x, g.int64([k])], types, {
      attributes: { axis: -1, sorted: Number(sorted) },
    });
    return [values, cast(g, indices, "int32")];
  },

  // The engine's own kernels: see fused.ts.
  LayerNorm: (g, { x, gamma, beta }, { epsilon }) => {
    const moment = { shape: [...x.shape.slice(0, -1), 1], dtype: x.dtype };
    return g.nodes(
      "LayerNormalization",
      [x, gamma, beta],
      [x, moment, moment],
      {
        attributes: { axis: -1, epsilon: { float: epsilon } },
      },
    );
  },
  Gelu: (g, { x }) => g.node("Gelu", [x], x),
});

function truth(op: string): Kernel {
  return (g, { x }, { axis, keepDims }) => {
    const number = cast(g, x, "int32");
    return cast(g, reduce(g, op, number, axesOf(x, axis), keepDims), "bool");
  };
}

function extremum(op: string): Kernel {
  return (g: Graph, { x }, { axis }) => {
    const [along] = axesOf(x, axis);
    const type = {
      shape: reducedShape(x.shape, [along], false),
      dtype: "int64",
    } as const;
    const attributes = { axis: along, keepdims: 0 };
    return cast(g, g.node(op, [x], type, { attributes }), "int32");
  };
}

/** tfjs's axis argument as a list without negative entries. */
function axesOf(
  { shape }: Value,
  axis: number | number[] | undefined,
): number[] {
  return tf.util.parseAxisParam(axis as number[], [...shape]);
}
