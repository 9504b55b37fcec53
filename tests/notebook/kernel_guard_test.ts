/** What is patched in a kernel, with kernels that are played. */
import assert from "node:assert/strict";
import { guardOutputs } from "../../src/notebook/kernel.ts";

const METHODS = ["log", "info", "debug", "warn", "error"] as const;

/** A console that keeps what it is told. */
function playConsole() {
  const said: unknown[] = [];
  const say = (...values: unknown[]) => void said.push(...values);
  const output = Object.fromEntries(METHODS.map((name) => [name, say]));
  return { said, say, output: output as unknown as Console };
}

/** A runtime as in the kernel; `internals` is what `Deno.internal` leads to. */
function playKernel(internals: unknown) {
  const called: string[] = [];
  const api = {
    // deno-lint-ignore require-await -- as the kernel's own
    display: async () => void called.push("display"),
    broadcast: () => Promise.resolve(),
    format: () => Promise.resolve({}),
  };
  const internal = Symbol("internal");
  return {
    api,
    called,
    deno: { jupyter: api, internal, [internal]: internals },
  };
}

Deno.test("a kernel as this module knows it is patched once, without a word", async () => {
  const results: unknown[] = [];
  const jupyter = {
    // deno-lint-ignore require-await -- as the kernel's own
    async broadcastResult(count: number, result: unknown) {
      results.push([count, result]);
    },
  };
  const { deno, api } = playKernel({ jupyter });
  const { said, say, output } = playConsole();
  const before = jupyter.broadcastResult;
  guardOutputs(deno, output);
  const [patched, display, log] = [
    jupyter.broadcastResult,
    api.display,
    output.log,
  ];
  assert.notEqual(patched, before);
  guardOutputs(deno, output);
  assert.equal(jupyter.broadcastResult, patched);
  assert.equal(api.display, display);
  assert.equal(output.log, log);
  assert.notEqual(log, say);
  assert.deepEqual(said, []);
  output.log("a", 1);
  assert.deepEqual(said, ["a", 1]);
  await jupyter.broadcastResult(7, undefined);
  assert.deepEqual(results, [[7, undefined]]);
});

Deno.test("a kernel made in another way is told of once, and left as it is", () => {
  const others = [
    undefined,
    {},
    { jupyter: {} },
    { jupyter: { broadcastResult: 5 } },
    { jupyter: { broadcastResult: () => {} } }, // of other arguments
    { jupyter: Object.freeze({ broadcastResult(_: number, __: unknown) {} }) },
  ];
  for (const internals of others) {
    const { deno, api } = playKernel(internals);
    const { said, say, output } = playConsole();
    const { display } = api;
    guardOutputs(deno, output);
    guardOutputs(deno, output);
    assert.equal(said.length, 1);
    assert.match(String(said[0]), /outputs of a cell may be lost .* Deno 2\.9/);
    assert.equal(api.display, display);
    for (const name of METHODS) assert.equal(output[name], say);
  }
});

Deno.test("outside a notebook nothing is patched and nothing is said", () => {
  const { said, say, output } = playConsole();
  const throwing = {
    get jupyter(): never {
      throw new Error("not in a kernel");
    },
  };
  for (const deno of [{}, throwing, Deno]) guardOutputs(deno, output);
  for (const name of METHODS) assert.equal(output[name], say);
  assert.deepEqual(said, []);
});
