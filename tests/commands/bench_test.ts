import assert from "node:assert/strict";
import type { EngineName } from "../../src/engine/active_engine.ts";
import {
  measureColdStart,
  measureSteady,
} from "../../src/commands/bench/children.ts";
import {
  benchTable,
  figuresOf,
  type Measured,
  median,
  targetsTable,
} from "../../src/commands/bench/bench_table.ts";

const measured: Measured = {
  setting: { engine: "onnx", threads: 2, model: "tiny" },
  steady: [
    {
      encode: [30, 10],
      iterations: [{ decode: 20, cluster: 5, update: 10 }],
      compile: 200,
    },
    {
      encode: [20],
      iterations: [{ decode: 26, cluster: 7, update: 12 }],
      compile: 300,
    },
  ],
  cold: [
    { firstProposal: 1.6, peak: 300e6 },
    { firstProposal: 1.2, peak: 310e6 },
    { firstProposal: 1.7, peak: 305e6 },
  ],
};

Deno.test("median() is the middle value, or the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("figuresOf() pools the runs of all processes", () => {
  const figures = figuresOf(measured);
  assert.deepEqual(figures.encode, [30, 10, 20]);
  assert.deepEqual(figures.iteration, [35, 45]);
  assert.deepEqual(figures.peak, [300, 310, 305]);
});

Deno.test("the benchmark's table shows medians and, in brackets, the least", () => {
  const { columns, rows } = benchTable([measured]);
  assert.deepEqual(
    Object.fromEntries(columns.map(({ heading }, i) => [heading, rows[0][i]])),
    {
      engine: "onnx",
      threads: 2,
      "encode ms": "20 (10)",
      "decode ms": "23 (20)",
      "cluster ms": "6 (5)",
      "update ms": "11 (10)",
      "iteration ms": "40 (35)",
      "compile ms": "250 (200)",
      "first proposal s": "1.60 (1.20)",
      "peak MB": "305 (300)",
    },
  );
});

Deno.test("the targets are judged by medians, for the engines that ran", () => {
  const { rows } = targetsTable([measured]);
  assert.deepEqual(rows.map((row) => row.at(-1)), [
    "met",
    "met",
    "missed",
    "met",
  ]);
  assert.deepEqual(targetsTable([]).rows, []);
});

Deno.test("the benchmark's processes measure what they are asked for", async () => {
  const setting = { engine: "onnx", threads: 1, model: "tiny" } as const;
  const { encode, iterations, compile } = await measureSteady(setting, 2);
  assert.equal(encode.length, 2);
  assert.equal(iterations.length, 2);
  const times = [compile, ...encode, ...iterations.flatMap(Object.values)];
  for (const value of times) assert.ok(value > 0 && value < 60_000, `${value}`);
  const { firstProposal, peak } = await measureColdStart(setting);
  assert.ok(firstProposal > 0.1 && firstProposal < 60, `${firstProposal} s`);
  assert.ok(peak > 50e6 && peak < 2e9, `${peak} bytes`);
});

Deno.test("the benchmark tells why an engine cannot be measured", async () => {
  const setting = {
    engine: "abacus" as EngineName,
    threads: 1,
    model: "tiny",
  };
  await assert.rejects(
    measureSteady(setting, 2),
    /^Error: Cannot measure as --engine must be one of .+ value is abacus$/,
  );
});

Deno.test("the benchmark as a command fails, with one line on why, where nothing can be measured", async () => {
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "src/commands/bench/main.ts", "--quick", ...args],
      env: { NO_COLOR: "1", SPA_TENSORFLOW: "nowhere" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const missing = await run("--model", "nope.safetensors");
  assert.equal(missing.code, 1);
  assert.equal(missing.stdout, "");
  assert.match(missing.stderr, /^[^\n]*nope\.safetensors[^\n]*\n$/);

  const none = await run("--engines", "tensorflow");
  assert.equal(none.code, 1);
  assert.equal(none.stdout.match(/^tensorflow: Cannot use .+$/gm)?.length, 1);
  assert.doesNotMatch(none.stdout, /encode ms/);
  assert.match(none.stderr, /one of --engines must run.* is tensorflow\n$/);
});
