/** ONNX Runtime in its Worker, and the process around it. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import { host, randoms } from "../helpers/engine_helpers.ts";
import { floorGrowth } from "../helpers/floor_growth.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const engine = new URL("../../src/engine/", import.meta.url).href;

/** Where Deno keeps its packages, whatever HOME is. */
function denoFolder(): { DENO_DIR: string } {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).outputSync();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  return { DENO_DIR: denoDir };
}

/** Runs code with the engine in a process of its own. */
async function evaluate(
  code: string,
  environment: Pick<Deno.CommandOptions, "env" | "clearEnv"> = {},
): Promise<{ code: number; output: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import * as tf from "${engine}tf.ts";
       import { jit } from "${engine}jit.ts";
       import { currentEngine, upload, useEngine } from "${engine}engine.ts";
       const negate = jit(({ x }) => ({ y: tf.neg(x) }), { name: "negate" });
       const x = { data: Float32Array.of(1, 2), shape: [2] };
       ${code}`,
    ],
    cwd: new URL("../..", import.meta.url),
    stdout: "piped",
    stderr: "piped",
    ...environment,
  }).spawn();
  const timer = setTimeout(() => child.kill(), 300_000); // it hangs
  const { code: status, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: status, output: text(stdout) + text(stderr) };
}

/**
 * Of tensors of 16 MB, one after the other, less than a half stays. The first 20
 * of 62 do not count: a bounded number of spare buffers is kept.
 */
function assertFlat(output: string): void {
  const resident: number[] = JSON.parse(/result (.*)/.exec(output)![1]);
  assert.equal(resident.length, 62);
  const megabytes = floorGrowth(resident.slice(20)) / 1e6;
  assert.ok(megabytes < 224, `${megabytes} MB of 448 MB stay`);
}

Deno.test("a process ends by itself once its programs are done", async () => {
  const { code, output } = await evaluate(`
    const { y } = await negate({ x });
    const { x: kept } = await upload({ x });
    await kept.read();
    console.log("result", ...y.data);`);
  assert.match(output, /result -1 -2/);
  assert.equal(code, 0, output);
});

Deno.test("ONNX Runtime neither sends nor stores how it is used", async () => {
  const folder = await temporaryFolder();
  const env = { HOME: folder, TMPDIR: folder, ...denoFolder() };
  for (const value of [undefined, ""]) {
    const { code, output } = await evaluate(
      `await negate({ x });
       console.log("result", Deno.env.get("ORT_DISABLE_TELEMETRY"));`,
      { // where CI is set it keeps quiet by itself
        env: {
          ...env,
          ...(value !== undefined && { ORT_DISABLE_TELEMETRY: value }),
        },
        clearEnv: true,
      },
    );
    assert.match(output, /result 1/);
    assert.equal(code, 0, output);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }
});

Deno.test("a process stays alive for a result that is awaited", async () => {
  const { code, output } = await evaluate(`
    await useEngine("onnx");
    await new Promise((done) => setTimeout(done, 50)); // idle in between
    negate({ x }).then(({ y }) => console.log("result", ...y.data));`);
  assert.match(output, /result -1 -2/);
  assert.equal(code, 0, output);
});

Deno.test("the memory of a disposed upload is given back", async () => {
  const { code, output } = await evaluate(`
    await useEngine("onnx");
    const resident = [];
    for (let i = 0; i < 62; i++) {
      const shape = [4e6 + i]; // 16 MB
      const { big } = await upload({ big: { data: new Float32Array(shape[0]), shape } });
      const { small } = await upload({ small: x });
      big.dispose();
      await small.read();
      resident.push(Deno.memoryUsage().rss);
    }
    console.log("result", JSON.stringify(resident));`);
  assert.equal(code, 0, output);
  assertFlat(output);
});

Deno.test("results of ever new sizes leave no memory behind", async () => {
  const { code, output } = await evaluate(`
    await useEngine("onnx", { threads: 1 });
    const one = { data: Float32Array.of(1), shape: [1] };
    const resident = [];
    for (let i = 0; i < 62; i++) { // 16 MB each
      const tile = jit(({ one }) => ({ y: tf.tile(one, [4e6 + i]) }), {
        name: "tile",
        resident: ["y"],
      });
      const { y } = await tile({ one });
      y.dispose();
      resident.push(Deno.memoryUsage().rss);
    }
    console.log("result", JSON.stringify(resident));`);
  assert.equal(code, 0, output);
  assertFlat(output);
});

Deno.test("a process ends by itself after a program failed", async () => {
  const { code, output } = await evaluate(`
    await negate({ x });
    await negate({ x: 3 }).catch((error) => console.log(error.message));`);
  assert.match(output, /Cannot use "x"/);
  assert.equal(code, 0, output);
});

Deno.test("a program runs on what the choices under way come to", async () => {
  const failing = `const failing = useEngine("tensorflow", {
      tensorflowFolder: "/nowhere",
    }).catch(({ message }) => console.log(message));`;
  for (
    const [before, engine] of [
      ["", "onnx"],
      [`useEngine("wasm");`, "wasm"],
    ]
  ) {
    const { code, output } = await evaluate(`
      ${before} ${failing}
      const { y } = await negate({ x });
      await failing;
      console.log("result", ...y.data, currentEngine().name);`);
    assert.match(output, /Cannot use the engine "tensorflow"/);
    assert.match(output, new RegExp(`result -1 -2 ${engine}`));
    assert.equal(code, 0, output);
  }
});

Deno.test("without permission for native code, auto takes wasm and says why", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--no-prompt",
      new URL("../helpers/engine_without_ffi.ts", import.meta.url).href,
    ],
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr } = await child.output();
  const output = new TextDecoder().decode(stdout);
  assert.match(
    output,
    /^wasm .*ONNX Runtime does not start .*\n-1 -2/s,
    output + new TextDecoder().decode(stderr),
  );
});

Deno.test("a program's bytes are copied once, and stay for another session", async () => {
  const captured = tf.tensor1d(randoms([2000]));
  const program = jit(
    ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(captured, x) }),
    { name: "scale" },
  );
  const x = host(Float32Array.of(1), [1]);
  const left: number[] = [];
  const post = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (message, transfer) {
    post.call(this, message, transfer as StructuredSerializeOptions);
    if (message.kind === "load") left.push(message.bytes.length);
  };
  try {
    for (const threads of [1, 2]) {
      await useEngine("onnx", { threads });
      assert.deepEqual((await program({ x })).y.data, randoms([2000]));
    }
  } finally {
    MessagePort.prototype.postMessage = post;
  }
  assert.deepEqual(left, [0, 0], "the copies were cloned, not moved");
  captured.dispose();
  program.release();
});

Deno.test("timers tick while a program runs", async () => {
  await useEngine("onnx", { threads: 1 });
  const size = 512;
  const program = jit(({ x }: { x: tf.Tensor }) => {
    let y = x;
    for (let i = 0; i < 30; i++) y = tf.matMul(y, x);
    return { y: tf.sum(y) };
  }, { name: "busy" });
  const x = host(new Float32Array(size * size), [size, size]);
  await program({ x });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 2);
  await program({ x });
  clearInterval(timer);
  // a program on this thread would let none through
  assert.ok(ticks >= 3, `${ticks} ticks`);
});
