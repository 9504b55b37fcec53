/** The options of `deno task train`. */

import { basename, join } from "node:path";
import { connectedParts } from "../../arrays/connected_parts.ts";
import { METHODS } from "../../baselines/methods.ts";
import { CommandLine, SEEDS } from "../command_line.ts";
import { openCases, readRaters } from "../command_cases.ts";
import { isFolder, listFolder } from "../../datasets/_file_case.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { LEAST_PART } from "../../evaluation/targets.ts";
import { readImage } from "../../formats/read_image.ts";
import { checkRecipe } from "../../training/recipe.ts";
import { defaultRecipe, type Recipe } from "../../training/recipe.ts";
import { isMarked, type TrainingCase } from "../../training/training_case.ts";

/** What `--help` prints. */
export const HELP = `deno task train [options]

  --data FOLDER        cases to train on, besides phantoms (LIDC crops, QUBIQ,
                       REFUGE2, or CASE/image.* with CASE/rater*.*); may be
                       repeated: a set is drawn as often as the square root of
                       its size
  --images FOLDER      images without masks, for synthetic targets alone; may be
                       repeated
  --most N             at most so many cases of each set, taken evenly (all)
  --parts              every separate part of a mask, of 30 pixels or more, is a
                       target, where a case has one rater
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
  --samples N          samples of a user in a step, of components drawn at
                       random; 0: one of every component (${defaultRecipe.samples})
  --iterations N       iterations until a user leaves (${defaultRecipe.iterations})
  --warm-up N          steps over which it rises from near 0 (${defaultRecipe.warmUp})
  --schedule NAME      cosine (falls to 2 %) or constant (${defaultRecipe.schedule})
  --ema X              decay of the weights' moving average, 0: none (${defaultRecipe.averageDecay})
  --loss KIND          marginal or paper        (marginal)
  --phantoms X         share of phantoms, 0..1  (${defaultRecipe.phantomShare})
  --synthetic X        share of the other images with targets that nobody drew:
                       nested pieces of a segmentation (${defaultRecipe.syntheticShare})
  --regions X          share of images of which a region around the object is
                       shown, of random scale and shift (${defaultRecipe.regionShare})
  --placements N       regions of each image that are drawn at all; 0: always
                       new ones                 (${defaultRecipe.placements})
  --cache FOLDER       keeps what a frozen encoder makes of the images, for this
                       run and later ones; with --placements
  --clicks X           chance that a user clicks where the recommendation is
                       wrong, rather than picks (${defaultRecipe.clickShare})
  --boxes X            share of users who start with a box (${defaultRecipe.boxShare})
  --masks X            share of users who start with a mask (${defaultRecipe.maskShare})
  --users N            users of each image      (${defaultRecipe.usersPerImage})
  --styles X           share of users with a style of their own (${defaultRecipe.styleShare})
  --carry X            share of users who go on to the next image with their
                       profile, where a rater is known by name (${defaultRecipe.carryShare})
  --seed N             seed                     (${defaultRecipe.seed})
  --threads N          threads of the engine
  --log FILE.csv       the learning curve: loss, and by iteration Dice, that of
                       the best candidate and sample spread; grows with the run.
                       deno task train curve FILE.csv ... --out FILE.png draws
                       one, or compares several
  --note TEXT          goes into the weights' metadata: data, license
`;

/** The arguments, as options by name. */
export function parseOptions(args: readonly string[]): CommandLine {
  return new CommandLine("train", args, {
    values: [
      ...["task", "structure", "include", "exclude", "method"],
      ...["out", "init", "checkpoint", "checkpoint-seconds", "log", "note"],
      ...[
        "steps",
        "batch",
        "rate",
        "warm-up",
        "schedule",
        "ema",
        "loss",
        "seed",
      ],
      ...["phantoms", "synthetic", "regions", "placements", "users", "cache"],
      ...["clicks", "boxes", "masks", "styles", "carry", "threads"],
      "max-voxels",
      "most",
      ...["samples", "iterations"],
    ],
    repeated: ["average", "data", "images"],
    flags: ["parts"],
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
    samples: line.integer("samples", d.samples, { min: 0, max: 1e6 }),
    iterations: line.integer("iterations", d.iterations, count),
    learningRate: readNumber(line, "rate", d.learningRate, 1),
    warmUp: line.integer("warm-up", d.warmUp, { min: 0, max: 1e9 }),
    schedule: line.oneOf("schedule", ["cosine", "constant"], d.schedule),
    averageDecay: readNumber(line, "ema", d.averageDecay, 0.999999),
    phantomShare: readNumber(line, "phantoms", d.phantomShare, 1),
    syntheticShare: readNumber(line, "synthetic", d.syntheticShare, 1),
    regionShare: readNumber(line, "regions", d.regionShare, 1),
    placements: line.integer("placements", d.placements, { min: 0, max: 1e6 }),
    clickShare: readNumber(line, "clicks", d.clickShare, 1),
    boxShare: readNumber(line, "boxes", d.boxShare, 1),
    maskShare: readNumber(line, "masks", d.maskShare, 1),
    usersPerImage: line.integer("users", d.usersPerImage, count),
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

/** The targets of an image: itself, or the parts of its one mask. */
function targetsOf(item: TrainingCase, parts: boolean): TrainingCase[] {
  if (!parts || item.masks.length !== 1) return [item];
  const found = connectedParts(item.masks[0], { least: LEAST_PART });
  return found.length > 1
    ? found.map((mask) => ({ ...item, masks: [mask] }))
    : [item];
}

/** Reads into memory the cases of which one of the wanted raters marked something. */
async function readCases(
  { cases, anonymous }: Dataset,
  wanted: (rater: string) => boolean,
  parts: boolean,
): Promise<TrainingCase[]> {
  const marked: TrainingCase[] = [];
  for (const item of cases) { // one at a time: a large scan is in memory once
    const names = item.raters.filter(wanted);
    const masks = [];
    for (const rater of names) masks.push(await item.readMask(rater));
    if (!isMarked({ masks })) continue;
    const image = await item.readImage();
    const raters = anonymous ? undefined : names;
    marked.push(...targetsOf({ image, masks, raters }, parts));
  }
  return marked;
}

/** An image's name. */
const IMAGE = /\.(png|jpe?g|tiff?|nii|nii\.gz|dcm|npy|npz)$/i;

/** Reads the images of a folder and those below it, as cases without masks. */
async function readImages(folder: string): Promise<TrainingCase[]> {
  const found: TrainingCase[] = [];
  for (const name of await listFolder(folder)) {
    const path = join(folder, name);
    if (await isFolder(path)) {
      found.push(...await readImages(path));
    } else if (IMAGE.test(name)) {
      const image = await readImage(path);
      found.push({ image, masks: [], set: folder });
    }
  }
  return found;
}

/** At most so many of a list, taken evenly. */
function atMost<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  const step = list.length / most;
  return Array.from({ length: most }, (_, k) => list[Math.floor(k * step)]);
}

/** The cases of every `--data` by the raters to learn from. */
async function readDatasets(line: CommandLine) {
  const include = readRaters(line, "include");
  const exclude = readRaters(line, "exclude");
  const wanted = (rater: string) =>
    (include?.includes(rater) ?? true) && !exclude?.includes(rater);
  const most = line.integer("most", Infinity, { min: 1, max: 1e9 });
  const cases: TrainingCase[] = [];
  const names: string[] = [];
  for (const { folder, dataset } of await openCases(line, "train")) {
    const read = await readCases(
      { ...dataset, cases: [...atMost(dataset.cases, most)] },
      wanted,
      line.has("parts"),
    );
    const marked = read.map((item) => ({ ...item, set: folder }));
    if (marked.length === 0) {
      throw line.refuse(
        `a case of ${folder} must have a mask that is not empty`,
        "none",
      );
    }
    cases.push(...marked);
    const { name } = dataset;
    names.push(names.includes(name) ? `${name} (${basename(folder)})` : name);
  }
  const raters = (include ? `, raters ${include.join(", ")}` : "") +
    (exclude ? `, without raters ${exclude.join(", ")}` : "");
  return { cases, name: names.join("; ") + raters };
}

/** The cases of `--data` and `--images`, and what to call them. */
export async function readData(
  line: CommandLine,
): Promise<{ cases: TrainingCase[]; name: string }> {
  const { cases, name } = await readDatasets(line);
  const names = cases.length > 0 ? [name] : [];
  for (const folder of line.texts("images")) {
    const images = await readImages(folder);
    if (images.length === 0) {
      throw line.refuse("--images must have images", folder);
    }
    cases.push(...images);
    names.push(`images of ${basename(folder)}`);
  }
  return { cases, name: names.join("; ") || "phantoms" };
}
