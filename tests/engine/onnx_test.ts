import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  encodeModel,
  encodeModelParts,
  type OnnxModel,
} from "../../src/engine/onnx.ts";
import { trace, traceFunction } from "../../src/engine/trace.ts";
import { decodeModel } from "../helpers/onnx_reader.ts";
import "../helpers/gradients.ts";

const MODEL: OnnxModel = {
  name: "example",
  nodes: [
    {
      op: "Slice",
      inputs: ["x", "starts"],
      outputs: ["part"],
      attributes: {
        axis: -1,
        perm: [3, 0, -(2 ** 31), 2 ** 40],
        mode: "linear",
      },
    },
    {
      op: "FusedMatMul",
      domain: "com.microsoft",
      inputs: ["part", "part"],
      outputs: ["y"],
      attributes: { alpha: { float: 0.5 }, transA: 1, none: [] },
    },
  ],
  constants: [
    {
      name: "starts",
      shape: [2],
      dtype: "int64",
      data: new Uint8Array(BigInt64Array.of(-1n, 300n).buffer),
    },
    { name: "empty", shape: [0], dtype: "float32", data: new Uint8Array(0) },
    {
      name: "beside",
      shape: [0],
      dtype: "float32",
      data: new Uint8Array(0),
      external: { location: "weights.data", offset: 2 ** 40 },
    },
  ],
  inputs: [
    { name: "x", shape: [2, 300_000], dtype: "float32" },
    { name: "größe", shape: [], dtype: "bool" },
  ],
  outputs: [{ name: "y", shape: [0, 2], dtype: "int32" }],
  description: "an example",
  metadata: { license: "MIT", größe: "" },
};

Deno.test("decodeModel() reads what encodeModel() writes", () => {
  assert.deepEqual(decodeModel(encodeModel(MODEL)), MODEL);
});

Deno.test("encodeModelParts() gives the same bytes and copies no large constant", () => {
  const data = new Float32Array(20_000).fill(3);
  const model: OnnxModel = {
    ...MODEL,
    constants: [
      { name: "large", shape: [20_000], dtype: "float32", data },
      ...MODEL.constants,
    ],
  };
  const parts = encodeModelParts(model);
  assert.ok(parts.some(({ buffer }) => buffer === data.buffer));
  const joined = parts.flatMap((part) => [...part]);
  assert.deepEqual(joined, [...encodeModel(model)]);
});

Deno.test("encodeModel() writes protobuf as onnx.proto numbers it", () => {
  const bytes = encodeModel({
    name: "g",
    nodes: [{
      op: "Neg",
      domain: "com.microsoft",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { a: -1 },
    }],
    constants: [],
    inputs: [{ name: "x", shape: [200], dtype: "float32" }],
    outputs: [],
  });
  const text = (value: string) => [...new TextEncoder().encode(value)];
  const minusOne = [...new Array(9).fill(0xff), 0x01]; // 64 bits, 7 at a time
  const attribute = [0x0a, 1, ...text("a"), 0x18, ...minusOne, 0xa0, 0x01, 2];
  const node = [
    ...[0x0a, 1, ...text("x"), 0x12, 1, ...text("y")],
    ...[0x1a, 5, ...text("Neg_0"), 0x22, 3, ...text("Neg")],
    ...[0x2a, attribute.length, ...attribute],
    ...[0x3a, 13, ...text("com.microsoft")],
  ];
  const shape = [0x0a, 3, 0x08, 0xc8, 0x01]; // one dimension: 200
  const tensor = [0x08, 1, 0x12, shape.length, ...shape];
  const type = [0x0a, tensor.length, ...tensor];
  const input = [0x0a, 1, ...text("x"), 0x12, type.length, ...type];
  const graph = [
    ...[0x0a, node.length, ...node, 0x12, 1, ...text("g")],
    ...[0x5a, input.length, ...input],
  ];
  const microsoft = [0x0a, 13, ...text("com.microsoft"), 0x10, 1];
  assert.deepEqual([...bytes], [
    ...[0x08, 9, 0x3a, graph.length, ...graph], // IR version 9
    ...[0x42, 4, 0x0a, 0, 0x10, 20], // the standard operators, version 20
    ...[0x42, microsoft.length, ...microsoft],
  ]);
});

Deno.test("trace() names inputs and outputs by their places in the trees", async () => {
  await tf.setBackend("cpu");
  const spec = { shape: [2, 2], dtype: "float32" } as const;
  const program = trace(
    "affine",
    ({ weights, x }: {
      weights: Record<string, tf.Tensor>;
      x: tf.Tensor[];
    }) => ({
      x: [tf.add(tf.matMul(x[0], weights["fc.weight"]), weights["fc.bias"])],
    }),
    { weights: { "fc.weight": spec, "fc.bias": spec }, x: [spec] },
  );
  const model = decodeModel(program.bytes);
  assert.equal(model.name, "affine");
  assert.deepEqual(
    model.inputs.map(({ name }) => name),
    ["weights/fc.weight", "weights/fc.bias", "x/0"],
  );
  assert.deepEqual(model.outputs, [
    { name: "x/0:result", shape: [2, 2], dtype: "float32" },
  ]);
  assert.deepEqual(model.nodes.map(({ op }) => op), ["MatMul", "Add"]);
});

Deno.test("traceFunction() keeps weights by name, with standard operators only", async () => {
  await tf.setBackend("cpu");
  const dtype = "float32";
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6);
  const specs = {
    x: { shape: [4, 2], dtype },
    "fc.weight": { shape: [3, 2], dtype, data: weight },
  } as const;
  const multiply = (inputs: Record<string, tf.Tensor>) => ({
    y: tf.matMul(inputs.x, inputs["fc.weight"], false, true),
  });
  const { model } = traceFunction("fc", multiply, specs, { standard: true });
  assert.deepEqual(model.inputs.map(({ name }) => name), ["x"]);
  assert.deepEqual(model.constants, [
    { name: "fc.weight", shape: [3, 2], dtype, data: weight },
  ]);
  assert.deepEqual(model.nodes.map(({ op }) => op), ["Transpose", "MatMul"]);
  const { model: faster } = traceFunction("fc", multiply, specs);
  assert.deepEqual(faster.nodes.map(({ op }) => op), ["FusedMatMul"]);
});

Deno.test("the gradient of a mean stays small until it is needed", async () => {
  await tf.setBackend("cpu");
  const program = trace(
    "gradient",
    ({ x }: { x: tf.Tensor }) => ({
      dx: tf.grad((y) => tf.mean(tf.mul(y, 3)))(x),
    }),
    { x: { shape: [1000, 1000], dtype: "float32" } },
  );
  const { nodes, constants } = decodeModel(program.bytes);
  assert.deepEqual(nodes.map(({ op }) => op), ["Expand"]);
  const sizes = constants.map(({ data }) => data.byteLength);
  assert.deepEqual(sizes.sort(), [16, 4], "one number and one shape");
});
