/**
 * Gradients of the kernels that training runs. `@tensorflow/tfjs-core` has none
 * and the whole of `@tensorflow/tfjs` is five times as large, so they stand
 * here: the formulas of tfjs 4.22.0, in the same order of operations, so that
 * the numbers are equal to the bit.
 *
 * @module
 */

import * as tf from "./tf.ts";

/** Gradients by a kernel's inputs, as tfjs takes them. */
type Gradients = Record<string, () => tf.Tensor> | (() => tf.Tensor)[];

/** How a kernel's gradient is made. */
interface Rule {
  /** The inputs that it needs. */
  readonly inputs?: readonly string[];
  /** Whether it needs the output, after the inputs. */
  readonly output?: boolean;
  /** Whether it needs all inputs of a kernel that takes a list. */
  readonly list?: boolean;
  readonly gradient: (
    dy: tf.Tensor,
    saved: tf.Tensor[],
    // deno-lint-ignore no-explicit-any
    attributes: any,
  ) => Gradients;
}

/** Sums over the axes along which an input was broadcast. */
function unbroadcast(dy: tf.Tensor, input: tf.Tensor, shape: number[]) {
  const axes = tf.broadcast_util.getReductionAxes(input.shape, shape);
  return axes.length > 0 ? tf.reshape(tf.sum(dy, axes), input.shape) : dy;
}

/** The shape of an operation's result on two inputs. */
function shapeOf(a: tf.Tensor, b: tf.Tensor): number[] {
  return tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
}

/** A shape with 1 on the axes that were reduced. */
function keepAxes(x: tf.Tensor, axes: readonly number[]): number[] {
  return x.shape.map((length, axis) => axes.includes(axis) ? 1 : length);
}

const TWO_INPUTS = ["a", "b"];

/** A rule of one input `x` that stands in the gradient. */
function ofInput(
  slope: (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor,
): Rule {
  return {
    inputs: ["x"],
    gradient: (dy, [x]) => ({ x: () => slope(dy, x) }),
  };
}

/** A rule of one input whose gradient needs the output alone. */
function ofOutput(
  slope: (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): Rule {
  return { output: true, gradient: (dy, [y]) => ({ x: () => slope(dy, y) }) };
}

/** A rule of one input whose gradient needs neither. */
function ofNothing(slope: (dy: tf.Tensor) => tf.Tensor): Rule {
  return { gradient: (dy) => ({ x: () => slope(dy) }) };
}

/** `dy` where an input was chosen, 0 elsewhere. */
function where(dy: tf.Tensor, chosen: tf.Tensor): tf.Tensor {
  return tf.mul(dy, tf.cast(chosen, "float32"));
}

/** The gradient of the largest or smallest value: to all that are equal to it. */
const EXTREME: Rule = {
  inputs: ["x"],
  output: true,
  gradient: (dy, [x, y], { reductionIndices, axis }) => {
    const axes = tf.util.parseAxisParam(reductionIndices ?? axis, x.shape);
    const kept = keepAxes(x, axes);
    return {
      x: () => {
        const chosen = tf.equal(x, tf.reshape(y, kept));
        return tf.mul(tf.reshape(dy, kept), tf.cast(chosen, dy.dtype));
      },
    };
  },
};

const RULES: Readonly<Record<string, Rule>> = {
  // Elementwise, of one input
  Cast: ofNothing((dy) => tf.clone(dy)),
  ClipByValue: {
    inputs: ["x"],
    gradient: (dy, [x], { clipValueMin, clipValueMax }) => ({
      x: () => {
        const above = tf.greaterEqual(x, clipValueMin);
        const inside = tf.logicalAnd(above, tf.lessEqual(x, clipValueMax));
        return tf.where(inside, dy, tf.zerosLike(dy));
      },
    }),
  },
  Cos: ofInput((dy, x) => tf.mul(tf.neg(tf.sin(x)), dy)),
  Erf: ofInput((dy, x) => {
    const density = tf.exp(tf.neg(tf.square(x)));
    return tf.mul(dy, tf.mul(density, 2 / Math.sqrt(Math.PI)));
  }),
  Exp: ofOutput((dy, y) => tf.mul(dy, y)),
  Identity: ofNothing((dy) => tf.cast(dy, "float32")),
  Log: ofInput((dy, x) => tf.div(dy, tf.cast(x, "float32"))),
  Neg: ofNothing((dy) => tf.neg(dy)),
  Relu: ofInput((dy, x) => where(dy, tf.step(x))),
  Rsqrt: ofInput((dy, x) => tf.neg(tf.div(dy, tf.mul(tf.pow(x, 1.5), 2)))),
  Sigmoid: ofOutput((dy, y) => tf.mul(dy, tf.mul(y, tf.sub(tf.scalar(1), y)))),
  Sin: ofInput((dy, x) => tf.mul(tf.cos(x), dy)),
  Softplus: ofInput((dy, x) => tf.mul(dy, tf.sigmoid(x))),
  Sqrt: ofInput((dy, x) =>
    tf.div(dy, tf.mul(tf.sqrt(tf.cast(x, "float32")), 2))
  ),
  Square: ofInput((dy, x) => tf.mul(dy, tf.mul(tf.cast(x, "float32"), 2))),
  ZerosLike: ofNothing((dy) => tf.zerosLike(dy)),

  // Elementwise, of two inputs
  Add: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => {
      const shape = shapeOf(a, b);
      return {
        a: () => tf.reshape(unbroadcast(dy, a, shape), a.shape),
        b: () => tf.reshape(unbroadcast(dy, b, shape), b.shape),
      };
    },
  },
  Sub: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => {
      const shape = shapeOf(a, b);
      return {
        a: () => tf.reshape(unbroadcast(dy, a, shape), a.shape),
        b: () => tf.reshape(tf.neg(unbroadcast(dy, b, shape)), b.shape),
      };
    },
  },
  Multiply: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => {
      const shape = shapeOf(a, b);
      return {
        a: () => unbroadcast(where(dy, b), a, shape),
        b: () => unbroadcast(where(dy, a), b, shape),
      };
    },
  },
  RealDiv: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => {
      const shape = shapeOf(a, b);
      return {
        a: () => unbroadcast(tf.div(dy, tf.cast(b, "float32")), a, shape),
        b: () => {
          const product = unbroadcast(where(dy, a), b, shape);
          return tf.neg(
            tf.div(product, tf.cast(tf.square(b), "float32")),
          );
        },
      };
    },
  },
  Maximum: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => ({
      a: () => where(dy, tf.greaterEqual(a, b)),
      b: () => where(dy, tf.less(a, b)),
    }),
  },
  Minimum: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => ({
      a: () => where(dy, tf.lessEqual(a, b)),
      b: () => where(dy, tf.greater(a, b)),
    }),
  },
  SquaredDifference: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b]) => ({
      a: () => tf.mul(dy, tf.mul(tf.scalar(2), tf.sub(a, b))),
      b: () => tf.mul(dy, tf.mul(tf.scalar(2), tf.sub(b, a))),
    }),
  },
  Select: {
    inputs: ["condition"],
    gradient: (dy, [condition]) => ({
      condition: () => tf.cast(tf.zerosLike(condition), "float32"),
      t: () => tf.mul(dy, tf.cast(condition, dy.dtype)),
      e: () => tf.mul(dy, tf.cast(tf.logicalNot(condition), dy.dtype)),
    }),
  },

  // Products and reductions
  BatchMatMul: {
    inputs: TWO_INPUTS,
    gradient: (dy, [a, b], { transposeA: ta, transposeB: tb }) => ({
      a: () => ta ? tf.matMul(b, dy, tb, true) : tf.matMul(dy, b, false, !tb),
      b: () => tb ? tf.matMul(dy, a, true, ta) : tf.matMul(a, dy, !ta, false),
    }),
  },
  LogSoftmax: {
    output: true,
    gradient: (dy, [y], { axis }) => ({
      logits: () => tf.sub(dy, tf.mul(tf.sum(dy, axis, true), tf.exp(y))),
    }),
  },
  Softmax: {
    output: true,
    gradient: (dy, [y], { dim }) => {
      const product = tf.mul(dy, y);
      return {
        logits: () => tf.sub(product, tf.mul(tf.sum(product, [dim], true), y)),
      };
    },
  },
  Max: EXTREME,
  Min: EXTREME,
  Mean: {
    inputs: ["x"],
    gradient: (dy, [x], { axis }) => {
      const axes = tf.util.parseAxisParam(axis, x.shape);
      const count = axes.reduce((product, a) => product * x.shape[a], 1);
      const kept = keepAxes(x, axes);
      return {
        x: () => tf.div(tf.mul(tf.reshape(dy, kept), tf.ones(x.shape)), count),
      };
    },
  },
  Sum: {
    inputs: ["x"],
    gradient: (dy, [x], { axis }) => {
      const kept = keepAxes(x, tf.util.parseAxisParam(axis, x.shape));
      return { x: () => tf.mul(tf.reshape(dy, kept), tf.ones(x.shape)) };
    },
  },

  // Shapes
  Concat: {
    list: true,
    gradient: (dy, parts, { axis }) => {
      const [along] = tf.util.parseAxisParam(axis, parts[0].shape);
      const lengths = parts.map(({ shape }) => shape[along]);
      return tf.split(dy, lengths, along).map((part) => () => part);
    },
  },
  ExpandDims: {
    inputs: ["input"],
    gradient: (dy, [input]) => ({ input: () => tf.reshape(dy, input.shape) }),
  },
  Pack: {
    list: true,
    gradient: (dy, _, { axis }) =>
      tf.unstack(dy, axis).map((part) => () => part),
  },
  PadV2: {
    inputs: ["x"],
    gradient: (dy, [x], { paddings }) => ({
      x: () =>
        tf.slice(dy, paddings.map(([before]: number[]) => before), x.shape),
    }),
  },
  Reshape: ofInput((dy, x) => tf.reshape(dy, x.shape)),
  Slice: {
    inputs: ["x"],
    gradient: (dy, [x], attributes) => {
      const [begin, size] = tf.slice_util.parseSliceParams(
        x,
        attributes.begin,
        attributes.size,
      );
      const paddings = x.shape.map((length, axis): [number, number] => [
        begin[axis],
        length - begin[axis] - size[axis],
      ]);
      return { x: () => tf.pad(dy, paddings) };
    },
  },
  SplitV: {
    gradient: (dy, _, { axis }) => ({
      x: () => tf.concat(dy as unknown as tf.Tensor[], axis),
    }),
  },
  Tile: {
    inputs: ["x"],
    gradient: (dy, [x], { reps }) => ({
      x: () => {
        let sum: tf.Tensor = tf.zerosLike(x);
        const add = (begin: number[]) => {
          const axis = begin.length;
          if (axis === x.rank) {
            sum = tf.add(sum, tf.slice(dy, begin, x.shape));
            return;
          }
          for (let i = 0; i < reps[axis]; i++) {
            add([...begin, i * x.shape[axis]]);
          }
        };
        add([]);
        return sum;
      },
    }),
  },
  Transpose: {
    gradient: (dy, _, { perm }) => ({
      x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm)),
    }),
  },
  Unpack: {
    gradient: (dy, _, { axis }) => ({
      value: () => tf.stack(dy as unknown as tf.Tensor[], axis),
    }),
  },
};

/** Kernels that have a gradient here. */
export const DIFFERENTIABLE: readonly string[] = Object.keys(RULES);

/** Makes the gradients known to tfjs, but for those that it knows. */
function registerGradients(): void {
  for (const [kernelName, rule] of Object.entries(RULES)) {
    if (tf.getGradient(kernelName)) continue;
    tf.registerGradient({
      kernelName,
      inputsToSave: [...rule.inputs ?? []],
      outputsToSave: rule.output ? [true] : [],
      saveAllInputs: rule.list,
      gradFunc: (dy, saved, attributes) =>
        // a kernel of a list has a list of them, which tfjs's type leaves out
        rule.gradient(dy as tf.Tensor, saved, attributes) as Record<
          string,
          () => tf.Tensor
        >,
    });
  }
}

/**
 * tfjs's `valueAndGrads()`, which knows the gradients of this file's kernels:
 * the value of a function of tensors and its gradients.
 *
 * @param f A function with a scalar result.
 * @returns A function of the list of tensors.
 * @throws {Error} When a kernel between the tensors and the result has no
 * gradient.
 */
export function valueAndGrads(
  f: (...tensors: tf.Tensor[]) => tf.Tensor,
): (tensors: tf.Tensor[]) => { value: tf.Tensor; grads: tf.Tensor[] } {
  registerGradients();
  return tf.valueAndGrads(f as (...tensors: tf.Tensor[]) => tf.Scalar);
}
