/** The options of `deno task train`. */

import { METHODS } from "../../baselines/methods.ts";
import { CommandLine, SEEDS } from "../command_line.ts";
import { openCases, readRaters } from "../command_cases.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { checkRecipe } from "../../training/check_recipe.ts";
import { defaultRecipe, type Recipe } from "../../training/train.ts";
import { isMarked, type TrainingCase } from "../../training/training_case.ts";

/** What `--help` prints. */
export const HELP = `deno task train [options]

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

/** The arguments, as options by name. */
export function parseOptions(args: readonly string[]): CommandLine {
  return new CommandLine("train", args, {
    values: [
      ...["data", "task", "structure", "include", "exclude", "method"],
      ...["out", "init", "checkpoint", "checkpoint-seconds", "log", "note"],
      ...["steps", "batch", "rate", "schedule", "ema", "loss", "seed"],
      ...["phantoms", "styles", "carry", "threads", "max-voxels"],
    ],
    repeated: ["average"],
  });
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
export function readRecipe(line: CommandLine): Recipe {
  const d = defaultRecipe;
  const count = { min: 1, max: 1e9 };
  const recipe: Recipe = {
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
  checkRecipe(recipe); // before the data are read
  return recipe;
}

/** Seconds between checkpoints. */
export function readCheckpointSeconds(line: CommandLine): number {
  return readNumber(line, "checkpoint-seconds", 60, 86400);
}

/** What is trained: "spa", or a baseline. */
export function readMethod(line: CommandLine): string {
  const method = line.oneOf("method", ["spa", ...Object.keys(METHODS)], "spa");
  if (method !== "spa" && line.has("average")) {
    throw line.refuse("--average must come with spa", method);
  }
  return method;
}

/** Reads into memory the cases of which one of the wanted raters marked something. */
async function readCases(
  { cases, anonymous }: Dataset,
  wanted: (rater: string) => boolean,
): Promise<TrainingCase[]> {
  const marked: TrainingCase[] = [];
  for (const item of cases) { // one at a time: a large scan is in memory once
    const raters = item.raters.filter(wanted);
    const masks = [];
    for (const rater of raters) masks.push(await item.readMask(rater));
    if (!isMarked({ masks })) continue;
    const image = await item.readImage();
    marked.push({ image, masks, raters: anonymous ? undefined : raters });
  }
  return marked;
}

/** The cases of `--data` by the raters to learn from, and what to call them. */
export async function readData(
  line: CommandLine,
): Promise<{ cases: TrainingCase[]; name: string }> {
  if (!line.has("data")) return { cases: [], name: "phantoms" };
  const dataset = await openCases(line, "train");
  const include = readRaters(line, "include");
  const exclude = readRaters(line, "exclude");
  const wanted = (rater: string) =>
    (include?.includes(rater) ?? true) && !exclude?.includes(rater);
  const cases = await readCases(dataset, wanted);
  if (cases.length === 0) {
    throw line.refuse("a case must have a mask that is not empty", "none");
  }
  const raters = (include ? `, raters ${include.join(", ")}` : "") +
    (exclude ? `, without raters ${exclude.join(", ")}` : "");
  return { cases, name: dataset.name + raters };
}
