/**
 * `deno task train`: trains the tiny preset.
 *
 *     deno task train --data lidc_crops --out model.safetensors
 */

import { saveModel } from "../checkpoints/save_model.ts";
import { CommandLine, runCommand, SEEDS, THREADS } from "../command_line.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { checkTarget } from "../datasets/write_file.ts";
import { useEngine } from "../engine/engine.ts";
import { presets } from "../model/config.ts";
import { Model } from "../model/model.ts";
import { loadModel } from "../notebook/load_model.ts";
import { trainingProgress } from "../notebook/progress.ts";
import type { TrainingCase } from "./augment.ts";
import { defaultRecipe, type Recipe, train } from "./train.ts";
import type { TrainingReport } from "./tally.ts";

const HELP = `deno task train [options]

  --data FOLDER        multi-rater cases to train on, besides phantoms (LIDC
                       crops, QUBIQ, REFUGE2, or CASE/image.* with CASE/rater*.*)
  --task N             which structure of QUBIQ (1)
  --structure NAME     which structure of REFUGE2, cup or disc (cup)
  --out FILE           where the weights go     (model.safetensors)
  --init FILE          model to start from; random weights by default
  --checkpoint FILE    state to resume from     (OUT.checkpoint)
  --steps N            steps in all             (${defaultRecipe.steps})
  --batch N            users in a batch         (${defaultRecipe.batch})
  --rate X             largest learning rate    (${defaultRecipe.learningRate})
  --loss KIND          marginal or paper        (marginal)
  --phantoms X         share of phantoms, 0..1  (${defaultRecipe.phantomShare})
  --styles X           share of users with a style of their own (${defaultRecipe.styleShare})
  --seed N             seed                     (${defaultRecipe.seed})
  --threads N          threads of the engine
  --note TEXT          goes into the weights' metadata: data, licence
`;

/** Reads all cases into memory. */
async function readCases(dataset: Dataset): Promise<TrainingCase[]> {
  return await Promise.all(dataset.cases.map(async (item) => ({
    image: await item.readImage(),
    masks: await Promise.all(item.raters.map((rater) => item.readMask(rater))),
  })));
}

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

/** The recipe that the command line asks for. */
function recipeOf(line: CommandLine): Recipe {
  const d = defaultRecipe;
  const count = { min: 1, max: 1e9 };
  const number = (name: string, fallback: number, max: number) => {
    const text = line.text(name);
    if (text === undefined) return fallback;
    const [value] = line.numbers(name, text, "X");
    if (value >= 0 && value <= max) return value;
    throw line.refuse(`--${name} must be within 0..${max}`, text);
  };
  return {
    ...d,
    steps: line.integer("steps", d.steps, count),
    batch: line.integer("batch", d.batch, count),
    learningRate: number("rate", d.learningRate, 1),
    phantomShare: number("phantoms", d.phantomShare, 1),
    styleShare: number("styles", d.styleShare, 1),
    seed: line.integer("seed", d.seed, SEEDS),
    loss: {
      ...d.loss,
      kind: line.oneOf("loss", ["marginal", "paper"], "marginal"),
    },
  };
}

/** The cases that the command line names. */
async function openCases(line: CommandLine): Promise<Dataset | undefined> {
  const folder = line.text("data");
  if (folder === undefined) return undefined;
  return await openDataset(folder, {
    split: "train",
    task: line.integer("task", 1, { min: 1, max: 99 }),
    structure: line.oneOf("structure", ["cup", "disc"], "cup"),
  });
}

async function main(): Promise<void> {
  const line = new CommandLine("train", Deno.args, {
    values: [
      ...["data", "task", "structure", "out", "init", "checkpoint", "steps"],
      ...["batch", "rate", "loss", "phantoms", "styles", "seed", "threads"],
      "note",
    ],
  });
  if (line.has("help")) return console.log(HELP);
  const recipe = recipeOf(line);
  const out = line.text("out") ?? "model.safetensors";
  await checkTarget(out);
  const dataset = await openCases(line);
  const cases = dataset ? await readCases(dataset) : [];
  const engine = await useEngine(
    "onnx",
    line.has("threads") ? { threads: line.integer("threads", 1, THREADS) } : {},
  );
  const init = line.text("init");
  const first = init === undefined ? undefined : await loadModel(init);
  const config = first?.config ?? presets.tiny;
  console.log(
    `Training "${config.name}" on ${cases.length} cases and ${
      (100 * recipe.phantomShare).toFixed(0)
    } % phantoms; engine ${engine.name}, ${engine.threads} threads`,
  );
  const weights = await train(config, cases, recipe, {
    initial: first?.weights,
    checkpoint: line.text("checkpoint") ?? `${out}.checkpoint`,
    ...(Deno.stderr.isTerminal() ? trainingProgress() : {
      onReport: (report) => console.log(describe(report)),
    }),
  });
  const data = line.text("note") ?? dataset?.name ?? "phantoms";
  const model = new Model(config, weights, {
    recipe: JSON.stringify(recipe),
    training_data: data,
    ...(first && { initial_recipe: first.metadata.recipe ?? "unknown" }),
  });
  await saveModel(model, out);
  console.log(`Saved ${out}`);
}

await runCommand(main);
