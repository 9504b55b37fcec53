/**
 * The benchmark's child process: one setting, measured in one of three ways.
 * `steady` prints its times as JSON. `session` prints a line when the first
 * proposal of a cold start is there and, after six iterations, the peak of its
 * memory in bytes. `endurance` prints a table of what many iterations leave
 * behind.
 */

import { loadModel } from "../../checkpoints/load_model.ts";
import {
  type Command,
  CommandLine,
  MODEL,
  PROVIDER,
  readProvider,
  runCommand,
  THREADS,
} from "../command_line.ts";
import { readImage } from "../../formats/read_image.ts";
import { ENGINE_NAMES, type EngineName } from "../../engine/active_engine.ts";
import { useEngine } from "../../engine/engine.ts";
import type { Model } from "../../model/model.ts";
import { cluster } from "../../spa/cluster.ts";
import { decode } from "../../spa/decode.ts";
import { encode } from "../../spa/encode.ts";
import type { ImageEmbedding } from "../../spa/embedding.ts";
import type { Preference } from "../../spa/preference.ts";
import { sampleGMM } from "../../spa/sample_gmm.ts";
import { startPreference } from "../../spa/start_preference.ts";
import { updatePreference } from "../../spa/update_preference.ts";
import { Session } from "../../spa/session.ts";
import * as tf from "../../engine/tf.ts";
import { textTable } from "../../table.ts";

/** The setting of one child process of the benchmark. */
export interface Setting {
  readonly engine: EngineName;
  /** For `onnx`; the other engines have one. */
  readonly threads: number;
  /** What computes for `onnx`, by default the processor. */
  readonly provider?: string;
  /** The weights' file, where not the shipped ones. */
  readonly model: string;
}

/** The image that is measured with, 128 x 128, and a click in its object. */
const SAMPLE = new URL(
  "../../../data/phantoms/kidney-9/image.png",
  import.meta.url,
);

/** A click inside the object of the measured image. */
export const CLICK = { x: 62, y: 60 };

/** Rows of the table of many iterations. */
const PARTS = 10;

const COMMAND: Command = {
  action: "measure",
  usage: ["child.ts steady|session|endurance [options]"],
  about: "Measures one setting; deno task bench starts it.",
  options: {
    "": {
      engine: { words: ENGINE_NAMES, default: "onnx", help: "the engine" },
      threads: THREADS,
      provider: PROVIDER,
      model: MODEL,
      repeats: {
        value: "N",
        min: 2,
        max: 1000,
        default: 12,
        help: "iterations that are timed",
      },
      iterations: {
        value: "N",
        min: PARTS,
        max: 1e6,
        default: 1000,
        help: "iterations in one process",
      },
    },
  },
};

/** A setting as a child's arguments, which {@linkcode openSetting} reads. */
export function settingArgs(
  { engine, threads, provider, model }: Setting,
): string[] {
  return [
    ...(provider === undefined ? [] : [`--provider=${provider}`]),
    `--engine=${engine}`,
    `--threads=${threads}`,
    `--model=${model}`,
  ];
}

/** Loads the engine, weights and image that a child's arguments name. */
export async function openSetting(
  args: readonly string[],
): Promise<{ line: CommandLine; model: Model; image: SampleImage }> {
  const line = new CommandLine(COMMAND, args);
  const [model, image] = await Promise.all([
    loadModel(line.text<string>("model")),
    readImage(SAMPLE),
    useEngine(line.oneOf("engine", ENGINE_NAMES), {
      threads: line.integer("threads", 1),
      ...readProvider(line),
    }),
  ]);
  return { line, model, image };
}

type SampleImage = Awaited<ReturnType<typeof readImage>>;

/** Milliseconds of one iteration. */
export interface IterationTimes {
  /** Sampling, the decoder, and the shares of the samples. */
  readonly decode: number;
  readonly cluster: number;
  readonly update: number;
}

/** Iterations of one session, as in the paper. */
export const SESSION = 6;

/** Samples N of one iteration. */
const SAMPLES = 48;

/** Milliseconds that a call takes, and its result. */
export async function time<T>(
  call: () => T | Promise<T>,
): Promise<[milliseconds: number, result: T]> {
  const start = performance.now();
  const result = await call();
  return [performance.now() - start, result];
}

/** Encodes and waits until the embedding is there, on any engine. */
export async function encodeAndWait(
  model: Model,
  image: Parameters<typeof encode>[1],
): Promise<ImageEmbedding> {
  const embedding = await encode(model, image);
  await embedding.values.read();
  return embedding;
}

/** The first preference: a click in the middle of the object. */
export function start(
  model: Model,
  embedding: ImageEmbedding,
): Promise<Preference> {
  return startPreference(model, embedding, { points: [CLICK] });
}

/** One iteration, in which the user picks each candidate in turn. */
export async function iterate(
  model: Model,
  embedding: ImageEmbedding,
  preference: Preference,
  seed: number,
): Promise<{ times: IterationTimes; preference: Preference }> {
  const [decoding, predictions] = await time(() => {
    const options = { count: SAMPLES, seed };
    const latents = sampleGMM(preference.distribution, options);
    return decode(model, embedding, preference, { latents });
  });
  const [clustering, proposal] = await time(() =>
    cluster(predictions, { candidates: 4, seed })
  );
  const choice = seed % proposal.candidates.length;
  const [update, next] = await time(() =>
    updatePreference(model, embedding, preference, { proposal, choice })
  );
  return {
    times: { decode: decoding, cluster: clustering, update },
    preference: next,
  };
}

/** The output of the child. */
export interface SteadyTimes {
  /** Milliseconds of every encoding but the first. */
  readonly encode: readonly number[];
  /** Every iteration but the first. */
  readonly iterations: readonly IterationTimes[];
  /** Milliseconds that the first calls took more than the later ones. */
  readonly compile: number;
}

/** Slow engines do not repeat as often: no more begins after this, in ms. */
const PATIENCE = 20_000;

async function measureSteady(args: readonly string[]): Promise<SteadyTimes> {
  const { line, model, image } = await openSetting(args);
  const repeats = line.integer("repeats");
  const begin = performance.now();
  const patient = () => performance.now() - begin < PATIENCE;

  const [firstEncode, embedding] = await time(() =>
    encodeAndWait(model, image)
  );
  const [firstStart, first] = await time(() => start(model, embedding));
  let { times: firstTimes, preference } = await iterate(
    model,
    embedding,
    first,
    0,
  );
  const iterations: IterationTimes[] = [];
  for (let i = 1; i <= repeats && (patient() || i < 3); i++) {
    if (i % SESSION === 0) preference = first;
    const result = await iterate(model, embedding, preference, i);
    iterations.push(result.times);
    preference = result.preference;
  }
  const encodings: number[] = [];
  for (let i = 1; i <= repeats && (patient() || i < 3); i++) {
    const [milliseconds, again] = await time(() => encodeAndWait(model, image));
    again.dispose();
    encodings.push(milliseconds);
  }
  // The start runs the same program as an update.
  const compile = Math.max(0, firstEncode - Math.min(...encodings)) +
    Math.max(
      0,
      firstStart - Math.min(...iterations.map(({ update }) => update)),
    ) +
    Math.max(
      0,
      firstTimes.decode - Math.min(...iterations.map(({ decode }) => decode)),
    );
  return { encode: encodings, iterations, compile };
}

/** The line that is printed after the first proposal. */
export const FIRST_PROPOSAL = "first proposal";

/** Peak resident memory of this process in bytes; where unknown, the current. */
async function peakMemory(): Promise<number> {
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(status)![1]);
  } catch {
    return Deno.memoryUsage().rss;
  }
}

async function measureSession(args: readonly string[]): Promise<void> {
  const { model, image } = await openSetting(args);
  using session = await Session.start(model, image, { points: [CLICK] });
  console.log(FIRST_PROPOSAL);
  for (let i = 0; i < SESSION; i++) await session.choose(0);
  console.log(await peakMemory());
}

async function measureEndurance(args: readonly string[]): Promise<void> {
  const { line, model, image } = await openSetting(args);
  const total = line.integer("iterations");
  const rows: number[][] = [];
  const begin = performance.now();
  for (let done = 0; done < total;) {
    using embedding = await encodeAndWait(model, image);
    let preference = await start(model, embedding);
    for (let i = 0; i < SESSION && done < total; i++) {
      ({ preference } = await iterate(model, embedding, preference, done));
      done++;
      if (done % Math.floor(total / PARTS) === 0) {
        rows.push([
          done,
          tf.memory().numTensors,
          Deno.memoryUsage().rss / 1e6,
          (performance.now() - begin) / 1000,
        ]);
      }
    }
  }
  console.log(textTable({
    columns: [
      { heading: "iterations" },
      { heading: "numTensors" },
      { heading: "resident MB", digits: 0 },
      { heading: "seconds", digits: 1 },
    ],
    rows,
  }));
}

/** The three ways, by the first argument. */
const WAYS = {
  steady: async (args: readonly string[]) =>
    console.log(JSON.stringify(await measureSteady(args))),
  session: measureSession,
  endurance: measureEndurance,
};

/** The measurement of a child process. */
export type Way = keyof typeof WAYS;

if (import.meta.main) {
  const [way, ...args] = Deno.args;
  await runCommand(() => WAYS[way as Way](args));
}
