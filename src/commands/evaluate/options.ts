/** The options of `deno task evaluate`. */

import {
  type Baseline,
  loadBaseline,
  methodOfFile,
} from "../../baselines/baseline.ts";
import { METHODS } from "../../baselines/methods.ts";
import { type CommandLine, SEEDS } from "../command_line.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { openCases, readRaters } from "../command_cases.ts";
import { checkTarget } from "../../files.ts";
import { ENGINE_NAMES } from "../../engine/active_engine.ts";
import type { Shard } from "./run.ts";
import type {
  Settings,
  Tables,
  VariantName,
} from "../../evaluation/saved_evaluation.ts";

/** What `--help` prints. */
export const HELP = `deno task evaluate --data FOLDER [options]
deno task evaluate merge FILE.json ... [--targets ..] [--per-rater] [--out FILE]
deno task evaluate compare FILE.json FILE.json ... [--targets ..] [--out FILE]
deno task evaluate agreement --data FOLDER

Every rater of every case in turn is the user: one random click inside the
mask, then the nearest candidate again and again. Prints Dice, IoU and HD95 (mm
where the pixels' size is known) by iteration, or the tables that are asked for. merge joins the parts of an evaluation, or those
of one --include RATER each, by models of their own; of one whole evaluation it
makes other tables, or figures. compare tests the
differences between several (methods, models) on the same cases. agreement tells
how the raters agree with one another, without any method.

Tables
  --ablation           what a choice moves: none, moments, weights and both, one
                       after the other, and their differences
  --targets A,B,..     iterations to these Dice, 0..1
  --per-rater          Dice with each rater at the first and last iteration: of
                       the user's own mask and the others', or with --include
                       of those in the majority and those not
  --carry              a user's profile starts the next image: with and without;
                       for data whose raters are known
  --samples-metrics    how the first samples cover the raters' masks

Cases and users
  --data FOLDER        multi-rater cases (LIDC crops, QUBIQ, REFUGE2, or
                       CASE/image.* with CASE/rater*.*)
  --split NAME         train, val or test, where the folder has them (val)
  --task N             which structure of QUBIQ                   (1)
  --structure NAME     which structure of REFUGE2, cup or disc    (cup)
  --max-voxels N       the largest volume that is read    (134217728)
  --every N            every N-th case only, for a quick look     (1)
  --include A,B,..     the user wants these raters' majority (at least half of
                       them); one rater: that one only            (each in turn)
  --user NAME          nearest, noisy (one choice in five at random) or random

Method
  --model FILE         weights, of SPA or of a baseline           (shipped)
  --method NAME        the file's, or another one of its weights: sam-u of box's
  --update NAME        what a choice moves: both, moments, weights or none
  --rule NAME          generator, or m-step (training-free)       (generator)
  --mixture-only       nothing but the mixture carries a choice on: the decoder
                       is not shown it, no samples are kept or weighed by it
  --iterations N       (6)
  --samples N          samples of a proposal                      (48)
  --variations N       variations of them; 0: none             (--samples)
  --candidates N       candidates of a proposal                   (4)
  --seed N             of clicks, samples and users               (0)
  --engine NAME        auto, ${ENGINE_NAMES.join(", ")}   (auto)
  --threads N          of the engine

Files
  --out FILE           .json: everything, written after every case; the same
                       command again goes on where it was killed. .csv: a row
                       per target and iteration. .md: the tables. .html: figures
                       and tables. .svg, .png: the figures. May be repeated
  --shard I/N          the I-th of N parts, into --out FILE.json; then merge
  --record FILE        the model again, with these figures in its metadata
`;

/** Names of the options that choose cases. */
export const CASE_OPTIONS = [
  ...["data", "split", "task", "structure", "every", "max-voxels"],
];

/** Names of all, for `CommandLine`. */
export const OPTIONS = {
  values: [
    ...CASE_OPTIONS,
    ...["include", "user", "update", "rule", "iterations", "samples"],
    ...["variations", "candidates", "seed", "model", "method", "engine"],
    ...["threads", "targets", "shard", "record"],
  ],
  repeated: ["out"],
  flags: ["ablation", "per-rater", "carry", "samples-metrics", "mixture-only"],
} as const;

/** What the figures depend on, but for the model. */
export function readSettings(line: CommandLine): Omit<Settings, "model"> {
  const update = line.oneOf(
    "update",
    ["both", "moments", "weights", "none"],
    "both",
  );
  const given = ["ablation", "carry", "update"].filter((name) =>
    line.has(name)
  );
  if (given.length > 1) {
    throw line.refuse(
      "only one of --ablation, --carry and --update must be given",
      given.map((name) => `--${name}`).join(", "),
    );
  }
  const variants: VariantName[] = line.has("ablation")
    ? ["none", "moments", "weights", "both"]
    : line.has("carry")
    ? ["both", "carried"]
    : [update];
  const samples = line.integer("samples", 48, { min: 1, max: 1024 });
  return {
    iterations: line.integer("iterations", 6, { min: 1, max: 60 }),
    samples,
    variations: line.integer("variations", samples, { min: 0, max: 1024 }),
    candidates: line.integer("candidates", 4, { min: 1, max: 16 }),
    seed: line.integer("seed", 0, SEEDS),
    user: line.oneOf("user", ["nearest", "noisy", "random"], "nearest"),
    rule: line.oneOf("rule", ["generator", "m-step"], "generator"),
    ...(line.has("mixture-only") && { mixtureOnly: true }),
    variants,
    include: readRaters(line, "include"),
    sampleSet: line.has("samples-metrics"),
  };
}

/** Which tables are wanted. */
export function readTables(line: CommandLine): Tables {
  const text = line.text("targets");
  const targets = text?.split(",").map(Number) ?? [];
  if (!targets.every((dice) => dice > 0 && dice <= 1)) {
    throw line.refuse("--targets must be Dice above 0, up to 1", text);
  }
  return { targets, perRater: line.has("per-rater") };
}

/** What only SPA has: choices, and a preference that they move. */
const SPA_ALONE = [
  ...["ablation", "carry", "update", "rule", "mixture-only", "user"],
  ...["variations", "record"],
];

/** The baseline that `--model` holds; undefined where it is a model of SPA. */
export async function readBaseline(
  line: CommandLine,
): Promise<Baseline | undefined> {
  const path = line.text("model");
  const own = path === undefined ? "spa" : await methodOfFile(path);
  const method = line.oneOf("method", ["spa", ...Object.keys(METHODS)], own);
  if (path === undefined || own === "spa" || method === "spa") {
    if (method === own) return undefined;
    throw line.refuse(`--method must fit the model's, ${own}`, method);
  }
  for (const name of SPA_ALONE) {
    if (!line.has(name)) continue;
    throw line.refuse(`--${name} must come with a model of spa`, method);
  }
  return await loadBaseline(path, method);
}

/** The part of `--shard`. */
export function readShard(line: CommandLine): Shard | undefined {
  const text = line.text("shard");
  if (text === undefined) return undefined;
  const [part, parts] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).slice(1)
    .map(Number);
  if (!(part >= 1 && part <= parts)) {
    throw line.refuse("--shard must be I/N with I in 1..N", text);
  }
  if (line.has("carry")) {
    throw line.refuse(
      "--carry must have all cases, one after the other",
      `--shard ${text}`,
    );
  }
  const outs = line.texts("out");
  if (outs.length !== 1 || !outs[0].endsWith(".json") || line.has("record")) {
    throw line.refuse(
      "--shard must come with one --out FILE.json, and no other file",
      outs.join(", ") || "none",
    );
  }
  return { part, parts };
}

/** Endings of reports: tables, tables with figures, figures. */
export const REPORTS = ["md", "html", "svg", "png"] as const;

/** The files of `--out`, checked before the hours of work that go into them. */
export async function readOuts(
  line: CommandLine,
  endings: readonly string[] = ["json", "csv", ...REPORTS],
): Promise<string[]> {
  const outs = line.texts("out");
  for (const path of outs) {
    await checkTarget(path);
    if (endings.some((ending) => path.endsWith(`.${ending}`))) continue;
    throw line.refuse(`--out must end in .${endings.join(" or .")}`, path);
  }
  if (outs.filter((path) => path.endsWith(".json")).length <= 1) return outs;
  throw line.refuse("--out must name one .json at most", outs.join(", "));
}

/** The cases to evaluate. */
export async function readCases(line: CommandLine): Promise<Dataset> {
  const split = line.oneOf("split", ["train", "val", "test"], "val");
  const every = line.integer("every", 1, { min: 1, max: 1e6 });
  const { name, cases, anonymous } = await openCases(line, split);
  if (anonymous && line.has("carry")) {
    throw line.refuse(
      "--carry must have raters who are the same persons in every case",
      `${name}, whose raters are anonymous`,
    );
  }
  return { name, cases: cases.filter((_, i) => i % every === 0) };
}
