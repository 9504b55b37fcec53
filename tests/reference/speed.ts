/**
 * Times SAM ViT-B here and in PyTorch, taking turns on the same machine (see
 * make.py for PYTHON):
 *
 *     deno run -A tests/reference/speed.ts --python PYTHON
 *
 * An iteration here is decode, cluster and update. `plain` is the paper's
 * published loop: the encoder and a decoder call per sample in every iteration;
 * `tuned` is PyTorch with one batched decoder call: neither clusters nor
 * updates. Each side and size has a process of its own, for its memory.
 */
import { createInterface } from "node:readline/promises";
import { spawn } from "node:child_process";
import {
  type Command,
  CommandLine,
  runCommand,
  THREADS,
} from "../../src/commands/command_line.ts";
import { writeFigure } from "../../src/figures/figure.ts";
import { type Table, textTable } from "../../src/table.ts";
import { type CostLine, speedFigure } from "./speed_figure.ts";

const COMMAND: Command = {
  action: "time SAM",
  usage: ["deno run -A tests/reference/speed.ts --python PYTHON [options]"],
  about: "Times this module beside segment-anything in PyTorch.",
  options: {
    "": {
      python: {
        value: "FILE",
        help: "an interpreter with torch and segment_anything",
      },
      sizes: {
        value: "A,B",
        default: "256,512,1024",
        help: "input sides in pixels",
      },
      samples: {
        value: "A,B",
        default: "12,24,48,96",
        help: "N, at the side of 512",
      },
      threads: { ...THREADS, default: 2, help: "on either side" },
      rounds: {
        value: "N",
        min: 1,
        max: 100,
        default: 3,
        help: "medians are over these",
      },
      clock: {
        words: ["wall", "cpu"],
        default: "wall",
        help:
          "cpu is the processor's time, which other work on a busy machine changes less",
      },
      out: {
        value: "FOLDER",
        default: "out/speed",
        help: "of speed.png and speed.svg",
      },
    },
  },
};

/** Samples of the paper's iteration, and the side at which N varies. */
const SAMPLES = 48, SIDE = 512;

/** How it is measured. */
interface Run {
  readonly threads: number;
  readonly rounds: number;
  readonly clock: string;
}

/** Jobs for a process, which answers each with a number. */
class Worker {
  readonly #child;
  readonly #answers;

  constructor(command: string, args: string[], threads: number) {
    this.#child = spawn(command, args, {
      env: { ...Deno.env.toObject(), OMP_NUM_THREADS: `${threads}` },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: this.#child.stdout });
    this.#answers = lines[Symbol.asyncIterator]();
  }

  async ready() {
    const { value } = await this.#answers.next();
    if (value === "ready") return;
    throw new Error(`Cannot time as both sides must start: found ${value}`);
  }

  async ask(job: string): Promise<number> {
    this.#child.stdin.write(`${job}\n`);
    return Number((await this.#answers.next()).value);
  }

  end() {
    this.#child.kill();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Medians of the jobs, in ms, and the peaks of memory, in MB, at one size. */
async function measure(
  python: string,
  size: number,
  samples: readonly number[],
  { threads, rounds, clock }: Run,
): Promise<Map<string, number>> {
  const file = (name: string) => new URL(name, import.meta.url).pathname;
  const args = [`${size}`, `${threads}`, clock];
  const here = new Worker(Deno.execPath(), [
    "run",
    "-A",
    file("speed_here.ts"),
    ...args,
  ], threads);
  const torch = new Worker(python, [file("speed.py"), ...args], threads);
  const result = new Map<string, number>();
  try {
    await Promise.all([here.ready(), torch.ready()]);
    await torch.ask("plain 1");
    result.set("plain memory", await torch.ask("memory"));
    const jobs: [name: string, worker: Worker, job: string][] = [
      ["encode here", here, "encode"],
      ["encode PyTorch", torch, "encode"],
      ...samples.flatMap((n): typeof jobs => [
        [`here ${n}`, here, `iteration ${n}`],
        [`tuned ${n}`, torch, `tuned ${n}`],
      ]),
      [`plain ${SAMPLES}`, torch, `plain ${SAMPLES}`],
    ];
    const times = jobs.map((): number[] => []);
    for (const [, worker, job] of jobs.slice(0, -1)) await worker.ask(job); // warm up
    for (let round = 0; round < rounds; round++) {
      for (const [i, [, worker, job]] of jobs.entries()) {
        times[i].push(await worker.ask(job));
      }
    }
    jobs.forEach(([name], i) => result.set(name, median(times[i])));
    result.set("here memory", await here.ask("memory"));
    result.set("tuned memory", await torch.ask("memory"));
  } finally {
    here.end();
    torch.end();
  }
  return result;
}

/** What was measured, by input side. */
type Measured = Map<number, Map<string, number>>;

/** The side-by-side table. */
function reportOf(measured: Measured): Table {
  const headings = [
    "px",
    "encode here",
    "PyTorch",
    "iteration here",
    "tuned",
    "plain",
    "tuned / here",
    "plain / here",
    "MB here",
    "tuned",
    "plain",
  ];
  return {
    columns: headings.map((heading) => ({
      heading,
      digits: heading.includes("/") ? 2 : 0,
    })),
    rows: [...measured].map(([size, of]) => {
      const [here, tuned, plain] = ["here", "tuned", "plain"].map((name) =>
        of.get(`${name} ${SAMPLES}`)!
      );
      return [
        size,
        of.get("encode here"),
        of.get("encode PyTorch"),
        here,
        tuned,
        plain,
        tuned / here,
        plain / here,
        ...["here", "tuned", "plain"].map((name) => of.get(`${name} memory`)),
      ];
    }),
  };
}

/** Cost against N, where it was measured. */
function samplesReport(measured: Measured, samples: readonly number[]): Table {
  const names = ["here", "tuned"];
  return {
    columns: ["N", ...names].map((heading) => ({ heading, digits: 0 })),
    rows: samples.map((n) => [
      n,
      ...names.map((name) => measured.get(SIDE)!.get(`${name} ${n}`)),
    ]),
  };
}

/** Cost against N at one side, and against the side at one N. */
function figureOf(
  measured: Measured,
  samples: readonly number[],
  { threads, clock }: Run,
) {
  const sides = ["here", "tuned", "plain"].map((name) => ({
    name: name === "here" ? "this module" : `PyTorch, ${name}`,
    x: [...measured.keys()],
    y: [...measured.values()].map((of) => of.get(`${name} ${SAMPLES}`)!),
  }));
  const counts = ["here", "tuned"].map((name, i): CostLine => ({
    name: sides[i].name,
    x: samples,
    y: samples.map((n) => measured.get(SIDE)!.get(`${name} ${n}`)!),
  }));
  return speedFigure({
    bySamples: counts,
    bySide: sides,
    title: `SAM ViT-B, threads: ${threads}, ${
      clock === "cpu" ? "processor " : ""
    }milliseconds per iteration`,
    captions: [`samples N, at ${SIDE} px`, `input side in px, N = ${SAMPLES}`],
  });
}

async function main() {
  const line = new CommandLine(COMMAND, Deno.args);
  if (line.help) return console.log(line.help);
  const list = (name: string) => line.text<string>(name).split(",").map(Number);
  const python = line.text("python");
  if (!python) throw line.refuse("--python must be given", python);
  const sizes = list("sizes");
  const samples = list("samples");
  const run: Run = {
    threads: line.integer("threads"),
    rounds: line.integer("rounds"),
    clock: line.oneOf("clock", ["wall", "cpu"]),
  };
  const measured: Measured = new Map();
  for (const size of sizes) {
    const counts = size === SIDE ? samples : [];
    const numbers = [...new Set([...counts, SAMPLES])];
    measured.set(size, await measure(python, size, numbers, run));
    console.log(textTable(reportOf(measured)), "\n");
  }
  if (!measured.has(SIDE)) return;
  console.log(textTable(samplesReport(measured, samples)));
  const figure = figureOf(measured, samples, run);
  const out = line.text("out");
  for (const ending of ["png", "svg"]) {
    await writeFigure(`${out}/speed.${ending}`, figure);
  }
}

await runCommand(main);
