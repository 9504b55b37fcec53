/** The runs of `evaluate` that the results are made of. */

/** One run of `evaluate`. */
export interface Study {
  /** Its name, and that of its record. */
  readonly id: string;
  /** The data sets, below the folder of all. */
  readonly data: readonly string[];
  /** A quick run takes every n-th case; this is n. A full run takes all. */
  readonly every: number;
  /** Further arguments of `evaluate`. */
  readonly args: readonly string[];
  /** The shipped weights it is about. Default: "tiny". */
  readonly model?: "small";
}

/**
 * Single cells. Their raters are persons, known by number, each with a tool.
 */
const CELLS = [
  ...["bubil/rat_smc", "bubil/rabbit_smc_a", "bubil/rabbit_smc_b"],
  "bubil/fibroblast",
];

/** Sets of cells in which one number always means one person. */
const PERSONS = ["bubil/rat_smc", "bubil/rabbit_smc_a", "bubil/fibroblast"];

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
  { id: "qubiq", data: ["qubiq/brain-growth"], every: 2, args: [] },
];

/**
 * The same for each of the shipped weights, where the region is given, and for
 * the ways of interaction that came before: clicks at errors, and a box.
 */
const kinds = KINDS.flatMap(({ id, args, ...rest }): Study[] => [
  ...[
    { id: `small-${id}`, more: found },
    { id: `small-${id}-given`, more: given },
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
  ...kinds,
  ...places,
];

/**
 * The name of a study's record; a record of every n-th case has another name.
 */
export function recordName({ id, every }: Study, full: boolean): string {
  return full || every === 1 ? id : `${id}.every${every}`;
}

/** The arguments of `evaluate` for a study. */
export function argumentsOf(
  { data, every, args, model }: Study,
  root: string,
  full: boolean,
): string[] {
  return [
    ...data.flatMap((folder) => ["--data", `${root}/${folder}`]),
    ...(full || every === 1 ? [] : ["--every", `${every}`]),
    ...(model ? ["--model", model] : []),
    ...args,
  ];
}

/** The digest of the weights that a study is about. */
export function weightsOf(
  { model }: Study,
  now: { readonly model: string; readonly small?: string },
): string | undefined {
  return model ? now[model] : now.model;
}
