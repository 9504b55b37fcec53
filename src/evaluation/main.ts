/** `deno task evaluate`; see `--help`. */

import { loadModel } from "../checkpoints/load_model.ts";
import { saveModel } from "../checkpoints/save_model.ts";
import { CommandLine, runCommand, SEEDS, THREADS } from "../command_line.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { checkTarget, writeFileAtomic } from "../datasets/write_file.ts";
import { ENGINE_NAMES } from "../engine/active_engine.ts";
import { useEngine } from "../engine/engine.ts";
import { Model } from "../model/model.ts";
import { evaluationProgress } from "../notebook/progress.ts";
import { markdownTable } from "../table.ts";
import { nearestUser, noisyUser, randomUser } from "../spa/simulated_user.ts";
import type { UpdateOptions } from "../spa/update_preference.ts";
import {
  evaluate,
  type EvaluateOptions,
  type TargetResult,
} from "./evaluate.ts";
import { formatResults } from "./format_results.ts";
import { ablationTable, summarize, summaryTable } from "./summary.ts";

const HELP = `deno task evaluate --data FOLDER [options]

Every rater of every case in turn is the user: one random click inside the
mask, then the nearest candidate again and again.

  --data FOLDER        multi-rater cases (LIDC crops, QUBIQ, REFUGE2, or
                       CASE/image.* with CASE/rater*.*)
  --split NAME         train or val, where the folder has both    (val)
  --task N             which structure of QUBIQ                   (1)
  --structure NAME     which structure of REFUGE2, cup or disc    (cup)
  --every N            every N-th case only, for a quick look     (1)
  --user NAME          nearest, noisy (one choice in five at random) or random
  --update NAME        what a choice moves: both, moments, weights or none
  --rule NAME          generator, or m-step (training-free)       (generator)
  --ablation           none, moments, weights and both, one after the other
  --iterations N       (6)
  --samples N          samples of a proposal                      (48)
  --variations N       variations of them; 0 is the paper's method (--samples)
  --candidates N       candidates of a proposal                   (4)
  --seed N             of clicks, samples and users               (0)
  --model FILE         weights                                    (shipped)
  --engine NAME        auto, ${ENGINE_NAMES.join(", ")}   (auto)
  --threads N          of the engine
  --out FILE           results of every target, .json or .csv, or the table, .md
  --record FILE        the model again, with these figures in its metadata
`;

/** What a choice moves, by name. */
const UPDATES = {
  none: { moments: false, weights: false },
  moments: { moments: true, weights: false },
  weights: { moments: false, weights: true },
  both: { moments: true, weights: true },
} as const;

/** One choice in this many of the noisy user is random. */
const NOISE = 0.2;

/** Simulated users by name. */
const USERS: Record<string, EvaluateOptions["user"]> = {
  nearest: nearestUser,
  noisy: (target) => noisyUser(target, NOISE),
  random: () => randomUser(),
};

async function openCases(line: CommandLine): Promise<Dataset> {
  const folder = line.text("data");
  if (folder === undefined) throw line.refuse("--data must be given", "none");
  const split = line.oneOf("split", ["train", "val"], "val");
  const every = line.integer("every", 1, { min: 1, max: 1e6 });
  const { name, cases } = await openDataset(folder, {
    split,
    task: line.integer("task", 1, { min: 1, max: 99 }),
    structure: line.oneOf("structure", ["cup", "disc"], "cup"),
  });
  return { name, cases: cases.filter((_, i) => i % every === 0) };
}

async function main(): Promise<void> {
  const line = new CommandLine("evaluate", Deno.args, {
    values: [
      ...["data", "split", "task", "structure", "every", "user", "update"],
      ...["rule", "iterations"],
      ...["samples", "variations", "candidates", "seed", "model", "engine"],
      ...["threads", "out", "record"],
    ],
    flags: ["ablation"],
  });
  if (line.has("help")) return console.log(HELP);
  const seed = line.integer("seed", 0, SEEDS);
  const rule = line.oneOf("rule", ["generator", "m-step"], "generator");
  const update = line.oneOf(
    "update",
    ["both", "moments", "weights", "none"],
    "both",
  );
  const samples = line.integer("samples", 48, { min: 1, max: 1024 });
  const options = {
    samples,
    variations: line.integer("variations", samples, { min: 0, max: 1024 }),
    iterations: line.integer("iterations", 6, { min: 1, max: 60 }),
    candidates: line.integer("candidates", 4, { min: 1, max: 16 }),
    user: USERS[line.oneOf("user", ["nearest", "noisy", "random"], "nearest")],
    seed,
  };
  const out = line.text("out"), record = line.text("record");
  for (const path of [out, record]) if (path) await checkTarget(path);
  const dataset = await openCases(line);
  const engine = await useEngine(
    line.oneOf("engine", ["auto", ...ENGINE_NAMES], "auto"),
    line.has("threads") ? { threads: line.integer("threads", 1, THREADS) } : {},
  );
  using model = await loadModel(line.text("model"));
  const run = (parts: UpdateOptions) =>
    evaluate(model, dataset, {
      ...options,
      ...evaluationProgress(),
      update: { rule, ...parts },
    });

  const results: Record<string, TargetResult[]> = {};
  const names = line.has("ablation")
    ? ["none", "moments", "weights", "both"] as const
    : [update];
  for (const name of names) results[name] = await run(UPDATES[name]);
  const targets = results[names[0]].length;
  console.log(
    `${dataset.name}: ${dataset.cases.length} cases, ${targets} targets; engine ${engine.name}, ${engine.threads} threads\n`,
  );
  const summaries = Object.fromEntries(
    Object.entries(results).map((
      [name, list],
    ) => [name, summarize(list, seed)]),
  );
  const table = markdownTable(
    line.has("ablation")
      ? ablationTable(summaries)
      : summaryTable(summaries[update]),
  );
  console.log(table);
  if (record !== undefined) {
    const rows = summaries[names[names.length - 1]];
    const figures = {
      dataset: dataset.name,
      targets,
      samples,
      variations: options.variations,
      candidates: options.candidates,
      seed,
      dice: rows.map(({ dice }) => Number(dice.toFixed(4))),
      best: rows.map(({ best }) => Number(best.toFixed(4))),
    };
    const metadata = { ...model.metadata, validation: JSON.stringify(figures) };
    await saveModel(new Model(model.config, model.weights, metadata), record);
  }
  if (out !== undefined) {
    const text = formatResults(out, results, table);
    await writeFileAtomic(out, new TextEncoder().encode(text));
  }
}

await runCommand(main);
