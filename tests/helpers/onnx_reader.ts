/**
 * Reads the programs that onnx.ts writes.
 *
 * @module
 */
import type {
  Attribute,
  OnnxModel,
  OnnxType,
  OnnxValue,
} from "../../src/engine/onnx.ts";

const TYPE_NAME: Record<number, OnnxType> = {
  1: "float32",
  6: "int32",
  7: "int64",
  9: "bool",
};

/** A message's fields: number, and value as an integer or as bytes. */
type Fields = [field: number, value: bigint | Uint8Array][];

/** Reads the bytes of an `.onnx` file. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const model = decodeFields(bytes);
  const graph = decodeFields(only(model, 7));
  const description = all(model, 6).map(text)[0];
  const metadata = all(model, 14).map(decodeEntry);
  return {
    ...(description ? { description } : {}),
    ...(metadata.length > 0 ? { metadata: Object.fromEntries(metadata) } : {}),
    name: text(only(graph, 2)),
    nodes: all(graph, 1).map(decodeNode),
    constants: all(graph, 5).map(decodeConstant),
    inputs: all(graph, 11).map(decodeValue),
    outputs: all(graph, 12).map(decodeValue),
  };
}

function decodeConstant(bytes: Uint8Array): OnnxModel["constants"][number] {
  const fields = decodeFields(bytes);
  const constant = {
    name: text(only(fields, 8)),
    shape: integers(fields, 1),
    dtype: TYPE_NAME[integers(fields, 2)[0]],
  };
  const entries = all(fields, 13).map(decodeEntry);
  if (entries.length === 0) return { ...constant, data: only(fields, 9) };
  const { location, offset } = Object.fromEntries(entries);
  return {
    ...constant,
    data: new Uint8Array(),
    external: { location, offset: Number(offset) },
  };
}

/** A `StringStringEntryProto`. */
function decodeEntry(bytes: Uint8Array): [string, string] {
  const fields = decodeFields(bytes);
  return [text(only(fields, 1)), text(only(fields, 2))];
}

function decodeNode(bytes: Uint8Array): OnnxModel["nodes"][number] {
  const fields = decodeFields(bytes);
  const domain = all(fields, 7).map(text)[0];
  return {
    op: text(only(fields, 4)),
    ...(domain ? { domain } : {}),
    inputs: all(fields, 1).map(text),
    outputs: all(fields, 2).map(text),
    attributes: Object.fromEntries(all(fields, 5).map(decodeAttribute)),
  };
}

function decodeAttribute(bytes: Uint8Array): [string, Attribute] {
  const fields = decodeFields(bytes);
  const name = text(only(fields, 1));
  switch (integers(fields, 20)[0]) {
    case 1: {
      const { buffer, byteOffset } = only(fields, 2);
      return [name, {
        float: new DataView(buffer, byteOffset).getFloat32(0, true),
      }];
    }
    case 2:
      return [name, integers(fields, 3)[0]];
    case 3:
      return [name, text(only(fields, 4))];
    default:
      return [name, integers(fields, 8)];
  }
}

function decodeValue(bytes: Uint8Array): OnnxValue {
  const fields = decodeFields(bytes);
  const tensor = decodeFields(only(decodeFields(only(fields, 2)), 1));
  const dimensions = all(decodeFields(only(tensor, 2)), 1);
  return {
    name: text(only(fields, 1)),
    dtype: TYPE_NAME[integers(tensor, 1)[0]],
    shape: dimensions.map((d) => integers(decodeFields(d), 1)[0] ?? 0),
  };
}

function decodeFields(bytes: Uint8Array): Fields {
  const fields: Fields = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    if (wireType === 0) {
      fields.push([tag >> 3, varint()]);
      continue;
    }
    if (wireType !== 2 && wireType !== 5) {
      throw new RangeError(
        `Cannot read ONNX as a wire type must be 0, 2 or 5: current value is ${wireType}`,
      );
    }
    const length = wireType === 5 ? 4 : Number(varint());
    fields.push([tag >> 3, bytes.subarray(at, at += length)]);
  }
  return fields;
}

function all(fields: Fields, field: number): Uint8Array[] {
  return fields.filter(([f]) => f === field).map(([, v]) => v as Uint8Array);
}

function only(fields: Fields, field: number): Uint8Array {
  const [value] = all(fields, field);
  if (value === undefined) {
    throw new RangeError(`Cannot read ONNX as field ${field} is missing`);
  }
  return value;
}

function integers(fields: Fields, field: number): number[] {
  return fields.filter(([f]) => f === field).map(([, v]) => Number(v));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
