/**
 * ONNX's file format: what traced programs need of it, and of protobuf's wire
 * format.
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
  /** Where its values lie instead, in a file beside the program's. */
  readonly external?: { readonly location: string; readonly offset: number };
}

/** A whole program. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** What the program is for; none by default. */
  readonly description?: string;
  /** Free-form facts (`metadata_props`); none by default. */
  readonly metadata?: Readonly<Record<string, string>>;
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
/** TensorProto.DataLocation */
const EXTERNAL = 1;
/** AttributeProto.AttributeType */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 };

/** Writes a program as the bytes of an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return messageOf(model).finish();
}

/** The same in pieces, one after another; large constants are not copied. */
export function encodeModelParts(model: OnnxModel): readonly Uint8Array[] {
  return messageOf(model).parts();
}

function messageOf(model: OnnxModel): Message {
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
  const message = new Message().int(1, IR_VERSION);
  if (model.description) message.string(6, model.description);
  message.message(7, graph);
  message.message(8, new Message().string(1, "").int(2, OPSET));
  const domains = new Set(model.nodes.map(({ domain }) => domain ?? ""));
  domains.delete("");
  for (const domain of domains) {
    message.message(8, new Message().string(1, domain).int(2, 1));
  }
  for (const entry of Object.entries(model.metadata ?? {})) {
    message.message(14, encodeEntry(entry));
  }
  return message;
}

/** A `StringStringEntryProto`. */
function encodeEntry([key, value]: [string, string]): Message {
  return new Message().string(1, key).string(2, value);
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
  const { name, shape, dtype, data, external } = constant;
  const message = new Message();
  for (const extent of shape) message.int(1, extent);
  message.int(2, DATA_TYPE[dtype]).string(8, name);
  if (!external) {
    const { buffer, byteOffset, byteLength } = data;
    return message.bytes(9, new Uint8Array(buffer, byteOffset, byteLength));
  }
  const where = { ...external, length: data.byteLength };
  for (const [key, value] of Object.entries(where)) {
    message.message(13, encodeEntry([key, `${value}`]));
  }
  return message.int(14, EXTERNAL);
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

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** Bytes from this size on are kept where they are instead of copied. */
const UNCOPIED_BYTES = 2 ** 16;

const UTF8 = new TextEncoder();

/** A message, to which fields are appended. */
class Message {
  /** What comes before the buffer. */
  readonly #parts: Uint8Array[] = [];
  #buffer = new Uint8Array(256);
  #length = 0;

  /** Appends an integer. */
  int(field: number, value: number): this {
    this.#varint(field << 3 | VARINT);
    this.#varint(value);
    return this;
  }

  /** Appends a float. */
  float(field: number, value: number): this {
    this.#varint(field << 3 | FIXED32);
    this.#append(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  /** Appends bytes; many of them are not copied and must not change. */
  bytes(field: number, value: Uint8Array): this {
    return this.#delimited(field, [value]);
  }

  /** Appends a text. */
  string(field: number, value: string): this {
    return this.bytes(field, UTF8.encode(value));
  }

  /** Appends a message. */
  message(field: number, value: Message): this {
    return this.#delimited(field, value.parts());
  }

  /** The message in pieces, one after another. */
  parts(): readonly Uint8Array[] {
    return [...this.#parts, this.#buffer.subarray(0, this.#length)];
  }

  /** The message as one piece. */
  finish(): Uint8Array {
    const parts = this.parts();
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(lengthOf(parts));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #delimited(field: number, parts: readonly Uint8Array[]): this {
    this.#varint(field << 3 | BYTES);
    this.#varint(lengthOf(parts));
    for (const part of parts) this.#append(part);
    return this;
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
    if (value.length >= UNCOPIED_BYTES) {
      this.#parts.push(this.#buffer.subarray(0, this.#length), value);
      this.#buffer = new Uint8Array(256);
      this.#length = 0;
      return;
    }
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
