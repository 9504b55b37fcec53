/** The options of `deno task train`. */

import { basename, join } from "node:path";
import { connectedParts } from "../../arrays/clean_mask.ts";
import { METHODS } from "../../baselines/methods.ts";
import {
  type Command,
  type CommandLine,
  PROVIDER,
  SEEDS,
  THREADS,
} from "../command_line.ts";
import {
  DATA_OPTIONS,
  openCases,
  PARTS,
  readRaters,
} from "../command_cases.ts";
import { isFolder, listFolder } from "../../datasets/_file_case.ts";
import type { Case, Dataset } from "../../datasets/dataset.ts";
import { LEAST_PART } from "../../evaluation/targets.ts";
import { readImage } from "../../formats/read_image.ts";
import {
  adaptationRecipe,
  checkRecipe,
  defaultRecipe,
  type Recipe,
} from "../../training/recipe.ts";
import {
  isMarked,
  type TrainingCase,
  withNeighbors,
} from "../../training/training_case.ts";

const d = defaultRecipe;

/** The recipe's counts by their options. */
const COUNTS = {
  steps: "steps",
  batch: "batch",
  samples: "samples",
  iterations: "iterations",
  "warm-up": "warmUp",
  placements: "placements",
  users: "usersPerImage",
  seed: "seed",
} as const;

/** The recipe's other figures by their options, and their largest values. */
const FIGURES = {
  rate: ["learningRate", 1],
  ema: ["averageDecay", 0.999999],
  phantoms: ["phantomShare", 1],
  synthetic: ["syntheticShare", 1],
  regions: ["regionShare", 1],
  clicks: ["clickShare", 1],
  boxes: ["boxShare", 1],
  masks: ["maskShare", 1],
  neighbors: ["neighborShare", 1],
  styles: ["styleShare", 1],
  carry: ["carryShare", 1],
} as const;

/** Where a recipe departs from the default one, as the words of its options. */
function departures(recipe: Recipe): string {
  const keys: [string, keyof Recipe][] = [
    ...Object.entries(COUNTS),
    ...Object.entries(FIGURES).map((
      [name, [key]],
    ): [string, keyof Recipe] => [name, key]),
  ];
  return keys.filter(([, key]) => recipe[key] !== d[key])
    .map(([name, key]) => `--${name} ${recipe[key]}`).join(" ");
}

/** Bounds of counts that are at least 1. */
const COUNT = { value: "N", min: 1, max: 1e9 } as const;

/** The methods that `--method` names. */
const METHOD_NAMES = ["spa", ...Object.keys(METHODS)];

/** The presets that are trained. */
const NETWORKS = ["tiny", "small"] as const;

/** One of them. */
export type Network = typeof NETWORKS[number];

/** `deno task train` itself. */
export const TRAIN: Command = {
  action: "train",
  usage: [
    "deno task train [options]",
    "deno task train curve FILE.csv ... [options]",
  ],
  about:
    "Trains a network, or a baseline, on phantoms and on cases: simulated users click, pick the nearest candidate, and leave. curve draws the learning curves of --log, of one run or of several.",
  options: {
    "Cases": {
      ...DATA_OPTIONS,
      data: {
        ...DATA_OPTIONS.data,
        help:
          `cases to train on, besides phantoms: ${DATA_OPTIONS.data.help}; a set is drawn as often as the square root of its size`,
      },
      images: {
        value: "FOLDER",
        repeated: true,
        help: "images without masks, for synthetic targets alone",
      },
      most: {
        ...COUNT,
        shown: "all",
        help: "the largest number of cases of each set, taken evenly",
      },
      parts: { help: `${PARTS.help}, where a case has one rater` },
      include: { value: "A,B,..", shown: "all", help: "raters to learn from" },
      exclude: {
        value: "A,B,..",
        shown: "none",
        help: "raters not to learn from",
      },
    },
    "What is trained": {
      method: { words: METHOD_NAMES, default: "spa", help: "the method" },
      init: {
        value: "FILE",
        help: "model to start from; random weights by default",
      },
      preset: {
        words: NETWORKS,
        shown: "that of --init, else tiny",
        help:
          "the network; small begins with a LiteMedSAM checkpoint as --init, takes its image encoder and draws the rest afresh",
      },
      average: {
        value: "FILE",
        repeated: true,
        help:
          "a model whose weights are averaged with the trained ones (a model soup); of spa only",
      },
    },
    "Recipe": {
      adapt: {
        help: `short, to go on from --init by about 20 cases of your own: as ${
          departures(adaptationRecipe)
        }`,
      },
      steps: { ...COUNT, default: d.steps, help: "steps in all" },
      batch: { ...COUNT, default: d.batch, help: "users in a batch" },
      rate: {
        value: "X",
        default: d.learningRate,
        help: "largest learning rate",
      },
      "warm-up": {
        ...{ value: "N", min: 0, max: 1e9, default: d.warmUp },
        help: "steps over which the learning rate rises from near 0",
      },
      schedule: {
        words: ["cosine", "constant"],
        default: d.schedule,
        help: "how the learning rate falls: as a cosine to 2 %, or not",
      },
      ema: {
        value: "X",
        default: d.averageDecay,
        help: "decay of the weights' moving average, 0: none",
      },
      loss: {
        words: ["marginal", "paper"],
        default: "marginal",
        help: "the loss",
      },
      dice: {
        value: "X",
        default: d.loss.dice,
        help: "weight of (1 - soft Dice) in the marginal loss, 0..10",
      },
      samples: {
        ...{ value: "N", min: 0, max: 1e6, default: d.samples },
        help:
          "samples of a user in a step, of components drawn at random; 0: one of every component",
      },
      iterations: {
        ...COUNT,
        default: d.iterations,
        help: "iterations until a user leaves",
      },
      phantoms: {
        value: "X",
        default: d.phantomShare,
        help: "share of phantoms, 0..1",
      },
      synthetic: {
        value: "X",
        default: d.syntheticShare,
        help:
          "share of the other images with synthetic targets: nested pieces of a segmentation",
      },
      regions: {
        value: "X",
        default: d.regionShare,
        help:
          "share of images that show a region around the object, of random scale and shift",
      },
      placements: {
        ...{ value: "N", min: 0, max: 1e6, default: d.placements },
        help: "number of regions of each image; 0: always new ones",
      },
      clicks: {
        value: "X",
        default: d.clickShare,
        help: "chance that a user clicks at an error instead of picking",
      },
      boxes: {
        value: "X",
        default: d.boxShare,
        help: "share of users who start with a box",
      },
      masks: {
        value: "X",
        default: d.maskShare,
        help: "share of users who start with a mask",
      },
      neighbors: {
        value: "X",
        default: d.neighborShare,
        help:
          "share of users of a volume's slice who start with the mask of a slice beside it",
      },
      users: {
        ...COUNT,
        default: d.usersPerImage,
        help: "users of each image",
      },
      styles: {
        value: "X",
        default: d.styleShare,
        help: "share of users with a style of their own",
      },
      carry: {
        value: "X",
        default: d.carryShare,
        help:
          "share of users who go on to the next image with their profile, where a rater is known by name",
      },
      seed: { ...SEEDS, default: d.seed, help: "seed" },
    },
    "Run and files": {
      threads: THREADS,
      provider: PROVIDER,
      out: {
        value: "FILE",
        default: "model.safetensors",
        help: "file for the weights",
      },
      checkpoint: {
        value: "FILE",
        shown: "OUT.checkpoint",
        help: "state to resume from",
      },
      "checkpoint-seconds": {
        value: "X",
        default: 60,
        help: "seconds between checkpoints; 0: after every step",
      },
      cache: {
        value: "FOLDER",
        shown: "a temporary one",
        help:
          "folder for the features of images by a frozen encoder, for this run and later ones; with --placements",
      },
      log: {
        value: "FILE.csv",
        help:
          "the learning curve: loss, and by iteration Dice, that of the best candidate and sample spread; grows with the run",
      },
      note: {
        value: "TEXT",
        help: "text for the weights' metadata: data, license",
      },
    },
  },
};

/** A number of the command line, 0 to `max`. */
function readNumber(line: CommandLine, name: string, max: number): number {
  const text = line.text<string>(name);
  const [value] = line.numbers(name, text, "X");
  if (value >= 0 && value <= max) return value;
  throw line.refuse(`--${name} must be within 0..${max}`, text);
}

/** The recipe that the command line asks for. */
export function readRecipe(line: CommandLine): Recipe {
  const base = line.has("adapt") ? adaptationRecipe : d;
  const given: Partial<Record<keyof Recipe, number>> = {};
  for (const [name, key] of Object.entries(COUNTS)) {
    if (line.has(name)) given[key] = line.integer(name);
  }
  for (const [name, [key, max]] of Object.entries(FIGURES)) {
    if (line.has(name)) given[key] = readNumber(line, name, max);
  }
  const recipe: Recipe = {
    ...base,
    ...given,
    schedule: line.oneOf("schedule", ["cosine", "constant"]),
    loss: {
      ...base.loss,
      kind: line.oneOf("loss", ["marginal", "paper"]),
      ...(line.has("dice") && { dice: readNumber(line, "dice", 10) }),
    },
  };
  checkRecipe(recipe); // before the data are read
  return recipe;
}

/** Seconds between checkpoints. */
export function readCheckpointSeconds(line: CommandLine): number {
  return readNumber(line, "checkpoint-seconds", 86400);
}

/** What is trained: "spa", or a baseline. */
export function readMethod(line: CommandLine): string {
  const method = line.oneOf("method", METHOD_NAMES);
  if (method !== "spa" && line.has("average")) {
    throw line.refuse("--average must come with spa", method);
  }
  return method;
}

/** The preset that is asked for, if any; of SPA alone. */
export function readPreset(
  line: CommandLine,
  method: string,
): Network | undefined {
  if (!line.has("preset")) return undefined;
  const preset = line.oneOf("preset", NETWORKS);
  if (method !== "spa") {
    throw line.refuse("--preset must come with spa", method);
  }
  if (preset === "small" && !line.has("init")) {
    throw line.refuse(
      "--preset small must come with --init, as its image encoder is not trained",
      "none",
    );
  }
  return preset;
}

/** The targets of an image: itself, or the parts of its one mask. */
function targetsOf(item: TrainingCase, parts: boolean): TrainingCase[] {
  if (!parts || item.masks.length !== 1) return [item];
  const found = connectedParts(item.masks[0], { least: LEAST_PART });
  return found.length > 1
    ? found.map((mask) => ({ ...item, masks: [mask] }))
    : [item];
}

/**
 * Reads into memory the cases in which one of the wanted raters marked
 * something.
 */
async function readCases(
  { cases, anonymous }: Dataset,
  wanted: (rater: string) => boolean,
  parts: boolean,
): Promise<TrainingCase[]> {
  const marked: { item: TrainingCase; slice: Case["slice"] }[] = [];
  for (const item of cases) { // one at a time: a large scan is in memory once
    const names = item.raters.filter(wanted);
    const masks = [];
    for (const rater of names) masks.push(await item.readMask(rater));
    if (!isMarked({ masks })) continue;
    const image = await item.readImage();
    const raters = anonymous ? undefined : names;
    const targets = targetsOf({ image, masks, raters }, parts);
    // which part goes on in the slice beside is not known
    const slice = targets.length === 1 ? item.slice : undefined;
    marked.push(...targets.map((item) => ({ item, slice })));
  }
  return withNeighbors(marked);
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
  const most = line.integer("most", Infinity);
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

/** The cases of `--data` and `--images`, and their name. */
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
