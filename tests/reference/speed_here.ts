/**
 * This module's side of speed.ts: reads a job a line, answers its milliseconds,
 * or megabytes. Arguments: input side, threads, clock ("wall" or "cpu"), and,
 * where not ONNX Runtime on the processor, the engine and its provider. Alone:
 *
 *     printf 'encode\niteration 48\niteration 48\n' |
 *       deno run -A tests/reference/speed_here.ts 512 2 wall onnx cuda
 */
import { createInterface } from "node:readline/promises";
import { cpuUsage, stdin } from "node:process";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  type EngineName,
  type Provider,
  useEngine,
} from "../../src/engine/engine.ts";
import { presets } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import { createRandom } from "../../src/random.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import { updatePreference } from "../../src/spa/update_preference.ts";

const [S, threads] = Deno.args.slice(0, 2).map(Number);
const [engine = "onnx", provider] = Deno.args.slice(3);
await useEngine(engine as EngineName, {
  threads,
  ...(provider !== undefined && { provider: provider as Provider }),
});
const config = { ...presets["sam-vit-b"], imageSize: S };
using model = new Model(config, initializeWeights(config, 1));
const random = createRandom(1);
const pixels = Float32Array.from({ length: S * S }, () => random.uniform());
const image = ndarray(pixels, [S, S, 1]);
using embedding = await encode(model, image);
const start = await startPreference(model, embedding, {
  points: [{ x: S / 3, y: S / 3 }],
});

/** Latents to the user's next preference: decode, cluster, update. */
async function iterate(count: number) {
  const latents = sampleGMM(start.distribution, { samples: count, seed: 1 });
  const predictions = await decode(model, embedding, start, { latents });
  const proposal = cluster(predictions, { candidates: 4 });
  await updatePreference(model, embedding, start, { proposal, choice: 0 });
}

/** The most memory the process has had, in MB. */
function peak(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** Milliseconds on the clock that was asked for. */
function now(): number {
  const { user, system } = cpuUsage();
  return Deno.args[2] === "cpu" ? (user + system) / 1000 : performance.now();
}

console.log("ready");
for await (const line of createInterface({ input: stdin })) {
  const [job, count] = line.split(" ");
  const begin = now();
  if (job === "encode") (await encode(model, image)).dispose();
  if (job === "iteration") await iterate(Number(count));
  console.log(job === "memory" ? peak() : now() - begin);
}
