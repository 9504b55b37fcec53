import assert from "node:assert/strict";
import {
  readSafetensors,
  writeSafetensors,
} from "../../src/checkpoints/safetensors.ts";

/** Written by the reference implementation, Python safetensors 0.8.0. */
const REFERENCE = Uint8Array.fromBase64(
  "cAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJwcmVzZXQiOiJ0aW55In0sImIiOnsiZHR5cGUi" +
    "OiJGMzIiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlswLDEyXX0sInMiOnsiZHR5cGUi" +
    "OiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzEyLDE2XX0sImkiOnsiZHR5cGUi" +
    "OiJJMzIiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlsxNiwyNF19LCJ3Ijp7ImR0eXBl" +
    "IjoiRjE2Iiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlsyNCwzNl19LCJ1Ijp7ImR0" +
    "eXBlIjoiVTgiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlszNiwzOF19LCJtIjp7ImR0" +
    "eXBlIjoiQk9PTCIsInNoYXBlIjpbMiwxXSwiZGF0YV9vZmZzZXRzIjpbMzgsNDBdfX0gIAAA" +
    "gD8AACBAAABAwAAA4ED/////////fwA+gMABAP97Zi4AgAD/AQA=",
);

/** A file with any header, true or lying, and any data. */
function file(
  header: unknown,
  data: Uint8Array | number[] = [],
  headerLength?: bigint,
): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + data.length);
  const length = headerLength ?? BigInt(json.length);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

function entry(dtype: string, shape: unknown, data_offsets: unknown) {
  return { dtype, shape, data_offsets };
}

function refuses(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => readSafetensors(bytes), (error) => {
    assert(error instanceof RangeError);
    assert.match(error.message, /^Cannot read safetensors as .* must /);
    assert.match(error.message, message);
    return true;
  });
}

const f32 = (...values: number[]) =>
  new Uint8Array(new Float32Array(values).buffer);

Deno.test("readSafetensors() reads a file of the reference implementation", () => {
  const { tensors, metadata } = readSafetensors(REFERENCE);
  assert.deepEqual(metadata, { preset: "tiny" });
  assert.deepEqual([...tensors.keys()], ["b", "s", "i", "w", "u", "m"]);
  assert.deepEqual(tensors.get("b"), {
    data: new Float32Array([1, 2.5, -3]),
    shape: [3],
  });
  assert.deepEqual(tensors.get("s"), {
    data: new Float32Array([7]),
    shape: [],
  });
  assert.deepEqual(tensors.get("i")!.data, new Int32Array([-1, 2147483647]));
  assert.deepEqual(tensors.get("u")!.data, new Int32Array([0, 255]));
  assert.deepEqual(tensors.get("m"), {
    data: new Uint8Array([1, 0]),
    shape: [2, 1],
  });
  assert.deepEqual(tensors.get("w"), {
    data: new Float32Array([1.5, -2.25, 2 ** -24, 65504, 0.0999755859375, -0]),
    shape: [2, 3],
  });
});

Deno.test("readSafetensors() reads bytes that start at an odd address", () => {
  for (const offset of [1, 2, 3, 5]) {
    const padded = new Uint8Array(REFERENCE.length + offset);
    padded.set(REFERENCE, offset);
    const { tensors } = readSafetensors(padded.subarray(offset));
    assert.deepEqual([...tensors.get("b")!.data], [1, 2.5, -3]);
    assert.equal(tensors.get("b")!.data.buffer.byteLength, 12);
  }
});

Deno.test("readSafetensors() widens float16 and bfloat16 exactly", () => {
  const halves: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14], // smallest normal
    [0x03ff, 1023 * 2 ** -24], // largest subnormal
    [0x0001, 2 ** -24], // smallest subnormal
    [0x8000, -0],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ];
  const brains: [number, number][] = [
    [0x3f80, 1],
    [0xc0a0, -5],
    [0x0001, 2 ** -133], // smallest subnormal
    [0x7f7f, 255 * 2 ** 120],
    [0x8000, -0],
    [0xff80, -Infinity],
    [0x7fc0, NaN],
  ];
  for (const [dtype, cases] of [["F16", halves], ["BF16", brains]] as const) {
    const data = new Uint8Array(Uint16Array.from(cases, ([b]) => b).buffer);
    const header = { x: entry(dtype, [cases.length], [0, data.length]) };
    const { tensors } = readSafetensors(file(header, data), { finite: false });
    assert.deepEqual([...tensors.get("x")!.data], cases.map(([, v]) => v));
  }
});

Deno.test("writeSafetensors() rounds to the nearest float16, ties to even", () => {
  const cases: [number, number][] = [
    [1 + 2 ** -11, 1], // halfway between 1 and 1 + 2^-10: even is 1
    [1 + 3 * 2 ** -11, 1 + 2 ** -9], // halfway, even is above
    [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
    [2049, 2048],
    [2051, 2052],
    [65519, 65504],
    [2 ** -25, 0], // half of the smallest subnormal
    [1.5 * 2 ** -24, 2 ** -23], // halfway between subnormals
    [-(2 ** -14), -(2 ** -14)],
    [0.1, 0.0999755859375],
    [-0, -0],
  ];
  const data = Float32Array.from(cases, ([value]) => value);
  const tensors = new Map([["x", { data, shape: [cases.length] }]]);
  const bytes = writeSafetensors(tensors, {}, { dtype: "float16" });
  const read = readSafetensors(bytes).tensors.get("x")!;
  assert.deepEqual([...read.data], cases.map(([, rounded]) => rounded));
});

Deno.test("writeSafetensors() keeps names, shapes, dtypes and metadata", () => {
  const tensors = new Map([
    ["bool", { data: new Uint8Array([0, 1, 1]), shape: [3, 1] }],
    ["__proto__", { data: new Float32Array([4]), shape: [] }],
    ["7", { data: new Int32Array([-5, 6]), shape: [2] }],
    ["empty", { data: new Float32Array(0), shape: [0, 4] }],
    ['quote " \\ µ { [', { data: new Float32Array([0.1, 2]), shape: [1, 2] }],
  ]);
  const metadata = { seed: "1", attribution: "CC BY 3.0, Ärzte {}" };
  const bytes = writeSafetensors(tensors, metadata);
  const read = readSafetensors(bytes);
  assert.deepEqual(read.metadata, metadata);
  assert.deepEqual(
    [...read.tensors].sort(([a], [b]) => (a < b ? -1 : 1)),
    [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const dataStart = 8 + new DataView(bytes.buffer).getUint32(0, true);
  assert.equal(dataStart % 8, 0);
  const reversed = [...tensors].reverse();
  assert.deepEqual(writeSafetensors(reversed, metadata), bytes);
});

Deno.test("writeSafetensors() halves the bytes of float tensors only", () => {
  const weights = new Map([
    ["w", { data: new Float32Array(1000), shape: [1000] }],
    ["i", { data: new Int32Array(10), shape: [10] }],
  ]);
  const full = writeSafetensors(weights);
  const half = writeSafetensors(weights, {}, { dtype: "float16" });
  assert.equal(full.length - half.length, 2000);
  const { tensors } = readSafetensors(half);
  assert(tensors.get("i")!.data instanceof Int32Array);
});

Deno.test("writeSafetensors() refuses what it could not read back", () => {
  const x = (data: Float32Array, shape = [data.length]) =>
    ["x", { data, shape }] as const;
  const cases: [() => unknown, RegExp][] = [
    [
      () => writeSafetensors([x(new Float32Array([1, NaN]))]),
      /"x" .* 1 is NaN/,
    ],
    [
      () =>
        writeSafetensors([x(new Float32Array([65520]))], {}, {
          dtype: "float16",
        }),
      /"x" must fit float16 .* 0 is 65520/,
    ],
    [() => writeSafetensors([x(new Float32Array(3), [2])]), /value is \[2\]/],
    [
      () => writeSafetensors([x(new Float32Array(1)), x(new Float32Array(1))]),
      /given once .* is x/,
    ],
    [
      () =>
        writeSafetensors([[
          "__metadata__",
          { data: new Float32Array(1), shape: [1] },
        ]]),
      /not be __metadata__/,
    ],
  ];
  for (const [act, message] of cases) {
    assert.throws(act, { name: "RangeError", message });
  }
});

Deno.test("readSafetensors() refuses a file too short for its header", () => {
  refuses(new Uint8Array(0), />= 10 bytes: current value is 0/);
  refuses(new Uint8Array(9), />= 10 bytes: current value is 9/);
  refuses(file("{}", [], 3n), /<= the 2 bytes that follow: .* is 3/);
  refuses(file("{}", [], 16_777_217n), /<= 16777216 bytes: .* is 16777217/);
  refuses(file("{}", [], 2n ** 64n - 1n), /<= 16777216 bytes/);
});

Deno.test("readSafetensors() refuses a header that is no JSON object", () => {
  refuses(file('{"x":'), /must be JSON/);
  refuses(file(" \u0000"), /must be JSON/);
  refuses(file("\uFEFF{}"), /must be JSON/);
  refuses(file("[1]"), /must be a JSON object: current value is \[1\]/);
  refuses(file("null"), /must be a JSON object/);
  const broken = file("{  }");
  broken[9] = 0xff; // no UTF-8
  refuses(broken, /must be JSON/);
  const deep = 2_000_000;
  const nested = `{"x":${"[".repeat(deep)}${"]".repeat(deep)}}`;
  refuses(file(nested), /nest <= 8 deep/);
});

Deno.test("readSafetensors() refuses names and metadata out of order", () => {
  const one = JSON.stringify(entry("F32", [1], [0, 4]));
  refuses(file(`{"x":${one},"x":${one}}`, f32(1)), /given once: .* "x"/);
  refuses(file(`{"x":${one},"\\u0078" :${one}}`, f32(1)), /given once/);
  refuses(file(`{"x":{"dtype":"F32","dtype":"F16"}}`), /given once: .*"dtype"/);
  refuses(file({ __metadata__: 3 }), /object of strings: current value is 3/);
  refuses(file({ __metadata__: { a: 1 } }), /"a" of __metadata__ .* string/);
});

Deno.test("readSafetensors() names the tensor and the dtype it cannot read", () => {
  const header = { "a.weight": entry("F8_E4M3", [1], [0, 1]) };
  refuses(
    file(header, new Uint8Array(1)),
    /dtype of "a\.weight" must be one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL: current value is "F8_E4M3"/,
  );
  refuses(file({ x: entry("toString", [0], [0, 0]) }), /is "toString"/);
  refuses(file({ x: {} }), /dtype of "x" .* is missing/);
  refuses(file({ x: [1] }), /dtype of "x" .* is missing/);
});

Deno.test("readSafetensors() refuses negative, fractional and huge shapes", () => {
  for (
    const shape of [
      [-1],
      [0.5],
      [2 ** 31],
      ["1"],
      [null],
      Array(9).fill(1),
      "1",
      undefined,
    ]
  ) {
    refuses(file({ x: entry("F32", shape, [0, 4]) }, f32(1)), /shape of "x"/);
  }
  const huge = Array(8).fill(2 ** 31 - 1); // 4.5e74 elements
  refuses(file({ x: entry("F32", huge, [0, 4]) }, f32(1)), /"x" must be F32 /);
});

Deno.test("readSafetensors() refuses bytes that are not shape x dtype", () => {
  const eight = f32(1, 2);
  refuses(
    file({ x: entry("F32", [3], [0, 8]) }, eight),
    /"x" must be F32 \[3\], 12 bytes, by its data_offsets: current value is 8/,
  );
  refuses(file({ x: entry("F16", [2], [0, 8]) }, eight), /4 bytes/);
  refuses(file({ x: entry("F32", [], [0, 8]) }, eight), /4 bytes/);
});

Deno.test("readSafetensors() refuses offsets that leave the data", () => {
  for (
    const offsets of [[4, 0], [-4, 0], [0.5, 4.5], [0], [0, 4, 8], "04", null]
  ) {
    refuses(
      file({ x: entry("F32", [1], offsets) }, f32(1)),
      /data_offsets of "x"/,
    );
  }
  const beyond = { x: entry("F32", [2], [0, 8]) };
  refuses(file(beyond, f32(1)), /8 bytes \(it is truncated\): .* is 4/);
  const far = 2 ** 52;
  refuses(file({ x: entry("F32", [1], [far, far + 4]) }, f32(1)), /hole/);
});

Deno.test("readSafetensors() refuses overlaps, holes and bytes left over", () => {
  const two = (begin: number) => ({
    a: entry("F32", [2], [0, 8]),
    b: entry("F32", [1], [begin, begin + 4]),
  });
  refuses(file(two(4), f32(1, 2)), /"b" must begin at byte 8 .* not overlap/);
  refuses(file(two(0), f32(1, 2)), /"a" must begin at byte 4 .* not overlap/);
  refuses(file(two(12), f32(1, 2, 3, 4)), /"b" .* byte 8 .* leave a hole/);
  refuses(file(two(8), f32(1, 2, 3, 4)), /12 bytes \(bytes are left over\)/);
});

Deno.test("readSafetensors() refuses weights that are not finite", () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const bytes = file({ "b.w": entry("F32", [2], [0, 8]) }, f32(1, value));
    refuses(bytes, new RegExp(`"b.w" must be finite: .* at 1 is ${value}`));
    const { tensors } = readSafetensors(bytes, { finite: false });
    assert.deepEqual([...tensors.get("b.w")!.data], [1, value]);
  }
  refuses(
    file({ x: entry("BOOL", [2], [0, 2]) }, [1, 7]),
    /0 or 1 in "x": .* is 7/,
  );
});

Deno.test("readSafetensors() refuses a file cut anywhere", () => {
  for (let length = 0; length < REFERENCE.length; length++) {
    refuses(REFERENCE.subarray(0, length), /./);
  }
});

Deno.test("readSafetensors() meets 5,000 damaged files with clear errors", () => {
  let seed = 1;
  const random = (below: number) => { // Numerical Recipes' generator
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const headerEnd = 8 + new DataView(REFERENCE.buffer).getUint32(0, true);
  const tokens = ["-1", "1e9", "0.5", "[", "}", '"', "null", "F64", ",0", "\\"];
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    let bytes = REFERENCE.slice();
    for (let edits = 1 + random(3); edits > 0; edits--) {
      const at = random(random(4) > 0 ? headerEnd : bytes.length);
      const kind = random(4);
      if (kind === 0) bytes[at] ^= 1 << random(8);
      else if (kind === 1) bytes[at] = 48 + random(10); // another digit
      else if (kind === 2) bytes = bytes.slice(0, bytes.length - random(20));
      else {
        const token = new TextEncoder().encode(tokens[random(tokens.length)]);
        bytes.set(token.subarray(0, bytes.length - at), at);
      }
    }
    try {
      const { tensors } = readSafetensors(bytes);
      const total = [...tensors.values()]
        .reduce((sum, { data }) => sum + data.length, 0);
      assert(total <= REFERENCE.length);
    } catch (error) {
      refused++;
      assert(error instanceof RangeError, String(error));
      assert.match(error.message, /^Cannot read safetensors as /);
    }
  }
  assert(refused > 3000 && refused < 5000, `${refused} refused`);
});
