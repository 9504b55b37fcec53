/**
 * Elementwise kernels: one value in, one value out, at each position.
 *
 * @module
 */
import type { Graph, Value } from "./graph.ts";
import { binary, cast, unary, where } from "./operators.ts";
import { type Kernel, type Refuse, registerKernels } from "./trace_backend.ts";

/** tfjs kernels that are one ONNX operation on `x`. */
const UNARY = {
  Abs: "Abs",
  Acos: "Acos",
  Asin: "Asin",
  Atan: "Atan",
  Ceil: "Ceil",
  Cos: "Cos",
  Cosh: "Cosh",
  Elu: "Elu",
  Erf: "Erf",
  Exp: "Exp",
  Floor: "Floor",
  Log: "Log",
  LogicalNot: "Not",
  Neg: "Neg",
  Reciprocal: "Reciprocal",
  Relu: "Relu",
  Round: "Round",
  Sigmoid: "Sigmoid",
  Sign: "Sign",
  Sin: "Sin",
  Sinh: "Sinh",
  Softplus: "Softplus",
  Sqrt: "Sqrt",
  Tan: "Tan",
  Tanh: "Tanh",
};

/** tfjs kernels that are one ONNX operation on `a` and `b`. */
const BINARY = {
  Add: "Add",
  Maximum: "Max",
  Minimum: "Min",
  Multiply: "Mul",
  Pow: "Pow",
  Sub: "Sub",
};

/** The same with a bool result. */
const COMPARISON = {
  Equal: "Equal",
  Greater: "Greater",
  GreaterEqual: "GreaterOrEqual",
  Less: "Less",
  LessEqual: "LessOrEqual",
  LogicalAnd: "And",
  LogicalOr: "Or",
};

function table(
  names: Record<string, string>,
  kernel: (op: string) => Kernel,
): Record<string, Kernel> {
  return Object.fromEntries(
    Object.entries(names).map(([name, op]) => [name, kernel(op)]),
  );
}

registerKernels({
  ...table(UNARY, (op) => (g, { x }) => unary(g, op, x)),
  ...table(BINARY, (op) => (g, { a, b }) => binary(g, op, a, b)),
  ...table(COMPARISON, (op) => (g, { a, b }) => binary(g, op, a, b, "bool")),

  NotEqual: (g, { a, b }) => unary(g, "Not", binary(g, "Equal", a, b, "bool")),
  IsNan: (g, { x }) => unary(g, "IsNaN", x, "bool"),
  IsInf: (g, { x }) => unary(g, "IsInf", x, "bool"),
  IsFinite: (g, { x }) => {
    const difference = binary(g, "Sub", x, x); // NaN unless finite
    return unary(g, "Not", unary(g, "IsNaN", difference, "bool"));
  },

  AddN: (g, inputs) => Object.values(inputs).reduce((a, b) => add(g, a, b)),
  Square: (g, { x }) => multiply(g, x, x),
  Rsqrt: (g, { x }) => unary(g, "Reciprocal", unary(g, "Sqrt", x)),
  Log1p: (g, { x }) => unary(g, "Log", add(g, x, g.scalar(1))),
  Expm1: (g, { x }) => binary(g, "Sub", unary(g, "Exp", x), g.scalar(1)),
  SquaredDifference: (g, { a, b }) => {
    const difference = binary(g, "Sub", a, b);
    return multiply(g, difference, difference);
  },
  RealDiv: (g, { a, b }) =>
    binary(g, "Div", cast(g, a, "float32"), cast(g, b, "float32")),
  FloorDiv: (g, { a, b }) =>
    a.dtype === "int32" // exact, and ONNX's Mod takes the divisor's sign
      ? binary(g, "Div", binary(g, "Sub", a, binary(g, "Mod", a, b)), b)
      : unary(g, "Floor", binary(g, "Div", a, b)),
  Mod: (g, { a, b }) => {
    if (a.dtype === "int32") return binary(g, "Mod", a, b);
    const quotient = unary(g, "Floor", binary(g, "Div", a, b));
    return binary(g, "Sub", a, multiply(g, quotient, b));
  },
  ClipByValue: (g, { x }, { clipValueMin, clipValueMax }) => {
    const raised = binary(g, "Max", x, g.scalar(clipValueMin, x.dtype));
    return binary(g, "Min", raised, g.scalar(clipValueMax, x.dtype));
  },

  // NaN gives 0 or alpha here, and NaN in tfjs. The gradient of relu needs it.
  Step: (g, { x }, { alpha }) => {
    const positive = binary(g, "Greater", x, g.scalar(0, x.dtype), "bool");
    return alpha
      ? where(g, positive, g.scalar(1), g.scalar(alpha), x.shape)
      : cast(g, positive, "float32");
  },
  Relu6: (g, { x }) => activate(g, x, "relu6"),
  LeakyRelu: (g, { x }, { alpha }) => leakyRelu(g, x, alpha),
  Prelu: (g, { x, alpha }) => {
    const positive = binary(g, "Greater", x, g.scalar(0), "bool");
    return where(g, positive, x, multiply(g, x, alpha), x.shape);
  },
  Selu: (g, { x }) =>
    unary(g, "Selu", x, "float32", {
      alpha: { float: 1.6732632423543772 },
      gamma: { float: 1.0507009873554805 },
    }),
  EluGrad: (g, { dy, y }) => {
    const positive = binary(g, "GreaterOrEqual", y, g.scalar(0), "bool");
    const slope = add(g, y, g.scalar(1));
    return where(g, positive, dy, multiply(g, dy, slope), dy.shape);
  },

  Cast: (g, { x }, { dtype }) => cast(g, x, dtype),
  Select: (g, { condition, t, e }) => where(g, condition, t, e, t.shape),
});

function add(g: Graph, a: Value, b: Value): Value {
  return binary(g, "Add", a, b);
}

function multiply(g: Graph, a: Value, b: Value): Value {
  return binary(g, "Mul", a, b);
}

function leakyRelu(g: Graph, x: Value, alpha: number): Value {
  return unary(g, "LeakyRelu", x, "float32", { alpha: { float: alpha } });
}

/** The activation of a fused kernel. */
export function activate(
  g: Graph,
  x: Value,
  activation: string | undefined,
  leakyreluAlpha = 0.2,
  refuse?: Refuse,
): Value {
  switch (activation) {
    case undefined:
    case null:
    case "linear":
      return x;
    case "relu":
      return unary(g, "Relu", x);
    case "relu6":
      return binary(g, "Min", unary(g, "Relu", x), g.scalar(6));
    case "elu":
      return unary(g, "Elu", x);
    case "sigmoid":
      return unary(g, "Sigmoid", x);
    case "leakyrelu":
      return leakyRelu(g, x, leakyreluAlpha);
    default:
      return refuse!(`activation ${activation} is not supported`);
  }
}
