/**
 * `deno task train`: trains the tiny preset, or a baseline on it.
 *
 *     deno task train --data lidc_crops --out model.safetensors
 */

import { initialWeights, saveBaseline } from "../baselines/baseline.ts";
import { METHODS } from "../baselines/methods.ts";
import { trainBaseline } from "../baselines/train.ts";
import { saveModel } from "../checkpoints/save_model.ts";
import { CommandLine, runCommand, SEEDS, THREADS } from "../command_line.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { openCases, readRaters } from "../datasets/command_cases.ts";
import { PHANTOM_RATERS } from "../datasets/phantom.ts";
import { checkTarget, removeLeftovers } from "../datasets/write_file.ts";
import { useEngine } from "../engine/engine.ts";
import { presets } from "../model/config.ts";
import { Model } from "../model/model.ts";
import { loadModel } from "../notebook/load_model.ts";
import { trainingProgress } from "../notebook/progress.ts";
import { averageWeights } from "./average_weights.ts";
import { curveCommand } from "./curve.ts";
import { openLearningLog } from "./learning_log.ts";
import type { TrainingReport } from "./tally.ts";
import { defaultRecipe, type Recipe, train } from "./train.ts";
import { isMarked, type TrainingCase } from "./training_case.ts";

const HELP = `deno task train [options]

  --data FOLDER        multi-rater cases to train on, besides phantoms (LIDC
                       crops, QUBIQ, REFUGE2, or CASE/image.* with CASE/rater*.*)
  --task N             which structure of QUBIQ (1)
  --structure NAME     which structure of REFUGE2, cup or disc (cup)
  --max-voxels N       the largest volume that is read (134217728)
  --include A,B,..     raters to learn from (all)
  --exclude A,B,..     raters not to learn from (none)
  --method NAME        spa, or a baseline: click, box, sam-u, unet, ensemble,
                       label-sampling, multi-head, probabilistic-unet, adapter
                       or mrnet                 (spa)
  --out FILE           where the weights go     (model.safetensors)
  --init FILE          model to start from; random weights by default
  --average FILE       a model whose weights are averaged with the trained ones
                       (a model soup); of spa only, may be repeated
  --checkpoint FILE    state to resume from     (OUT.checkpoint)
  --checkpoint-seconds X
                       seconds between checkpoints; 0: after every step (60)
  --steps N            steps in all             (${defaultRecipe.steps})
  --batch N            users in a batch         (${defaultRecipe.batch})
  --rate X             largest learning rate    (${defaultRecipe.learningRate})
  --schedule NAME      cosine (falls to 2 %) or constant (${defaultRecipe.schedule})
  --ema X              decay of the weights' moving average, 0: none (${defaultRecipe.averageDecay})
  --loss KIND          marginal or paper        (marginal)
  --phantoms X         share of phantoms, 0..1  (${defaultRecipe.phantomShare})
  --styles X           share of users with a style of their own (${defaultRecipe.styleShare})
  --carry X            share of users who go on to the next image with their
                       profile, where a rater is known by name (${defaultRecipe.carryShare})
  --seed N             seed                     (${defaultRecipe.seed})
  --threads N          threads of the engine
  --log FILE.csv       the learning curve: loss, and by iteration Dice, that of
                       the best candidate and sample spread; grows with the run.
                       deno task train curve FILE.csv ... --out FILE.png draws
                       one, or compares several
  --note TEXT          goes into the weights' metadata: data, licence
`;

/** Reads into memory the cases of which one of the wanted raters marked something. */
async function readCases(
  { cases, anonymous }: Dataset,
  wanted: (rater: string) => boolean,
): Promise<TrainingCase[]> {
  const all = await Promise.all(cases.map(async (item) => {
    const raters = item.raters.filter(wanted);
    return {
      image: await item.readImage(),
      masks: await Promise.all(raters.map((rater) => item.readMask(rater))),
      raters: anonymous ? undefined : raters,
    };
  }));
  return all.filter(isMarked);
}

/** What a model's metadata say about its training. */
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

/** A number of the command line, 0 to `max`. */
function readNumber(
  line: CommandLine,
  name: string,
  fallback: number,
  max: number,
): number {
  const text = line.text(name);
  if (text === undefined) return fallback;
  const [value] = line.numbers(name, text, "X");
  if (value >= 0 && value <= max) return value;
  throw line.refuse(`--${name} must be within 0..${max}`, text);
}

/** The recipe that the command line asks for. */
function recipeOf(line: CommandLine): Recipe {
  const d = defaultRecipe;
  const count = { min: 1, max: 1e9 };
  return {
    ...d,
    steps: line.integer("steps", d.steps, count),
    batch: line.integer("batch", d.batch, count),
    learningRate: readNumber(line, "rate", d.learningRate, 1),
    schedule: line.oneOf("schedule", ["cosine", "constant"], d.schedule),
    averageDecay: readNumber(line, "ema", d.averageDecay, 0.999999),
    phantomShare: readNumber(line, "phantoms", d.phantomShare, 1),
    styleShare: readNumber(line, "styles", d.styleShare, 1),
    carryShare: readNumber(line, "carry", d.carryShare, 1),
    seed: line.integer("seed", d.seed, SEEDS),
    loss: {
      ...d.loss,
      kind: line.oneOf("loss", ["marginal", "paper"], "marginal"),
    },
  };
}

async function main(): Promise<void> {
  const [command, ...rest] = Deno.args;
  if (command === "curve") return await curveCommand(rest);
  const line = new CommandLine("train", Deno.args, {
    values: [
      ...["data", "task", "structure", "include", "exclude", "method"],
      ...["out", "init", "checkpoint", "checkpoint-seconds", "log", "note"],
      ...["steps", "batch", "rate", "schedule", "ema", "loss", "seed"],
      ...["phantoms", "styles", "carry", "threads", "max-voxels"],
    ],
    repeated: ["average"],
  });
  if (line.has("help")) return console.log(HELP);
  const recipe = recipeOf(line);
  const checkpointSeconds = readNumber(line, "checkpoint-seconds", 60, 86400);
  const method = line.oneOf("method", ["spa", ...Object.keys(METHODS)], "spa");
  if (method !== "spa" && line.has("average")) {
    throw line.refuse("--average must come with spa", method);
  }
  const out = line.text("out") ?? "model.safetensors";
  await checkTarget(out);
  await removeLeftovers(out);
  const log = line.text("log");
  if (log !== undefined) await checkTarget(log);
  const keep = log === undefined ? undefined : await openLearningLog(log);
  const dataset = line.has("data") ? await openCases(line, "train") : undefined;
  const include = readRaters(line, "include");
  const exclude = readRaters(line, "exclude");
  const wanted = (rater: string) =>
    (include?.includes(rater) ?? true) && !exclude?.includes(rater);
  const cases = dataset ? await readCases(dataset, wanted) : [];
  if (dataset && cases.length === 0) {
    throw line.refuse("a case must have a mask that is not empty", "none");
  }
  const engine = await useEngine(
    "onnx",
    line.has("threads") ? { threads: line.integer("threads", 1, THREADS) } : {},
  );
  const progress = Deno.stderr.isTerminal() ? trainingProgress() : {
    onReport: (report: TrainingReport) => console.log(describe(report)),
  };
  const options = {
    checkpoint: line.text("checkpoint") ?? `${out}.checkpoint`,
    checkpointSeconds,
    ...progress,
    onReport: async (report: TrainingReport) => {
      progress.onReport(report);
      await keep?.(report);
    },
  };
  const init = line.text("init");
  const raters = (include ? `, raters ${include.join(", ")}` : "") +
    (exclude ? `, without raters ${exclude.join(", ")}` : "");
  const data = line.text("note") ??
    (dataset ? dataset.name + raters : "phantoms");
  const facts = { recipe: JSON.stringify(recipe), training_data: data };
  const announce = (name: string) =>
    console.log(
      `Training "${name}" on ${cases.length} cases and ${
        (100 * recipe.phantomShare).toFixed(0)
      } % phantoms; engine ${engine.name}, ${engine.threads} threads`,
    );
  if (method !== "spa") {
    const known = cases.length > 0
      ? cases.flatMap(({ raters }) => raters ?? [])
      : PHANTOM_RATERS;
    const names = known.length > 0 ? [...new Set(known)] : undefined;
    const raters = names?.length ??
      Math.max(...cases.map(({ masks }) => masks.length));
    const config = { method, network: presets.tiny, raters, names };
    const first = init === undefined
      ? undefined
      : await initialWeights(init, config, recipe.seed);
    announce(method);
    const weights = await trainBaseline(config, cases, recipe, {
      ...options,
      initial: first?.weights,
    });
    const metadata = {
      ...facts,
      ...(first && { initial_recipe: first.recipe }),
    };
    await saveBaseline({ config, weights, metadata }, out);
    return console.log(`Saved ${out}`);
  }
  const first = init === undefined ? undefined : await loadModel(init);
  const config = first?.config ?? presets.tiny;
  const others = await Promise.all(
    line.texts("average").map((file) => loadModel(file)),
  );
  for (const other of others) { // now, and not after hours of training
    if (JSON.stringify(other.config) === JSON.stringify(config)) continue;
    throw line.refuse(
      `--average must be a model of the same config, ${config.name}`,
      other.config.name,
    );
  }
  announce(config.name);
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
  console.log(`Saved ${out}`);
}

await runCommand(main);
