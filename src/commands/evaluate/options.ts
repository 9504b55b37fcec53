/** The options of `deno task evaluate`. */

import {
  type Baseline,
  loadBaseline,
  methodOfFile,
} from "../../baselines/baseline.ts";
import { METHODS } from "../../baselines/methods.ts";
import {
  CANDIDATES,
  type Command,
  type CommandLine,
  ENGINE,
  MODEL,
  type Option,
  type Options,
  SAMPLES,
  SEEDS,
  SPLITS,
  THREADS,
} from "../command_line.ts";
import { type Dataset, joinDatasets } from "../../datasets/dataset.ts";
import {
  DATA_OPTIONS,
  openCases,
  PARTS,
  readRaters,
} from "../command_cases.ts";
import { padCases } from "../../evaluation/pad_cases.ts";
import { checkTarget } from "../../files.ts";
import type { Shard } from "./run.ts";
import type {
  Settings,
  Tables,
  VariantName,
} from "../../evaluation/saved_evaluation.ts";

/** The users that `--user` names. */
const USERS = ["nearest", "noisy", "random", "click", "mixed"] as const;

/** Where the network looks, as `--region` names it. */
const REGIONS = ["auto", "whole", "given"] as const;

/** What a choice moves, as `--update` names it. */
const UPDATES = ["both", "moments", "weights", "none"] as const;

/** The rules that `--rule` names. */
const RULES = ["generator", "m-step"] as const;

/** The methods that `--method` names. */
const METHOD_NAMES = ["spa", ...Object.keys(METHODS)];

/** Dice to which iterations are counted. */
const TARGETS: Option = {
  value: "A,B,..",
  default: "0.75,0.8,0.85,0.9",
  help: "Dice to count the iterations to, 0..1",
};

/** The options that choose cases. */
const CASES: Options = {
  ...DATA_OPTIONS,
  split: {
    words: SPLITS,
    default: "val",
    help: "split, where the folder has splits",
  },
  every: {
    value: "N",
    min: 1,
    max: 1e6,
    default: 1,
    help: "every N-th case only, for a quick look",
  },
};

/** `deno task evaluate` itself. */
export const EVALUATE: Command = {
  action: "evaluate",
  usage: [
    "deno task evaluate --data FOLDER [options]",
    "deno task evaluate --volumes [options]",
    "deno task evaluate merge FILE.json ... [options]",
    "deno task evaluate compare FILE.json FILE.json ... [options]",
    "deno task evaluate agreement --data FOLDER [options]",
  ],
  about:
    `Every rater of every case in turn is the user: one random click inside the mask, then the nearest candidate again and again. The network finds the region to look at, as for any user. Prints all tables that the results hold: Dice, IoU and HD95 (mm where the pixels' size is known) by iteration, by data set where there are several, what each interaction gave, where the network looked, iterations to a Dice, Dice with each rater.

merge joins the parts of an evaluation, or those of one --include RATER each, by models of their own, or of different variants; of one whole evaluation it makes the tables again, with other --targets, or figures. compare tests the differences between several (methods, models) on the same cases. agreement tells how the raters agree with one another, without any method. --volumes aligns whole volumes. Each has --help.`,
  options: {
    "Tables": {
      ablation: {
        help:
          "compares what a choice may move: none, moments, weights and both, and their differences",
      },
      targets: TARGETS,
      carry: {
        help:
          "a user's profile starts the next image: without, with, and with the next rater's; for data whose raters are known",
      },
      "samples-metrics": {
        help: "how the first samples cover the raters' masks",
      },
    },
    "Cases and users": {
      ...CASES,
      include: {
        value: "A,B,..",
        shown: "each in turn",
        help:
          "the user wants these raters' majority (at least half of them); one rater: that one only",
      },
      parts: PARTS,
      user: {
        words: USERS,
        default: "nearest",
        help:
          "noisy picks at random once in five choices; click clicks at the center of the largest error; mixed does what gives more, a pick or a click",
      },
      box: {
        help: "the user starts with a box, its edges off by up to a tenth",
      },
      "start-mask": {
        help: "the user starts with a mask that is nearly right",
      },
      region: {
        words: REGIONS,
        shown: "auto; whole of data that are crops",
        help:
          "where the network looks: auto finds the object from the user's first prompt; whole is the whole image; given is the square three times as long as the target",
      },
      shift: {
        value: "X",
        min: 0,
        max: 0.5,
        default: 0,
        help: "moves a given region by X of its side in both directions",
      },
      doubt: {
        value: "X",
        min: 0,
        max: 3,
        shown: "0.58 where one click told the size, else 0",
        help:
          "octaves by which the region's side may be off: the first proposal shows what longer and shorter squares show as well",
      },
      pad: {
        value: "N",
        min: 1,
        max: 16384,
        help:
          "places each image at random in a canvas of N x N, with its reflections around it",
      },
    },
    "Method": {
      model: {
        ...MODEL,
        help: `${MODEL.help}, or a baseline's`,
      },
      method: {
        words: METHOD_NAMES,
        shown: "the file's",
        help:
          "another method for the same weights, such as sam-u for those of box",
      },
      update: {
        words: UPDATES,
        default: "both",
        help: "the parts that a choice moves",
      },
      rule: {
        words: RULES,
        default: "generator",
        help: "rule of the update; m-step needs no training",
      },
      "mixture-only": {
        help:
          "only the mixture carries a choice: the decoder does not get it, and it neither keeps nor weighs samples",
      },
      iterations: {
        value: "N",
        min: 1,
        max: 60,
        default: 6,
        help: "proposals",
      },
      samples: SAMPLES,
      variations: {
        value: "N",
        min: 0,
        max: 1024,
        shown: "--samples",
        help: "variations of the samples; 0: none",
      },
      candidates: CANDIDATES,
      seed: { ...SEEDS, default: 0, help: "seed of clicks, samples and users" },
      engine: ENGINE,
      threads: THREADS,
    },
    "Files": {
      out: {
        value: "FILE",
        repeated: true,
        help:
          ".json: everything, written after every case; the same command again goes on where it was killed. .csv: a row per target and iteration. .md: the tables. .html: figures and tables. .svg, .png: the figures",
      },
      shard: {
        value: "I/N",
        help: "the I-th of N parts, into --out FILE.json; then merge",
      },
      record: {
        value: "FILE",
        help: "writes the model with these figures in its metadata",
      },
    },
  },
};

/** The `--out` of the commands that read results. */
const REPORT_OUT: Option = {
  value: "FILE",
  repeated: true,
  help:
    ".csv: a row per target and iteration. .md: the tables. .html: figures and tables. .svg, .png: the figures",
};

/** `deno task evaluate merge`. */
export const MERGE: Command = {
  action: "merge",
  usage: ["deno task evaluate merge FILE.json ... [options]"],
  about:
    "Joins the shards of an evaluation, or evaluations of one included rater each, and reports them as if they had been one run. From one whole evaluation it makes other tables, or figures.",
  options: {
    "": {
      targets: TARGETS,
      out: { ...REPORT_OUT, help: `.json: everything. ${REPORT_OUT.help}` },
    },
  },
  files: true,
};

/** `deno task evaluate compare`. */
export const COMPARE: Command = {
  action: "compare",
  usage: ["deno task evaluate compare FILE.json FILE.json ... [options]"],
  about:
    "Tests the differences between several methods or models on the same cases: Dice by iteration, IoU and HD95, paired differences at the first and the last iteration, seconds per iteration.",
  options: { "": { targets: TARGETS, out: REPORT_OUT } },
  files: true,
};

/** `deno task evaluate agreement`. */
export const AGREEMENT: Command = {
  action: "compare the raters",
  usage: ["deno task evaluate agreement --data FOLDER [options]"],
  about: "Shows how the raters of a data set agree with one another.",
  options: { "": CASES },
};

/**
 * The settings that decide the figures, without the model. The region is among
 * them only where one is given; otherwise it depends on the data.
 */
export function readSettings(
  line: CommandLine,
): Omit<Settings, "model" | "region"> & Partial<Pick<Settings, "region">> {
  const update = line.oneOf("update", UPDATES);
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
    ? ["both", "carried", "wrong"]
    : [update];
  const samples = line.integer("samples");
  const starts = ["box", "start-mask"].filter((name) => line.has(name));
  if (starts.length > 1) {
    throw line.refuse(
      "only one of --box and --start-mask must be given",
      "--box, --start-mask",
    );
  }
  if (line.has("shift") && line.text("region") !== "given") {
    throw line.refuse(
      "--shift must come with --region given",
      line.text("region") ?? "no --region",
    );
  }
  return {
    iterations: line.integer("iterations"),
    samples,
    variations: line.integer("variations", samples),
    candidates: line.integer("candidates"),
    seed: line.integer("seed"),
    user: line.oneOf("user", USERS),
    beginning: line.has("box")
      ? "box"
      : line.has("start-mask")
      ? "mask"
      : "click",
    ...(line.has("region") && { region: line.oneOf("region", REGIONS) }),
    ...(line.has("shift") && { shift: line.number("shift") }),
    ...(line.has("doubt") && { doubt: line.number("doubt") }),
    ...(line.has("pad") && { pad: line.integer("pad") }),
    ...(line.has("parts") && { parts: true }),
    rule: line.oneOf("rule", RULES),
    ...(line.has("mixture-only") && { mixtureOnly: true }),
    variants,
    include: readRaters(line, "include"),
    sampleSet: line.has("samples-metrics"),
  };
}

/** The tables that are asked for. */
export function readTables(line: CommandLine): Tables {
  const text = line.text<string>("targets");
  const targets = text.split(",").map(Number);
  if (!targets.every((dice) => dice > 0 && dice <= 1)) {
    throw line.refuse("--targets must be Dice above 0, up to 1", text);
  }
  return { targets };
}

/** The options that only SPA has. */
const SPA_ALONE = [
  ...["ablation", "carry", "update", "rule", "mixture-only", "user"],
  ...["variations", "record", "box", "start-mask", "doubt"],
];

/** The baseline that `--model` holds; undefined where it is a model of SPA. */
export async function readBaseline(
  line: CommandLine,
): Promise<Baseline | undefined> {
  const path = line.text<string>("model");
  const own = await methodOfFile(path);
  const method = line.oneOf("method", METHOD_NAMES, own);
  if (own === "spa" || method === "spa") {
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

/** The files of `--out`, checked before hours of work. */
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

/** The cases to evaluate, of every `--data`. */
export async function readCases(line: CommandLine): Promise<Dataset> {
  const split = line.oneOf("split", SPLITS);
  const every = line.integer("every");
  const seed = line.knows("seed") ? line.integer("seed") : 0;
  const pad = line.knows("pad") && line.has("pad")
    ? line.integer("pad")
    : undefined;
  if (!line.has("data")) throw line.refuse("--data must be given", "none");
  const sets = await openCases(line, split);
  const chosen = sets.map(({ folder, dataset }) => {
    const cases = dataset.cases.filter((_, i) => i % every === 0);
    const some = { ...dataset, cases };
    return {
      folder,
      dataset: pad === undefined ? some : padCases(some, { size: pad, seed }),
    };
  });
  const joined = joinDatasets(chosen);
  if (joined.anonymous && line.knows("carry") && line.has("carry")) {
    throw line.refuse(
      "--carry must have raters who are the same persons in every case",
      `${joined.name}, whose raters are anonymous`,
    );
  }
  return joined;
}
