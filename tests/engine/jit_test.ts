import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  availableEngines,
  currentEngine,
  type EngineName,
  upload,
  useEngine,
} from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import type { DeviceTensor, HostTensor } from "../../src/engine/tensors.ts";
import { host, randoms } from "../helpers/engine_helpers.ts";
import { floorGrowth } from "../helpers/floor_growth.ts";

const axpy = ({ a, x, y }: { a: tf.Tensor; x: tf.Tensor; y: tf.Tensor }) => ({
  sum: tf.add(tf.mul(a, x), y),
});
const vector = (...values: number[]) =>
  host(Float32Array.from(values), [values.length]);

// The engine is chosen by the first call of a program.
Deno.test("jit() chooses an engine when none has been chosen", async () => {
  assert.equal(currentEngine(), undefined);
  const program = jit(axpy, { name: "axpy" });
  const [first, second] = await Promise.all([
    program({ a: vector(2), x: vector(1, 2), y: vector(10, 20) }),
    program({ a: vector(3), x: vector(1, 2), y: vector(10, 20) }),
  ]);
  assert.deepEqual([...first.sum.data], [12, 24]);
  assert.deepEqual([...second.sum.data], [13, 26]);
  assert.equal(currentEngine()?.name, "onnx");
});

/** Engines on which every test below runs. */
const engines: EngineName[] = ["onnx", "cpu"];

function test(title: string, body: () => Promise<void>): void {
  for (const engine of engines) {
    Deno.test(`${title} (${engine})`, async () => {
      await useEngine(engine, { threads: 1 });
      const before = tf.memory().numTensors;
      await body();
      assert.equal(tf.memory().numTensors, before, "tensors are left over");
    });
  }
}

test("a program takes and gives nested trees", async () => {
  const program = jit(
    ({ pair, extra }: {
      pair: [tf.Tensor, { deep: tf.Tensor }];
      extra?: tf.Tensor;
    }) => ({
      list: [tf.neg(pair[0]), tf.square(pair[1].deep)],
      both: { sum: tf.add(pair[0], extra ?? 100) },
    }),
    { name: "nested" },
  );
  const pair = [vector(1, 2), { deep: vector(3, 4) }] as [
    HostTensor,
    { deep: HostTensor },
  ];
  const { list, both } = await program({ pair });
  assert.deepEqual(list.map(({ data }) => [...data]), [[-1, -2], [9, 16]]);
  assert.deepEqual([...both.sum.data], [101, 102]);
  const withExtra = await program({ pair, extra: vector(5, 6) });
  assert.deepEqual([...withExtra.both.sum.data], [6, 8]);
});

test("int32 and bool go in and come out as such", async () => {
  const program = jit(
    ({ i, b }: { i: tf.Tensor; b: tf.Tensor }) => ({
      i: tf.add(i, tf.scalar(1, "int32")),
      b: tf.logicalNot(b),
    }),
    { name: "types" },
  );
  const { i, b } = await program({
    i: host(Int32Array.of(1, -5), [2]),
    b: host(Uint8Array.of(1, 0), [2]),
  });
  assert.deepEqual(i.data, Int32Array.of(2, -4));
  assert.deepEqual(b.data, Uint8Array.of(0, 1));
});

test("a function may return its input, a constant, or one tensor twice", async () => {
  const program = jit(({ x }: { x: tf.Tensor }) => {
    const y = tf.exp(x);
    return { x, one: tf.ones([2]), y, again: y, same: tf.reshape(y, [2, 1]) };
  }, { name: "identities" });
  const x = vector(0, 0);
  const result = await program({ x });
  for (const key of ["one", "y", "again", "same"] as const) {
    assert.deepEqual([...result[key].data], [1, 1]);
  }
  assert.deepEqual(result.same.shape, [2, 1]);
  result.x.data[0] = 7;
  assert.equal(x.data[0], 0, "the result shares memory with the input");
});

test("inputs stay the caller's own", async () => {
  const program = jit(axpy, { name: "axpy" });
  const x = host(new Float32Array(10_000).fill(1), [10_000]);
  const device = await upload({ y: x });
  const pending = program({ a: vector(1), x, y: device.y });
  x.data.fill(5); // after the call, before its result
  const { sum } = await pending;
  assert.equal(sum.data[9999], 2);
  assert.equal((await device.y.read()).data[0], 1);
  device.y.dispose();
});

test("resident results feed the next call without leaving the engine", async () => {
  const step = jit(
    ({ state, rate }: { state: { w: tf.Tensor }; rate: tf.Tensor }) => ({
      state: { w: tf.sub(state.w, tf.mul(rate, state.w)) },
      norm: tf.sum(tf.square(state.w)),
    }),
    { name: "decay", resident: ["state"] },
  );
  let state: { w: DeviceTensor } = await upload({ w: vector(8, 16) });
  const norms: number[] = [];
  for (let i = 0; i < 3; i++) {
    const result = await step({ state, rate: vector(0.5) });
    state.w.dispose(); // its buffer may serve the next result
    state = result.state;
    norms.push(result.norm.data[0]);
  }
  assert.deepEqual(norms, [320, 80, 20]);
  assert.deepEqual((await state.w.read()).data, Float32Array.of(1, 2));
  assert.deepEqual(state.w.shape, [2]);
  assert.equal(state.w.dtype, "float32");
  state.w.dispose();
});

test("a device tensor may be disposed as soon as the call is made", async () => {
  const program = jit(axpy, { name: "axpy" });
  const { x } = await upload({ x: vector(1, 2) });
  const pending = program({ a: vector(2), x, y: x });
  x.dispose();
  x.dispose();
  assert.deepEqual([...(await pending).sum.data], [3, 6]);
});

test("a disposed device tensor is refused", async () => {
  const program = jit(axpy, { name: "axpy" });
  const { x } = await upload({ x: vector(1, 2) });
  x.dispose();
  const refused = {
    message: "Cannot use a device tensor [2] as it is disposed",
  };
  await assert.rejects(program({ a: vector(1), x, y: x }), refused);
  await assert.rejects(x.read(), {
    message: "Cannot read a device tensor [2] as it is disposed",
  });
});

test("many calls at once each get their own result", async () => {
  const program = jit(axpy, { name: "axpy" });
  const results = await Promise.all(
    Array.from(
      { length: 40 },
      (_, i) => program({ a: vector(i), x: vector(1, 2), y: vector(0, 1) }),
    ),
  );
  results.forEach(({ sum }, i) =>
    assert.deepEqual([...sum.data], [i, 2 * i + 1])
  );
});

test("input that does not fit is refused", async () => {
  const program = jit(axpy, { name: "axpy" });
  const a = vector(1);
  await assert.rejects(
    program({ a, x: host(new Float32Array(3), [2, 2]), y: a }),
    /Cannot use input "x" as its shape \[2,2\] must hold 4 values: .* 3/,
  );
  const view = { ...host(new Float32Array(6), [3, 2]), stride: [1, 3] };
  await assert.rejects(
    program({ a, x: view, y: a }),
    /Cannot use input "x" as it must be contiguous: .*\[1,3\]/,
  );
  const doubles = new Float64Array(1) as unknown as Float32Array;
  await assert.rejects(
    program({ a, x: host(doubles, [1]), y: a }),
    /data must be Float32Array, Int32Array or Uint8Array: .*Float64Array/,
  );
  const number = 3 as unknown as HostTensor;
  await assert.rejects(
    program({ a, x: number, y: a }),
    /Cannot use "x" as it must be a tensor, or .* of them: current value is 3/,
  );
});

test("a resident key that the result lacks is refused", async () => {
  const options = { name: "axpy", resident: ["total" as "sum"] };
  await assert.rejects(
    jit(axpy, options)({ a: vector(1), x: vector(1), y: vector(1) }),
    /Cannot keep "total" of "axpy" .* current keys are sum/,
  );
});

test("results are of their types, whatever they were cast from or hold", async () => {
  const program = jit(
    ({ i, b, none }: { i: tf.Tensor; b: tf.Tensor; none: tf.Tensor }) => ({
      float: tf.cast(i, "float32"),
      int: tf.cast(b, "int32"),
      none: tf.concat([none, none], 1),
    }),
    { name: "types" },
  );
  const { float, int, none } = await program({
    i: host(Int32Array.of(-1, 2), [2]),
    b: host(Uint8Array.of(1, 0), [2]),
    none: host(new Float32Array(), [0, 3]),
  });
  assert.deepEqual(float.data, Float32Array.of(-1, 2));
  assert.deepEqual(int.data, Int32Array.of(1, 0));
  assert.deepEqual(none, { data: new Float32Array(), shape: [0, 6] });
  program.release();
});

Deno.test("a device tensor of another engine is refused", async () => {
  await useEngine("cpu");
  const { x } = await upload({ x: vector(1, 2) });
  await useEngine("onnx");
  await assert.rejects(
    jit(axpy, { name: "axpy" })({ a: vector(1), x, y: x }),
    /must live in the current engine "onnx": current value is "cpu"/,
  );
  assert.deepEqual([...(await x.read()).data], [1, 2]);
  x.dispose();
});

Deno.test("a function is traced once per shapes and types of its inputs", async () => {
  await useEngine("onnx", { threads: 1 });
  let traced = 0;
  const program = jit(({ x }: { x: tf.Tensor }) => {
    traced++;
    return { y: tf.neg(x) };
  }, { name: "negate" });
  const run = (data: HostTensor["data"], shape: number[]) =>
    program({ x: host(data, shape) });
  await run(new Float32Array(4), [4]);
  await run(new Float32Array(4), [4]);
  assert.equal(traced, 1);
  await run(new Float32Array(4), [2, 2]);
  await run(new Int32Array(4), [2, 2]);
  await Promise.all([
    run(new Float32Array(4), [4, 1]),
    run(new Float32Array(4), [4, 1]),
  ]);
  assert.equal(traced, 4);
  assert.deepEqual(program.programs().map(({ inputs }) => inputs), [
    ["x: float32[4]"],
    ["x: float32[2,2]"],
    ["x: int32[2,2]"],
    ["x: float32[4,1]"],
  ]);
  await program.compile({ x: { data: new Float32Array(9), shape: [9] } });
  assert.equal(traced, 5);
  await run(new Float32Array(9), [9]);
  assert.equal(traced, 5);
  await useEngine("onnx", { threads: 2 }); // another session, the same program
  await run(new Float32Array(4), [4]);
  assert.equal(traced, 5);
  program.release();
  assert.deepEqual(program.programs(), []);
  await run(new Float32Array(4), [4]);
  assert.equal(traced, 6);
});

Deno.test("equal nodes are made once and what nothing needs is left out", async () => {
  await useEngine("onnx");
  const program = jit(({ x, unused }: { x: tf.Tensor; unused: tf.Tensor }) => {
    tf.exp(unused);
    const scaled = tf.mul(x, tf.ones([2, 2])); // times 1 is nothing
    return { y: tf.add(tf.exp(scaled), tf.exp(x)) };
  }, { name: "lean" });
  const x = host(new Float32Array(4), [2, 2]);
  const { y } = await program({ x, unused: x });
  assert.deepEqual([...y.data], [2, 2, 2, 2]);
  const [info] = program.programs();
  assert.equal(info.nodeCount, 2);
  assert.deepEqual(info.inputs, ["x: float32[2,2]"]);
});

Deno.test("captured tensors become constants, which programs() counts", async () => {
  await useEngine("onnx");
  const captured = tf.tensor1d([1, 2, 3]);
  const variable = tf.variable(tf.scalar(10));
  const program = jit(({ x }: { x: tf.Tensor }) => ({
    y: tf.add(tf.mul(x, captured), tf.mul(captured, variable)),
  }), { name: "capturing" });
  const { y } = await program({ x: vector(1, 1, 1) });
  assert.deepEqual([...y.data], [11, 22, 33]);
  assert.deepEqual(program.programs()[0].captured, { count: 2, bytes: 16 });
  assert.deepEqual([...captured.dataSync()], [1, 2, 3], "it stays where it is");
  tf.dispose([captured, variable]);
});

Deno.test("300 calls leave memory flat", async () => {
  await useEngine("onnx", { threads: 1 });
  const size = 250_000; // 1 MB
  const step = jit(
    ({ state, x }: { state: tf.Tensor; x: tf.Tensor }) => ({
      state: tf.add(tf.mul(state, 0.5), x),
      copy: tf.mul(state, 2),
    }),
    { name: "average", resident: ["state"] },
  );
  const x = host(randoms([size]), [size]);
  let { state } = await upload({ state: x }) as { state: DeviceTensor };
  const run = async (calls: number) => {
    for (let i = 0; i < calls; i++) {
      const result = await step({ state, x });
      state.dispose();
      state = result.state;
    }
  };
  await run(30);
  const tensors = tf.memory().numTensors;
  const native: number[] = [];
  for (let part = 0; part < 30; part++) {
    await run(10);
    const { rss, heapTotal } = Deno.memoryUsage();
    native.push(rss - heapTotal);
  }
  assert.equal(tf.memory().numTensors, tensors);
  const grown = floorGrowth(native) / 2 ** 20;
  assert.ok(grown < 100, `${grown} MB more, where a tensor lost is 200 MB`);
  state.dispose();
});

Deno.test("the types of a program follow its function", async () => {
  await useEngine("onnx");
  const program = jit(
    (inputs: { x: tf.Tensor2D; list: tf.Tensor[] }) => ({
      kept: { a: inputs.x },
      sent: inputs.list,
    }),
    { name: "types", resident: ["kept"] },
  );
  const x = host(new Float32Array(1), [1, 1]);
  const result = await program({ x, list: [x, x] });
  const kept: DeviceTensor = result.kept.a;
  const sent: HostTensor[] = result.sent;
  assert.equal(sent.length, 2);
  kept.dispose();
  // @ts-expect-error: a resident result has no data
  assert.equal(kept.data, undefined);
  // @ts-expect-error: `list` is missing
  void (() => program({ x }));
  // @ts-expect-error: "other" is no key of the result
  jit(axpy, { name: "axpy", resident: ["other"] });
});

Deno.test("useEngine() reports the engine, why, and its threads", async () => {
  assert.deepEqual(await useEngine("auto", { threads: 1 }), {
    name: "onnx",
    reason: "the first available",
    threads: 1,
    provider: "cpu",
  });
  assert.equal((await useEngine("cpu", { threads: 4 })).threads, 1);
  assert.equal(currentEngine()?.reason, "as asked");
});

Deno.test("useEngine() refuses what it does not know", async () => {
  const before = currentEngine();
  await assert.rejects(useEngine("tpu" as "cpu"), {
    name: "RangeError",
    message: "Cannot use an engine as its name must be one of auto, onnx, " +
      'tensorflow, webgpu, wasm, cpu: current value is "tpu"',
  });
  for (const threads of [0, 1.5, NaN]) {
    await assert.rejects(
      useEngine("onnx", { threads }),
      /threads must be an integer >= 1: current value is/,
    );
  }
  assert.equal(currentEngine(), before);
});

Deno.test("the later of two choices of an engine holds", async () => {
  const slow = useEngine("onnx");
  const fast = useEngine("cpu");
  await Promise.all([slow, fast]);
  assert.equal(currentEngine()?.name, "cpu");
});

Deno.test("a choice that fails leaves the one under way", async () => {
  for (
    const [name, options] of [
      ["tpu" as EngineName, {}],
      ["onnx", { threads: 0 }],
      ["tensorflow", { tensorflowFolder: "/nowhere" }],
    ] as const
  ) {
    await useEngine("onnx");
    const good = useEngine("cpu");
    await assert.rejects(useEngine(name, options), /^\w+: Cannot use /);
    await good;
    assert.equal(currentEngine()?.name, "cpu", name);
  }
});

Deno.test("an engine that is missing says what to do", async () => {
  const missing = await availableEngines();
  assert.equal(missing.onnx, undefined);
  assert.equal(missing.cpu, undefined);
  for (const name of ["tensorflow", "webgpu"] as const) {
    if (missing[name] === undefined) continue;
    await assert.rejects(useEngine(name), { message: missing[name] });
    assert.match(
      missing[name],
      /^Cannot use the engine "\w+" as .*(need|install)/,
    );
  }
});
