/** Gradients of the kernels against those of the whole of tfjs, to the bit. */

import assert from "node:assert/strict";
import { DIFFERENTIABLE, valueAndGrads } from "../../src/engine/gradients.ts";
import * as tf from "../../src/engine/tf.ts";
import { randoms } from "../helpers/engine_helpers.ts";

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

const positive = (x: tf.Tensor) => tf.add(tf.square(x), 0.3);

/** An operation for every kernel, with the shapes of its inputs. */
const CASES: Record<string, [shapes: number[][], op: Op][]> = {
  Add: [[[[3, 5], [5]], tf.add], [[[3, 1], [1, 5]], tf.add]],
  BatchMatMul: [
    ...[[3, 4], [4, 3]].flatMap((a, ta) =>
      [[4, 5], [5, 4]].map((b, tb): [number[][], Op] => [
        [[2, ...a], [2, ...b]],
        (x, y) => tf.matMul(x, y, ta === 1, tb === 1),
      ])
    ),
  ],
  Cast: [[[[3]], (x) => tf.cast(tf.cast(x, "int32"), "float32")]],
  ClipByValue: [[[[4, 5]], (x) => tf.clipByValue(x, -0.3, 0.4)]],
  Concat: [[[[2, 3], [2, 4], [2, 1]], (...x) => tf.concat(x, 1)]],
  Cos: [[[[7]], tf.cos]],
  Erf: [[[[7]], tf.erf]],
  Exp: [[[[7]], tf.exp]],
  ExpandDims: [[[[2, 3]], (x) => tf.expandDims(x, 1)]],
  Identity: [[[[3]], tf.clone]],
  Log: [[[[7]], (x) => tf.log(positive(x))]],
  LogSoftmax: [[[[3, 5]], (x) => tf.logSoftmax(x)]],
  Max: [[[[2, 3, 4]], (x) => tf.max(x, [0, 2])], [[[4]], (x) => tf.max(x)]],
  Maximum: [[[[3, 5], [3, 5]], tf.maximum]],
  Mean: [
    [[[2, 3, 4]], (x) => tf.mean(x, [1, 2])],
    [[[2, 3]], (x) => tf.mean(x, 0, true)],
    [[[2, 3]], (x) => tf.mean(x)],
  ],
  Min: [[[[2, 3, 4]], (x) => tf.min(x, 1, true)]],
  Minimum: [[[[3, 5], [3, 5]], tf.minimum]],
  Multiply: [[[[3, 5], [5]], tf.mul], [[[3, 1], [1, 5]], tf.mul]],
  Neg: [[[[3]], tf.neg]],
  Pack: [[[[2, 3], [2, 3]], (...x) => tf.stack(x, 1)]],
  PadV2: [[[[2, 3]], (x) => tf.pad(x, [[1, 0], [2, 1]])]],
  RealDiv: [
    [[[3, 5], [5]], (a, b) => tf.div(a, positive(b))],
    [[[3, 1], [1, 5]], (a, b) => tf.div(a, positive(b))],
  ],
  Relu: [[[[3, 5]], tf.relu]],
  Reshape: [[[[2, 6]], (x) => tf.reshape(x, [3, 4])]],
  Rsqrt: [[[[7]], (x) => tf.rsqrt(positive(x))]],
  Select: [[[[3, 4], [3, 4]], (a, b) => tf.where(chequered(a.shape), a, b)]],
  Sigmoid: [[[[7]], tf.sigmoid]],
  Sin: [[[[7]], tf.sin]],
  Slice: [[[[4, 5]], (x) => tf.slice(x, [1, 2], [2, -1])]],
  Softmax: [[[[3, 5]], (x) => tf.softmax(x)]],
  Softplus: [[[[7]], tf.softplus]],
  SplitV: [[[[3, 6]], (x) => tf.add(...splitInTwo(x))]],
  Sqrt: [[[[7]], (x) => tf.sqrt(positive(x))]],
  Square: [[[[7]], tf.square]],
  SquaredDifference: [[[[3, 5], [3, 5]], tf.squaredDifference]],
  Sub: [[[[3, 5], [5]], tf.sub], [[[3, 1], [1, 5]], tf.sub]],
  Sum: [
    [[[2, 3, 4]], (x) => tf.sum(x, [0, 2])],
    [[[2, 3]], (x) => tf.sum(x)],
  ],
  Tile: [
    [[[3]], (x) => tf.tile(x, [3])],
    [[[2, 1, 3]], (x) => tf.tile(x, [2, 4, 1])],
  ],
  Transpose: [[[[2, 3, 4]], (x) => tf.transpose(x, [2, 0, 1])]],
  Unpack: [[[[3, 4]], (x) => tf.mul(...unstackTwo(x))]],
  ZerosLike: [[[[3]], (x) => tf.mul(x, tf.zerosLike(x))]],
};

/** True at every other place. */
function chequered(shape: number[]): tf.Tensor {
  const places = tf.range(0, tf.util.sizeFromShape(shape), 1, "int32");
  const odd = tf.equal(tf.mod(places, tf.scalar(2, "int32")), 1);
  return tf.reshape(odd, shape);
}

function splitInTwo(x: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const [a, b] = tf.split(x, 2, 1);
  return [a, tf.mul(b, 3)];
}

function unstackTwo(x: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const [a, b] = tf.unstack(x, 0);
  return [a, b];
}

/** Gradients of sum(op * [1, 2, ...]) with respect to every input. */
function gradientsOf(shapes: number[][], op: Op): Float32Array[] {
  return tf.tidy(() => {
    const inputs = shapes.map((shape, i) =>
      tf.tensor(randoms(shape, 3 + i), shape)
    );
    const { grads } = valueAndGrads((...x) => {
      const y = op(...x);
      const weights = tf.reshape(tf.range(1, y.size + 1), y.shape);
      return tf.sum(tf.mul(y, weights));
    })(inputs);
    return grads.map((gradient) => gradient.dataSync() as Float32Array);
  });
}

/** The gradient that tfjs uses now. */
function rule(kernel: string) {
  return tf.getGradient(kernel).gradFunc;
}

await tf.setBackend("cpu");
const own = Object.entries(CASES).flatMap(([kernel, cases]) =>
  cases.map(([shapes, op]) => {
    const gradients = gradientsOf(shapes, op);
    return { kernel, shapes, op, gradients, ours: rule(kernel) };
  })
);
await import("../helpers/gradients.ts"); // replaces ours by tfjs's

Deno.test("every kernel with a gradient is compared", () => {
  assert.deepEqual([...DIFFERENTIABLE].sort(), Object.keys(CASES).sort());
});

for (const { kernel, shapes, op, gradients, ours } of own) {
  const title = `${kernel} of ${JSON.stringify(shapes)}`;
  Deno.test(`the gradient of ${title} is tfjs's to the bit`, () => {
    assert.notEqual(rule(kernel), ours, "tfjs's gradient is registered");
    assert.deepEqual(gradients, gradientsOf(shapes, op));
  });
}
