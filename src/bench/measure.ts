/**
 * One measurement in a process of its own, printed as JSON: `main.ts` starts
 * it, so that engines do not share memory or warm caches.
 */

import { loadModel } from "../checkpoints/load_model.ts";
import { phantom } from "../datasets/phantom.ts";
import { type EngineName, useEngine } from "../engine/engine.ts";
import { cluster } from "../spa/cluster.ts";
import { decode } from "../spa/decode.ts";
import { encode } from "../spa/encode.ts";
import type { Preference } from "../spa/preference.ts";
import { sampleGMM } from "../spa/sample_gmm.ts";
import { startPreference } from "../spa/start_preference.ts";
import { updatePreference } from "../spa/update_preference.ts";
import * as tf from "@tensorflow/tfjs";

/** What one process found; times are medians in milliseconds. */
export interface Measurement {
  /** Encoding an image, its embedding read to be sure that it is done. */
  readonly encode: number;
  readonly decode: number;
  readonly cluster: number;
  readonly update: number;
  /** First calls less later ones, all three programs. */
  readonly compile: number;
  /** From the process's start to the first proposal. */
  readonly first: number;
  /** Largest resident memory, MB. */
  readonly peak: number;
  /** tfjs tensors and resident MB after every tenth of a long run. */
  readonly course: readonly { tensors: number; resident: number }[];
}

/** The middle value. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Largest resident memory of this process in MB, where the system tells. */
function peakMemory(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1000;
  } catch {
    return NaN;
  }
}

/** Times one call. */
async function time<T>(run: () => Promise<T> | T): Promise<[number, T]> {
  const start = performance.now();
  const result = await run();
  return [performance.now() - start, result];
}

/** Measures an engine; see `Measurement`. */
async function measure(
  engine: EngineName,
  threads: number,
  iterations: number,
  started: number,
): Promise<Measurement> {
  await useEngine(engine, { threads });
  using model = await loadModel();
  const { image } = phantom({ kind: "kidney", seed: 9 });
  const start = { points: [{ x: 50, y: 35 }] };
  const encodeOnce = async () => {
    const embedding = await encode(model, image);
    await embedding.values.read();
    return embedding;
  };
  const [firstEncode, embedding] = await time(encodeOnce);
  const first = await startPreference(model, embedding, start);
  const times: Record<"decode" | "cluster" | "update", number[]> = {
    decode: [],
    cluster: [],
    update: [],
  };
  const iterate = async (preference: Preference, seed: number) => {
    const latents = sampleGMM(preference.distribution, { count: 48, seed });
    const [decodeTime, predictions] = await time(() =>
      decode(model, embedding, latents, preference)
    );
    const [clusterTime, proposal] = await time(() => cluster(predictions));
    if (!firstProposal) firstProposal = Date.now() - started;
    const [updateTime, next] = await time(() =>
      updatePreference(model, embedding, preference, proposal, 0)
    );
    times.decode.push(decodeTime);
    times.cluster.push(clusterTime);
    times.update.push(updateTime);
    return next;
  };
  let firstProposal = 0;
  let preference = first;
  const course: { tensors: number; resident: number }[] = [];
  for (let i = 0; i < iterations; i++) {
    if (i % 6 === 0) preference = first; // as many choices as the paper's
    preference = await iterate(preference, i);
    if ((i + 1) % Math.ceil(iterations / 10) === 0) {
      course.push({
        tensors: tf.memory().numTensors,
        resident: Deno.memoryUsage().rss / 1e6,
      });
    }
  }
  const encodes: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [milliseconds, again] = await time(encodeOnce);
    again.dispose();
    encodes.push(milliseconds);
  }
  embedding.dispose();
  const later = (list: number[]) => median(list.slice(1));
  return {
    encode: median(encodes),
    decode: later(times.decode),
    cluster: later(times.cluster),
    update: later(times.update),
    compile: firstEncode - median(encodes) +
      times.decode[0] - later(times.decode),
    first: firstProposal,
    peak: peakMemory(),
    course,
  };
}

const [engine, threads, iterations, started] = Deno.args;
const result = await measure(
  engine as EngineName,
  Number(threads),
  Number(iterations),
  Number(started),
);
console.log(JSON.stringify(result));
