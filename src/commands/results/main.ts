/** `deno task results`; see `--help`. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  readEvaluation,
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { ifThere, writeFileAtomic } from "../../files.ts";
import { fingerprint } from "../../model/fingerprint.ts";
import { loadBaseline, methodOfFile } from "../../baselines/baseline.ts";
import { loadModel } from "../../notebook/load_model.ts";
import {
  type Command,
  CommandLine,
  runCommand,
  THREADS,
} from "../command_line.ts";
import { methodVersion } from "../method_version.ts";
import { PAGES } from "./pages.ts";
import {
  argumentsOf,
  FAMILIES,
  familiesArguments,
  type KnownWeights,
  recordName,
  STUDIES,
  trainedName,
  trainingArguments,
  TRAININGS,
  weightsOf,
} from "./studies.ts";
import { summarize } from "../../evaluation/statistics.ts";
import { markdownTable } from "../../table.ts";

const COMMAND: Command = {
  action: "make the results",
  usage: ["deno task results --data FOLDER [options]"],
  about:
    `Measures what data/results/ and README tell, and writes their tables: runs every study of src/commands/results/studies.ts that has no record, or one of other weights or another version of the method, one after the other, and before it the trainings that it needs; then the pages. Killed at any moment, the same command goes on.

A quick run takes every n-th case, so that no study is longer than a quarter of an hour on one thread; --full takes all.`,
  options: {
    "": {
      data: {
        value: "FOLDER",
        help: "the folder of the data sets: lidc_crops, bubil, usgra ...",
      },
      records: {
        value: "FOLDER",
        default: "out/results",
        help: "where the records of the studies are kept",
      },
      only: { value: "A,B,..", help: "these studies alone" },
      full: { help: "all cases of each study" },
      list: { help: "says which studies are done, stale or missing; no more" },
      render: { help: "writes the pages of the records there are; no more" },
      threads: THREADS,
    },
  },
};

/** The state of a study. */
export type State = "done" | "begun" | "stale" | "missing";

/** The state of a record, for the current weights and code. */
export function stateOf(
  saved: SavedEvaluation | undefined,
  now: { readonly model?: string; readonly code: string },
): State {
  if (!saved) return "missing";
  if (saved.settings.model !== now.model || saved.code !== now.code) {
    return "stale";
  }
  return isWhole(saved) ? "done" : "begun";
}

/** Whether all cases of a record are done. */
function isWhole({ cases, done }: SavedEvaluation): boolean {
  return Object.values(done).every(({ length }) => length === cases.length);
}

/** Reads a record, if there is one. */
async function readRecord(path: string): Promise<SavedEvaluation | undefined> {
  return await ifThere(readEvaluation(path));
}

const EVALUATE = fileURLToPath(new URL("../evaluate/main.ts", import.meta.url));
const TRAIN = fileURLToPath(new URL("../train/main.ts", import.meta.url));
const FAMILIES_COMMAND = fileURLToPath(
  new URL("../make_families.ts", import.meta.url),
);
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The threads that were asked for, as options of `train` and `evaluate`. */
function threadsOf(line: CommandLine): string[] {
  return line.has("threads") ? ["--threads", `${line.integer("threads")}`] : [];
}

/** Runs a command in a process of its own. */
async function run(
  line: CommandLine,
  what: string,
  command: string,
  args: readonly string[],
): Promise<void> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", command, ...args],
    stderr: "inherit",
  }).output();
  if (success) return;
  throw line.refuse(
    `${what} must end well`,
    new TextDecoder().decode(stdout).trim() || "an error, above",
  );
}

/** The digest of a model's or a baseline's weights. */
async function digestOf(path: string): Promise<string> {
  if (await methodOfFile(path) !== "spa") {
    return fingerprint(await loadBaseline(path));
  }
  using model = await loadModel(path);
  return fingerprint(model);
}

/** The weights there are: those that are shipped, and what was trained. */
async function knownWeights(folder: string): Promise<KnownWeights> {
  const weights: Record<string, string | undefined> = {
    tiny: await digestOf("tiny"),
    small: await digestOf("small"),
  };
  for (const { id } of TRAININGS) {
    const path = join(folder, trainedName(id, weights)!);
    if (await ifThere(Deno.stat(path))) weights[id] = await digestOf(path);
  }
  return weights;
}

/** Makes the families, whole or not at all. */
async function makeFamilies(
  line: CommandLine,
  data: string,
  folder: string,
): Promise<void> {
  if (await ifThere(Deno.stat(folder))) return;
  const part = `${folder}.part`;
  await ifThere(Deno.remove(part, { recursive: true }));
  await run(line, "families", FAMILIES_COMMAND, [
    ...familiesArguments(data),
    ...["--out", part],
  ]);
  await Deno.rename(part, folder);
}

/** Trains the weights of a study, after those that they begin with. */
async function trainFirst(
  id: string,
  line: CommandLine,
  data: string,
  fileOf: (id: string) => string,
): Promise<void> {
  const training = TRAININGS.find((training) => training.id === id);
  if (!training || await ifThere(Deno.stat(fileOf(id)))) return;
  if (training.from) await trainFirst(training.from, line, data, fileOf);
  console.log(`${id}: trained first`);
  await run(line, `the training ${id}`, TRAIN, [
    ...trainingArguments(training, data, fileOf),
    ...threadsOf(line),
    ...["--out", fileOf(id)],
  ]);
}

async function main(): Promise<void> {
  const line = new CommandLine(COMMAND, Deno.args);
  if (line.help) return console.log(line.help);
  const folder = line.text<string>("records"), full = line.has("full");
  const only = line.text("only")?.split(",");
  const unknown = only?.find((id) => !STUDIES.some((study) => study.id === id));
  if (unknown !== undefined) {
    const ids = STUDIES.map(({ id }) => id).join(", ");
    throw line.refuse(`--only must name studies, ${ids}`, unknown);
  }
  const code = methodVersion();
  await Deno.mkdir(folder, { recursive: true });
  let weights = await knownWeights(folder);
  const fileOf = (id: string) =>
    join(folder, id === FAMILIES ? id : trainedName(id, weights)!);
  const wanted = STUDIES.filter(({ id }) => only?.includes(id) ?? true);
  for (const study of wanted) {
    const path = join(folder, `${recordName(study, full)}.json`);
    const saved = await readRecord(path);
    const model = weightsOf(study, weights);
    const state = stateOf(saved, { model, code });
    console.log(`${study.id}: ${state}`);
    if (line.has("list") || line.has("render") || state === "done") continue;
    const data = line.text("data");
    if (data === undefined) throw line.refuse("--data must be given", "none");
    if (study.data.includes(FAMILIES)) {
      await makeFamilies(line, data, fileOf(FAMILIES));
    }
    if (model === undefined) {
      await trainFirst(study.model!, line, data, fileOf);
      weights = await knownWeights(folder);
    }
    if (
      stateOf(saved, { model: weightsOf(study, weights), code }) === "stale"
    ) {
      await Deno.rename(path, `${path}.before`);
    }
    await run(line, `the study ${study.id}`, EVALUATE, [
      ...argumentsOf(study, data, full, fileOf),
      ...threadsOf(line),
      ...["--out", path],
    ]);
  }
  if (line.has("list")) return;
  const records = new Map<string, SavedEvaluation>();
  const quick = new Set<string>();
  for (const study of STUDIES) {
    for (const all of [true, false]) { // one of all cases before a quick one
      const path = join(folder, `${recordName(study, all)}.json`);
      const saved = await readRecord(path);
      const whole = saved && isWhole(saved);
      if (!whole || records.has(study.id)) continue;
      records.set(study.id, saved);
      if (!all && study.every > 1) quick.add(study.id);
    }
  }
  const written: string[] = [];
  for (const page of PAGES) {
    const { file, needs } = page;
    const missing = needs.filter((id) => !records.has(id));
    if (missing.length > 0) {
      console.log(`${file}: left as it is without ${missing.join(", ")}`);
      continue;
    }
    const path = join(ROOT, "data", "results", file);
    await writeFileAtomic(path, page.render(records, { weights, code, quick }));
    written.push(path);
    console.log(`${file}: written`);
  }
  const readme = join(ROOT, "README.md");
  const filled = fillReadme(await Deno.readTextFile(readme), records);
  if (filled !== undefined) {
    await writeFileAtomic(readme, filled);
    written.push(readme);
  }
  if (written.length === 0) return; // without files deno fmt takes all
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", ...written],
  }).output();
}

/** The marks around README's table. */
const BEGIN = "<!-- results: written by deno task results -->";
const END = "<!-- end of results -->";

/** Its rows: their names and studies. */
const ROWS = {
  "`tiny`: lung nodules": "lidc-whole",
  "`tiny`: in 512 x 512": "lidc-pad512",
  "`small`: lung nodules": "small-lidc-more",
  "`small`: single cells": "small-cells-more",
  "`small`: nerves": "small-nerves-more",
  "`small`: vessels": "small-vessels-more",
  "`small`: hippocampus": "small-hippocampus-more",
  "`small`: brain growth, unseen": "small-qubiq-more",
};

/**
 * README with its table made again, of the studies that there are.
 *
 * @param text README.
 * @param records Records by study.
 * @returns The text; undefined where README has no marks, or there is no
 * record.
 */
export function fillReadme(
  text: string,
  records: ReadonlyMap<string, SavedEvaluation>,
): string | undefined {
  const from = text.indexOf(BEGIN), to = text.indexOf(END);
  if (from < 0 || to < from) return undefined;
  const rows = Object.entries(ROWS).flatMap(([name, id]) => {
    const saved = records.get(id);
    if (!saved) return [];
    const results = Object.values(runsOf(saved)).at(-1)!;
    const means = summarize(results, saved.settings.seed);
    return [[name, results.length, ...[0, 2, 5].map((i) => means[i]?.dice)]];
  });
  if (rows.length === 0) return undefined;
  const table = markdownTable({
    columns: [
      { heading: "Dice at iteration" },
      { heading: "targets" },
      ...["1", "3", "6"].map((heading) => ({ heading, digits: 3 })),
    ],
    rows,
  });
  return `${text.slice(0, from)}${BEGIN}\n\n${table}\n\n${text.slice(to)}`;
}

if (import.meta.main) await runCommand(main);
