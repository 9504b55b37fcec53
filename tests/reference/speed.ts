/**
 * Times SAM ViT-B here and in PyTorch, taking turns on the same machine (see
 * make.py for PYTHON):
 *
 *     deno run -A tests/reference/speed.ts PYTHON SIZE [THREADS] [ROUNDS]
 *
 * `plain` is the paper's published loop (encoder and 48 decoder calls in every
 * iteration), `tuned` PyTorch with one batched decoder call. An iteration here
 * is decode, cluster and update. Medians over the rounds, in ms.
 */
import { createInterface } from "node:readline/promises";
import { spawn } from "node:child_process";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { presets } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import { initializeWeights } from "../../src/model/weights.ts";
import { createRandom } from "../../src/random.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import { updatePreference } from "../../src/spa/update_preference.ts";

/** Samples per iteration. */
const SAMPLES = 48;

const [python, side, threads = "1", rounds = "3"] = Deno.args;
const S = Number(side);

/** PyTorch in a process of its own, which answers jobs with milliseconds. */
const script = new URL("speed.py", import.meta.url).pathname;
const child = spawn(python, [script, side, threads, `${SAMPLES}`], {
  env: { ...Deno.env.toObject(), OMP_NUM_THREADS: threads },
  stdio: ["pipe", "pipe", "inherit"],
});
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
await lines.next(); // ready
async function torch(job: string): Promise<number> {
  child.stdin.write(`${job}\n`);
  return Number((await lines.next()).value);
}

/** The median of some numbers. */
function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

await useEngine("onnx", { threads: Number(threads) });
const config = { ...presets["sam-vit-b"], imageSize: S };
using model = new Model(config, initializeWeights(config, 1));
const random = createRandom(1);
const pixels = Float32Array.from({ length: S * S }, () => random.uniform());
const image = ndarray(pixels, [S, S, 1]);

const times: Record<string, number[]> = {};
async function time(name: string, job: () => Promise<unknown>) {
  const begin = performance.now();
  await job();
  (times[name] ??= []).push(performance.now() - begin);
}

using embedding = await encode(model, image);
const start = await startPreference(model, embedding, {
  points: [{ x: S / 3, y: S / 3 }],
});
async function iterate() {
  const latents = sampleGMM(start.distribution, { count: SAMPLES, seed: 1 });
  const predictions = await decode(model, embedding, latents, start);
  const proposal = cluster(predictions, { count: 4 });
  await updatePreference(model, embedding, start, proposal, 0);
}
await iterate(); // compiles
for (let round = 0; round < Number(rounds); round++) {
  await time("encode here", async () => (await encode(model, image)).dispose());
  (times["encode PyTorch"] ??= []).push(await torch("encode"));
  await time("iteration here", iterate);
  (times["iteration tuned"] ??= []).push(await torch("tuned"));
  (times["iteration plain"] ??= []).push(await torch("plain"));
}
const status = Deno.readTextFileSync("/proc/self/status");
const peak = Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
console.log(
  `ViT-B, ${S} px, N = ${SAMPLES}, ${threads} threads, medians of ${rounds}, ms`,
);
for (const [name, values] of Object.entries(times)) {
  console.log(
    `${name.padEnd(16)} ${Math.round(median(values))}  (${
      values.map(Math.round).join(", ")
    })`,
  );
}
console.log(
  `peak memory: ${Math.round(peak)} MB here, ${await torch(
    "memory",
  )} MB PyTorch`,
);
child.kill();
