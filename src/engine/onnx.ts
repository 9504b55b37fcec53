/**
 * ONNX's file format, a protobuf message: what traced programs need of it.
 * Field numbers are those of onnx/onnx.proto.
 *
 * @module
 */

/** Element types inside a program. */
export type OnnxType = "float32" | "int32" | "bool" | "int64";

/** A node's attribute: an integer, integers, a string, or a float. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number };

/** One operation. */
export interface OnnxNode {
  readonly op: string;
  /** Operator set; the standard one where absent. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A program's named input or output. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: OnnxType;
}

/** A named constant. */
export interface OnnxConstant extends OnnxValue {
  readonly data: ArrayBufferView;
}

/** A whole program. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Version of the standard operator set: the first with Gelu. */
const OPSET = 20;
const IR_VERSION = 9;
/** TensorProto.DataType */
const DATA_TYPE: Record<OnnxType, number> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
};
/** AttributeProto.AttributeType */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 };

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** Appends protobuf fields to a growing buffer. */
class Message {
  #buffer = new Uint8Array(256);
  #length = 0;

  int(field: number, value: number): this {
    this.#varint(field << 3 | VARINT);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#varint(field << 3 | FIXED32);
    this.#append(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field << 3 | BYTES);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0) { // two's complement in 64 bits
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) {
        this.#buffer[this.#length++] = Number(rest & 127n) | 128;
      }
      this.#buffer[this.#length++] = Number(rest);
      return;
    }
    for (; value > 127; value = Math.floor(value / 128)) {
      this.#buffer[this.#length++] = (value % 128) | 128;
    }
    this.#buffer[this.#length++] = value;
  }

  #append(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.finish());
    this.#buffer = larger;
  }
}

/** Writes a program as the bytes of an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new Message();
  model.nodes.forEach((node, i) => {
    graph.message(1, encodeNode(node, `${node.op}_${i}`));
  });
  graph.string(2, model.name);
  for (const constant of model.constants) {
    graph.message(5, encodeConstant(constant));
  }
  for (const value of model.inputs) graph.message(11, encodeValue(value));
  for (const value of model.outputs) graph.message(12, encodeValue(value));
  return new Message()
    .int(1, IR_VERSION)
    .message(7, graph)
    .message(8, new Message().string(1, "").int(2, OPSET))
    .message(8, new Message().string(1, "com.microsoft").int(2, 1))
    .finish();
}

function encodeNode(node: OnnxNode, name: string): Message {
  const message = new Message();
  for (const input of node.inputs) message.string(1, input);
  for (const output of node.outputs) message.string(2, output);
  message.string(3, name).string(4, node.op);
  for (const [key, value] of Object.entries(node.attributes)) {
    message.message(5, encodeAttribute(key, value));
  }
  if (node.domain) message.string(7, node.domain);
  return message;
}

function encodeAttribute(name: string, value: Attribute): Message {
  const message = new Message().string(1, name);
  if (typeof value === "number") {
    return message.int(3, value).int(20, ATTRIBUTE.int);
  }
  if (typeof value === "string") {
    return message.string(4, value).int(20, ATTRIBUTE.string);
  }
  if ("float" in value) {
    return message.float(2, value.float).int(20, ATTRIBUTE.float);
  }
  for (const item of value) message.int(8, item);
  return message.int(20, ATTRIBUTE.ints);
}

function encodeConstant(constant: OnnxConstant): Message {
  const { name, shape, dtype, data } = constant;
  const message = new Message();
  for (const extent of shape) message.int(1, extent);
  return message
    .int(2, DATA_TYPE[dtype])
    .string(8, name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function encodeValue({ name, shape, dtype }: OnnxValue): Message {
  const dimensions = new Message();
  for (const extent of shape) {
    dimensions.message(1, new Message().int(1, extent));
  }
  const tensor = new Message().int(1, DATA_TYPE[dtype]).message(2, dimensions);
  return new Message().string(1, name).message(
    2,
    new Message().message(1, tensor),
  );
}
