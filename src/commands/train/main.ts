/**
 * `deno task train`: trains a network, or a baseline.
 *
 *     deno task train --data lidc_crops --out model.safetensors
 */

import { basename } from "node:path";
import type { BaselineConfig } from "../../baselines/method.ts";
import {
  initialWeights,
  loadBaseline,
  methodOfFile,
  saveBaseline,
} from "../../baselines/baseline.ts";
import { trainBaseline } from "../../baselines/train.ts";
import { saveModel } from "../../checkpoints/save_model.ts";
import {
  type Command,
  CommandLine,
  readProvider,
  readThreads,
  runCommand,
} from "../command_line.ts";
import { PHANTOM_RATERS } from "../../phantoms/phantom.ts";
import { checkTarget, removeLeftovers } from "../../files.ts";
import { type EngineInfo, useEngine } from "../../engine/engine.ts";
import { type ModelConfig, presets } from "../../model/config.ts";
import { Model } from "../../model/model.ts";
import { loadModel } from "../../notebook/load_model.ts";
import { trainingProgress } from "../../notebook/progress.ts";
import { averageWeights } from "../../training/weight_vector.ts";
import {
  openLearningLog,
  readLearningLog,
} from "../../training/learning_log.ts";
import {
  type Network,
  readCheckpointSeconds,
  readData,
  readMethod,
  readPreset,
  readRecipe,
  TRAIN,
} from "./options.ts";
import type { TrainingReport } from "../../training/tally.ts";
import { train } from "../../training/train.ts";
import type { Recipe, TrainOptions } from "../../training/recipe.ts";
import type { TrainingCase } from "../../training/training_case.ts";
import { learningFigure } from "../../figures/dice_figure.ts";
import { writeFigure } from "../../figures/figure.ts";

/** The command's options that every method has. */
interface Run {
  readonly line: CommandLine;
  readonly recipe: Recipe;
  readonly cases: readonly TrainingCase[];
  readonly options: TrainOptions;
  /** Facts for the weights' metadata. */
  readonly facts: Readonly<Record<string, string>>;
  readonly engine: EngineInfo;
  /** The network, where it is not that of `--init`. */
  readonly preset?: Network;
  /** Where the weights go. */
  readonly out: string;
}

/** The recipe in a model's metadata. */
const recipeIn = ({ metadata }: Model) => metadata.recipe ?? "unknown";

/** One line of progress. */
function describe({ step, steps, loss, iterations, rate }: TrainingReport) {
  const row = (values: number[], digits: number) =>
    values.map((value) => value.toFixed(digits).replace(/^0/, "")).join(" ");
  const minutes = (steps - step) / rate / 60;
  return [
    `${step}/${steps}`,
    `loss ${loss.toFixed(4)}`,
    `dice ${row(iterations.map(({ dice }) => dice), 3)}`,
    `best ${row(iterations.map(({ best }) => best), 3)}`,
    `spread ${row(iterations.map(({ spread }) => spread), 4)}`,
    `${rate.toFixed(2)} steps/s`,
    `${minutes.toFixed(1)} min left`,
  ].join("  ");
}

/** Reports on the terminal, and in the log where there is one. */
function reportTo(
  log?: (report: TrainingReport) => Promise<void>,
): TrainOptions {
  const progress = Deno.stderr.isTerminal() ? trainingProgress() : {
    onReport: (report: TrainingReport) => console.log(describe(report)),
  };
  return {
    ...progress,
    onReport: async (report) => {
      progress.onReport(report);
      await log?.(report);
    },
  };
}

/** Says what is about to be trained. */
function announce(name: string, { recipe, cases, engine }: Run): void {
  console.log(
    `Training "${name}" on ${cases.length} cases and ${
      (100 * recipe.phantomShare).toFixed(0)
    } % phantoms; engine ${engine.name}, ${engine.threads} threads`,
  );
}

/** The network of a model's file, or of a baseline's. */
async function networkOf(path: string): Promise<ModelConfig> {
  if (await methodOfFile(path) !== "spa") {
    return (await loadBaseline(path)).config.network;
  }
  using model = await loadModel(path);
  return model.config;
}

/** A baseline's config for the raters of the cases, or of phantoms. */
function baselineConfig(
  method: string,
  network: ModelConfig,
  cases: readonly TrainingCase[],
): BaselineConfig {
  const known = cases.length > 0
    ? cases.flatMap(({ raters }) => raters ?? [])
    : PHANTOM_RATERS;
  const names = known.length > 0 ? [...new Set(known)] : undefined;
  const raters = names?.length ??
    Math.max(...cases.map(({ masks }) => masks.length));
  return { method, network, raters, names };
}

/** Trains a baseline, and saves it. */
async function runBaseline(method: string, run: Run): Promise<void> {
  const { line, recipe, cases, options, facts, out } = run;
  const init = line.text("init");
  const network = init === undefined ? presets.tiny : await networkOf(init);
  const config = baselineConfig(method, network, cases);
  const first = init === undefined
    ? undefined
    : await initialWeights(init, config, recipe.seed);
  announce(method, run);
  const weights = await trainBaseline(config, cases, recipe, {
    ...options,
    initial: first?.weights,
  });
  const metadata = {
    ...facts,
    ...(first && { initial_recipe: first.recipe }),
  };
  await saveBaseline({ config, weights, metadata }, out);
}

/** The models of `--average`, which must be of a config. */
async function loadOthers(
  line: CommandLine,
  config: ModelConfig,
): Promise<Model[]> {
  const others = await Promise.all(
    line.texts("average").map((file) => loadModel(file)),
  );
  for (const other of others) {
    if (JSON.stringify(other.config) === JSON.stringify(config)) continue;
    throw line.refuse(
      `--average must be a model of the same config, ${config.name}`,
      other.config.name,
    );
  }
  return others;
}

/** Trains SPA, and saves it. */
async function runSPA(run: Run): Promise<void> {
  const { line, recipe, cases, options, facts, preset, out } = run;
  const init = line.text("init");
  const first = init === undefined
    ? undefined
    : await loadModel(init, { config: preset, seed: recipe.seed });
  const config = first?.config ?? presets.tiny;
  const others = await loadOthers(line, config); // checked before hours of training
  announce(config.name, run);
  const trained = await train(config, cases, recipe, {
    ...options,
    initial: first?.weights,
  });
  const weights = averageWeights([trained, ...others.map((o) => o.weights)]);
  const model = new Model(config, weights, {
    ...facts,
    ...(first && { initial_recipe: recipeIn(first) }),
    ...(others.length > 0 && {
      averaged_with: JSON.stringify(others.map(recipeIn)),
    }),
  });
  await saveModel(model, out);
}

/** The log of `--log`, whose file is checked before any work. */
async function openLog(line: CommandLine) {
  const path = line.text("log");
  if (path === undefined) return undefined;
  await checkTarget(path);
  return await openLearningLog(path);
}

async function main(): Promise<void> {
  const [command, ...rest] = Deno.args;
  if (command === "curve") return await curveCommand(rest);
  const line = new CommandLine(TRAIN, Deno.args);
  if (line.help) return console.log(line.help);
  const recipe = readRecipe(line);
  const checkpointSeconds = readCheckpointSeconds(line);
  const method = readMethod(line);
  const preset = readPreset(line, method);
  const out = line.text<string>("out");
  await checkTarget(out);
  await removeLeftovers(out);
  const log = await openLog(line);
  const { cases, name } = await readData(line);
  const engine = await useEngine("onnx", {
    ...readThreads(line),
    ...readProvider(line),
  });
  const run: Run = {
    line,
    recipe,
    cases,
    engine,
    preset,
    out,
    options: {
      checkpoint: line.text("checkpoint") ?? `${out}.checkpoint`,
      checkpointSeconds,
      cache: line.text("cache"),
      ...reportTo(log),
    },
    facts: {
      recipe: JSON.stringify(recipe),
      training_data: line.text("note") ?? name,
    },
  };
  await (method === "spa" ? runSPA(run) : runBaseline(method, run));
  console.log(`Saved ${out}`);
}

const COMMAND: Command = {
  action: "draw learning curves",
  usage: ["deno task train curve FILE.csv ... [options]"],
  about:
    "Draws the learning curve of one run, or compares those of several: loss, and by the users' iteration Dice, that of the best candidate and sample spread. The files are those of train's --log.",
  options: {
    "": {
      out: { value: "FILE", default: "curve.png", help: "a .png or .svg" },
    },
  },
  files: true,
};

/** `deno task train curve`: draws the logs of one run or of several. */
async function curveCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(COMMAND, args);
  if (line.help) return console.log(line.help);
  const out = line.text<string>("out");
  await checkTarget(out);
  if (!/\.(png|svg)$/.test(out)) {
    throw line.refuse("--out must end in .png or .svg", out);
  }
  if (line.files.length === 0) {
    throw line.refuse("there must be a log", "none");
  }
  const runs: Record<string, Awaited<ReturnType<typeof readLearningLog>>> = {};
  for (const path of line.files) {
    const reports = await readLearningLog(path);
    const name = basename(path, ".csv");
    if (reports.length === 0) {
      throw line.refuse(`${path} must be a log`, "none");
    }
    if (name in runs) {
      throw line.refuse("all logs must have different names", name);
    }
    runs[name] = reports;
  }
  const figure = learningFigure(runs);
  await writeFigure(out, figure);
  console.log(`${figure}\n${out}`);
}

await runCommand(main);
