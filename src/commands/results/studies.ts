/** The runs of `train` and `evaluate` that the results are made of. */

import { digest } from "../../digest.ts";

/** One run of `evaluate`. */
export interface Study {
  /** Its name, and that of its record. */
  readonly id: string;
  /** The data sets, below the folder of all; `FAMILIES` are made for it. */
  readonly data: readonly string[];
  /** A quick run takes every n-th case; this is n. A full run takes all. */
  readonly every: number;
  /** Further arguments of `evaluate`. */
  readonly args: readonly string[];
  /** The weights it is about: shipped ones, or a training. Default: "tiny". */
  readonly model?: string;
}

/** A network that is trained for studies, beside the shipped ones. */
export interface Training {
  /** Its name. */
  readonly id: string;
  /** What it begins with: shipped weights or a training. Absent: random weights. */
  readonly from?: string;
  /** Arguments of `train`. */
  readonly args: readonly string[];
  /** The data sets. Default: those of Table 1. */
  readonly data?: readonly string[];
}

/** What `small` never saw, and how it is adapted to that by twenty cases. */
const QUBIQ = "qubiq/brain-growth";
const ADAPT = ["--adapt", "--most", "20"];

/**
 * Single cells. Their raters are persons, known by number, each with a tool.
 */
const CELLS = [
  ...["bubil/rat_smc", "bubil/rabbit_smc_a", "bubil/rabbit_smc_b"],
  "bubil/fibroblast",
];

/** Sets of cells in which one number always means one person. */
const PERSONS = ["bubil/rat_smc", "bubil/rabbit_smc_a", "bubil/fibroblast"];

/** Nested answers drawn on validation images, which are made for the studies. */
export const FAMILIES = "families";

/**
 * The arguments of the command `families` that makes them.
 *
 * @param root The folder of the data sets.
 */
export function familiesArguments(root: string): string[] {
  const sets = [QUBIQ, "usgra/nerve", "usgra/vessel", "hippocampus"];
  return [...sets, ...PERSONS]
    .flatMap((folder) => ["--data", `${root}/${folder}`]);
}

/** All nodules of validation: a fourth of them said 0.02 more is lost. */
const lidc = (id: string, ...args: string[]): Study => ({
  id: `lidc-${id}`,
  data: ["lidc_crops"],
  every: 1,
  args,
});

/** Four variants of each user: a fourth of the nodules. */
const ablation = (id: string, ...args: string[]): Study => ({
  ...lidc(id, "--ablation", "--region", "whole", ...args),
  every: 4,
});

const given = ["--region", "given"];

/**
 * Profiles carried over images. The regions are given, so that only the profile
 * differs.
 */
const habits: Study = {
  id: "habits",
  data: PERSONS,
  every: 1,
  args: ["--carry", "--iterations", "2", ...given],
  model: "small",
};

/** Users who want a part, an object or a whole, and what an update gives them. */
const nested: readonly Study[] = [
  ["nested", 1, "--carry", "--iterations", "2", "--samples-metrics"] as const,
  ["nested-ablation", 3, "--ablation", "--iterations", "3"] as const,
].map(([id, every, ...args]) => ({
  ...{ id, every, model: "small", data: [FAMILIES] },
  args: ["--region", "whole", ...args],
}));

/** Users who have some of the raters in mind, on the same images. */
const minds = (id: string, raters: string): Study => ({
  id: `minds-${id}`,
  data: PERSONS,
  every: 1,
  args: [...given, "--include", raters],
  model: "small",
});

/** The region is found, in crops as well, which are else looked at as a whole. */
const found = ["--region", "auto"];

/** Data sets by kind, with one click on a whole image. */
const KINDS: readonly Study[] = [
  { id: "lidc", data: ["lidc_crops"], every: 8, args: [] },
  { id: "cells", data: CELLS, every: 4, args: [] },
  { id: "nerves", data: ["usgra/nerve"], every: 2, args: ["--parts"] },
  { id: "vessels", data: ["usgra/vessel"], every: 2, args: ["--parts"] },
  { id: "hippocampus", data: ["hippocampus"], every: 24, args: [] },
  { id: "qubiq", data: [QUBIQ], every: 2, args: [] },
];

/**
 * The same for each of the shipped weights, where the region is given, and for
 * the ways of interaction that came before: clicks at errors, and a box.
 */
const kinds = KINDS.flatMap(({ id, args, ...rest }): Study[] => [
  ...[
    { id: `small-${id}`, more: found },
    { id: `small-${id}-given`, more: [...given, "--samples-metrics"] },
    { id: `small-${id}-click`, more: [...found, "--user", "click"] },
    { id: `small-${id}-box`, more: [...found, "--box", "--user", "click"] },
  ].map(({ id, more }): Study => ({
    ...rest,
    id,
    args: [...args, ...more],
    model: "small",
  })),
  { ...rest, id: `tiny-${id}`, args: [...args, ...found] },
]);

/** More of each kind than the ways of interaction are compared on. */
const moreTargets = KINDS.map(({ id, args, ...rest }): Study => ({
  ...rest,
  id: `small-${id}-more`,
  every: id === "hippocampus" ? 6 : 1,
  args: [...args, ...found],
  model: "small",
}));

/** What the update of the mixture gives on the other kinds, in given regions. */
const ablations = KINDS.slice(1).flatMap(({ id, args, ...rest }): Study[] =>
  [
    { id: `${id}-ablation`, more: [] },
    { id: `${id}-alone`, more: ["--mixture-only", "--rule", "m-step"] },
  ].map(({ id, more }) => ({
    ...rest,
    id,
    args: [...args, ...given, "--ablation", "--iterations", "3", ...more],
    model: "small",
  }))
);

/** Where `small` looks on the LIDC crops, beside its rows among the kinds. */
const places = [
  { id: "small-lidc-pad512", more: ["--pad", "512"] },
  { id: "small-lidc-shifted", more: [...given, "--shift", "0.25"] },
  { id: "small-lidc-mixed", more: [...found, "--user", "mixed"] },
].map(({ id, more }): Study => ({
  ...KINDS[0],
  id,
  args: more,
  model: "small",
}));

/** The sets that the methods are compared on, as far as they are trained on. */
const TRAINED_ON = [
  ...["lidc_crops", "lidc_more", ...CELLS],
  ...["usgra/nerve", "usgra/vessel", "hippocampus"],
];

/** A training of a method, with the averaging that suits its length. */
const trained = (
  id: string,
  { method = id, from, steps, rate, more = [] }: {
    readonly method?: string;
    readonly from?: string;
    readonly steps: number;
    readonly rate: string;
    readonly more?: readonly string[];
  },
): Training => ({
  id,
  from,
  args: [
    ...["--method", method, "--steps", `${steps}`, "--rate", rate],
    ...(steps > 200
      ? ["--warm-up", "50", "--ema", "0.99"]
      : ["--warm-up", "10", "--ema", "0.95"]),
    ...["--phantoms", "0.1", "--regions", "1", "--most", "150", "--parts"],
    ...["--seed", "1", ...more],
  ],
});

const clicks = ["--iterations", "4"];

/** The methods of the paper's Table 1, all on the same images and regions. */
export const TRAININGS: readonly Training[] = [
  ...[
    { id: "spa", more: [...clicks, "--clicks", "0.3"] },
    { id: "click", more: clicks },
    { id: "adapter", more: clicks },
    { id: "box" },
  ].map(({ id, ...rest }) =>
    trained(id, { from: "tiny", steps: 600, rate: "6e-4", ...rest })
  ),
  trained("unet", { steps: 1500, rate: "1.5e-3" }),
  trained("trans-unet", { steps: 1500, rate: "1e-3" }),
  trained("swin-unet", { steps: 1500, rate: "1e-3" }),
  trained("ensemble", { steps: 700, rate: "1.5e-3" }),
  ...["label-sampling", "multi-head", "probabilistic-unet", "mrnet"]
    .map((id) => trained(id, { from: "unet", steps: 600, rate: "1e-3" })),
  trained("box-small", {
    method: "box",
    from: "small",
    steps: 100,
    rate: "6e-4",
    more: ["--batch", "6"],
  }),
  { id: "adapted", from: "small", args: ADAPT, data: [QUBIQ] },
];

/** A row of Table 1. */
interface Row {
  readonly name: string;
  /** Of its studies. */
  readonly id: string;
  /** The weights, where they are not of the same name. */
  readonly model?: string;
  /** Further arguments of `evaluate`. */
  readonly args?: readonly string[];
}

const samU = ["--method", "sam-u"];

/** The rows of Table 1. */
const METHODS: readonly Row[] = [
  { name: "U-Net", id: "unet" },
  { name: "TransUNet", id: "trans-unet" },
  { name: "Swin-Unet", id: "swin-unet" },
  { name: "ensemble", id: "ensemble" },
  { name: "probabilistic U-Net", id: "probabilistic-unet" },
  { name: "label sampling", id: "label-sampling" },
  { name: "multi-head", id: "multi-head" },
  { name: "MRNet-style", id: "mrnet" },
  { name: "SAM, clicks", id: "click" },
  { name: "MedSAM, box", id: "box" },
  { name: "adapters, clicks", id: "adapter" },
  { name: "SAM-U", id: "sam-u", model: "box", args: samU },
  { name: "SPA", id: "spa" },
  { name: "MedSAM, box, on LiteMedSAM", id: "box-small" },
  {
    ...{ name: "SAM-U on LiteMedSAM", id: "sam-u-small" },
    ...{ model: "box-small", args: samU },
  },
];

/** The study of one row and one kind of image. */
const compared = METHODS.flatMap(({ name, id, model = id, args = [] }) =>
  KINDS.map((kind): Study & { name: string; kind: string } => ({
    ...kind,
    id: `table-${id}-${kind.id}`,
    args: [...kind.args, ...args, ...given, "--samples-metrics"],
    model,
    name,
    kind: kind.id,
  }))
);

/** By kind of image, the studies of Table 1 by the method's name. */
export function tableOf(kind: string): Record<string, string> {
  const rows = compared.filter((study) => study.kind === kind)
    .map(({ name, id }) => [name, id]);
  return {
    ...Object.fromEntries(rows),
    "SPA on LiteMedSAM (`small`)": `small-${kind}-given`,
  };
}

/** All of them, in the order in which they are run. */
export const STUDIES: readonly Study[] = [
  lidc("whole", "--region", "whole"),
  lidc("auto", "--region", "auto"),
  lidc("pad512", "--pad", "512"),
  lidc("pad1024", "--pad", "1024"),
  lidc("given", ...given),
  lidc("shifted", ...given, "--shift", "0.25"),
  lidc("click", "--user", "click"),
  lidc("mixed", "--user", "mixed"),
  lidc("box", "--box"),
  lidc("box-click", "--box", "--user", "click"),
  lidc("mask", "--start-mask"),
  ...[["auto"], ["given", ...given]].flatMap(([way, ...args]): Study[] => [
    { id: `cells-${way}`, data: CELLS, every: 4, args },
    {
      id: `ultrasound-${way}`,
      data: ["usgra/nerve", "usgra/vessel"],
      every: 3,
      args: ["--parts", ...args],
    },
    { id: `hippocampus-${way}`, data: ["hippocampus"], every: 12, args },
  ]),
  habits,
  minds("generous", "5"),
  minds("strict", "6"),
  minds("four", "1,2,3,4"),
  ablation("ablation"),
  ablation("few", "--samples", "8"),
  ablation("alone", "--mixture-only", "--rule", "m-step"),
  ...nested,
  ...kinds,
  ...moreTargets,
  { ...KINDS.at(-1)!, id: "adapted-qubiq", args: found, model: "adapted" },
  ...places,
  ...compared,
  ...ablations,
];

/**
 * The name of a study's record; a record of every n-th case has another name.
 */
export function recordName({ id, every }: Study, full: boolean): string {
  return full || every === 1 ? id : `${id}.every${every}`;
}

/** Weights by name: the digest of those there are. */
export type KnownWeights = Readonly<Record<string, string | undefined>>;

/** The weights that are shipped. */
const SHIPPED = ["tiny", "small"];

/**
 * The name of a training's file, which tells what it was trained from.
 *
 * @returns Undefined for shipped weights, which have no such file.
 */
export function trainedName(
  id: string,
  weights: KnownWeights,
): string | undefined {
  const training = TRAININGS.find((training) => training.id === id);
  if (!training) return undefined;
  const { from, args, data } = training;
  const origin = from && (trainedName(from, weights) ?? weights[from]);
  const known = JSON.stringify([args, origin, data]);
  return `${id}-${digest([known])}.safetensors`;
}

/** What is told of a file that is made: its name alone. */
const shownFile = (id: string) => id === FAMILIES ? id : `${id}.safetensors`;

/** The file of weights, or the name of those that are shipped. */
const weightsFile = (id: string, fileOf: typeof shownFile) =>
  SHIPPED.includes(id) ? id : fileOf(id);

/**
 * The arguments of `train` for a training.
 *
 * @param root The folder of the data sets.
 * @param fileOf The file of what is made.
 */
export function trainingArguments(
  { from, args, data = TRAINED_ON }: Training,
  root: string,
  fileOf = shownFile,
): string[] {
  return [
    ...data.flatMap((folder) => ["--data", `${root}/${folder}`]),
    ...args,
    ...(from ? ["--init", weightsFile(from, fileOf)] : []),
  ];
}

/** The arguments of `evaluate` for a study; the others are those of a training. */
export function argumentsOf(
  { data, every, args, model }: Study,
  root: string,
  full: boolean,
  fileOf = shownFile,
): string[] {
  return [
    ...data.flatMap((folder) => [
      "--data",
      folder === FAMILIES ? fileOf(FAMILIES) : `${root}/${folder}`,
    ]),
    ...(full || every === 1 ? [] : ["--every", `${every}`]),
    ...(model ? ["--model", weightsFile(model, fileOf)] : []),
    ...args,
  ];
}

/** The digest of the weights that a study is about. */
export function weightsOf(
  { model = "tiny" }: Study,
  weights: KnownWeights,
): string | undefined {
  return weights[model];
}
