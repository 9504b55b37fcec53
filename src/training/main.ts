/**
 * `deno task train`: trains the tiny preset.
 *
 *     deno task train --data lidc_crops --out model.safetensors
 */

import { parseArgs } from "node:util";
import { loadModel } from "../checkpoints/load_model.ts";
import { saveModel } from "../checkpoints/save_model.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { checkTarget } from "../datasets/write_file.ts";
import { useEngine } from "../engine/engine.ts";
import { presets } from "../model/config.ts";
import { Model } from "../model/model.ts";
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

/** A number from the command line. */
function numberOf(name: string, text: string | undefined, fallback: number) {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot train as --${name} must be a number >= 0: current value is ${text}`,
  );
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

const { values } = parseArgs({
  args: Deno.args,
  options: Object.fromEntries(
    [
      ...[
        "data",
        "out",
        "init",
        "checkpoint",
        "steps",
        "batch",
        "rate",
        "loss",
      ],
      ...["phantoms", "styles", "seed", "threads", "note"],
      ...["task", "structure"],
    ].map((name) => [name, { type: "string" as const }]),
  ),
});

async function main() {
  const { out = "model.safetensors", loss = "marginal" } = values;
  const { structure = "cup" } = values;
  if (loss !== "marginal" && loss !== "paper") {
    throw new RangeError(
      `Cannot train as --loss must be marginal or paper: current value is ${loss}`,
    );
  }
  if (structure !== "cup" && structure !== "disc") {
    throw new RangeError(
      `Cannot train as --structure must be cup or disc: current value is ${structure}`,
    );
  }
  const d = defaultRecipe;
  const recipe: Recipe = {
    ...d,
    steps: numberOf("steps", values.steps, d.steps),
    batch: numberOf("batch", values.batch, d.batch),
    learningRate: numberOf("rate", values.rate, d.learningRate),
    phantomShare: numberOf("phantoms", values.phantoms, d.phantomShare),
    styleShare: numberOf("styles", values.styles, d.styleShare),
    seed: numberOf("seed", values.seed, d.seed),
    loss: { ...d.loss, kind: loss },
  };
  await checkTarget(out);
  const threads = values.threads && numberOf("threads", values.threads, 1);
  const engine = await useEngine("onnx", threads ? { threads } : {});
  const dataset = values.data
    ? await openDataset(values.data, {
      split: "train",
      task: numberOf("task", values.task, 1),
      structure,
    })
    : undefined;
  const cases = dataset ? await readCases(dataset) : [];
  const first = values.init ? await loadModel(values.init) : undefined;
  const config = first?.config ?? presets.tiny;
  console.log(
    `Training "${config.name}" on ${cases.length} cases and ${
      (100 * recipe.phantomShare).toFixed(0)
    } % phantoms; engine ${engine.name}, ${engine.threads} threads`,
  );
  const weights = await train(config, cases, recipe, {
    initial: first?.weights,
    checkpoint: values.checkpoint ?? `${out}.checkpoint`,
    ...(Deno.stderr.isTerminal() ? trainingProgress() : {
      onReport: (report) => console.log(describe(report)),
    }),
  });
  const model = new Model(config, weights, {
    recipe: JSON.stringify(recipe),
    training_data: values.note ?? dataset?.name ?? "phantoms",
  });
  await saveModel(model, out);
  console.log(`Saved ${out}`);
}

if (values.help || Deno.args.includes("-h")) {
  console.log(HELP);
} else {
  await main();
}
