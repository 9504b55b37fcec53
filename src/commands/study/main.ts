/** `deno task study`; see `--help`. */

import { dirname } from "node:path";
import { checkTarget, ifThere, writeFileAtomic } from "../../files.ts";
import { listImages } from "../../notebook/annotation_images.ts";
import { readStudyPlan } from "../../notebook/annotation_plan.ts";
import {
  type Command,
  CommandLine,
  runCommand,
  SEEDS,
} from "../command_line.ts";
import { type Report, reportText, writeReport } from "../evaluate/publish.ts";
import {
  byRule,
  pairedTable,
  pairsOf,
  personsTable,
  readTurns,
  studyClaims,
  turnsCSV,
} from "./analysis.ts";
import { makePlan } from "./plan.ts";

const STUDY: Command = {
  action: "run a study",
  usage: [
    "deno task study plan --data FOLDER --persons A,B,.. [options]",
    "deno task study analyze PLAN.json [options]",
  ],
  about:
    "A study with users: SPA's picks against clicks alone. plan draws who does which images in what order; annotate() follows it in a notebook, and analyze reads what all persons did. Each has --help.",
  options: {},
};

const PLAN: Command = {
  action: "plan a study",
  usage: ["deno task study plan --data FOLDER --persons A,B,.. [options]"],
  about:
    "Draws who does which images in what order, by picks or by clicks alone: everyone does every image once in each way, in four blocks. In a notebook a person then runs annotate(model, FOLDER, { plan, person, out }).",
  options: {
    "": {
      data: {
        value: "FOLDER",
        help: "images, or a data set, as of annotate()",
      },
      persons: {
        value: "A,B,..",
        help: "the persons' names, or pseudonyms; an even number",
      },
      images: {
        value: "N",
        min: 2,
        max: 1e5,
        default: 100,
        help: "images that are drawn from the folder",
      },
      seed: { ...SEEDS, default: 0, help: "seed of the draws" },
      out: {
        value: "FILE",
        default: "out/study/plan.json",
        help: "the plan, JSON",
      },
    },
  },
};

const ANALYZE: Command = {
  action: "analyze the study",
  usage: ["deno task study analyze PLAN.json [options]"],
  about:
    "Reads the records of all persons of a plan. Prints seconds and iterations per image of each person and arm, the differences paired by person and image with intervals by a bootstrap over persons and images, and the paper's claims beside them. Images that lack one of the two are left out of the pairs.",
  options: {
    "": {
      records: {
        value: "FOLDER",
        shown: "the plan's",
        help: "the folder with a folder for every person: annotate()'s out",
      },
      out: {
        value: "FILE",
        repeated: true,
        help: ".csv: a row per person, image and arm. .md: the tables",
      },
    },
  },
  files: true,
};

/** `deno task study plan`. */
async function planCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(PLAN, args);
  if (line.help) return console.log(line.help);
  for (const name of ["data", "persons"]) {
    if (!line.has(name)) throw line.refuse(`--${name} must be given`, "none");
  }
  const out = line.text<string>("out");
  await checkTarget(out);
  const { list } = await listImages(line.text<string>("data"), false);
  const names = line.text<string>("persons").split(",")
    .map((name) => name.trim());
  const plan = makePlan(
    list.map(({ id }) => id),
    names,
    line.integer("images"),
    line.integer("seed"),
  );
  const text = `${JSON.stringify(plan, null, 1)}\n`;
  const before = await ifThere(Deno.readTextFile(out));
  if (before !== undefined && before !== text) {
    throw line.refuse(
      "--out must be a new file, as records may follow the plan that is there",
      out,
    );
  }
  await writeFileAtomic(out, text);
  console.log(
    `${names.length} persons, ${
      line.integer("images")
    } images each by picks and by clicks, in four blocks; the plan is ${out}`,
  );
}

/** `deno task study analyze`. */
async function analyzeCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(ANALYZE, args);
  if (line.help) return console.log(line.help);
  const [file, ...more] = line.files;
  if (file === undefined || more.length > 0) {
    throw line.refuse("one plan must be given", line.files.length);
  }
  const outs = line.texts("out");
  for (const out of outs) {
    if (!/\.(csv|md)$/.test(out)) {
      throw line.refuse("--out must end with .csv or .md", out);
    }
    await checkTarget(out);
  }
  const plan = await readStudyPlan(file);
  const folder = line.text("records") ?? dirname(file);
  const turns = await readTurns(plan, folder);
  const all = Object.values(plan.persons).flat()
    .reduce((sum, { images }) => sum + images.length, 0);
  if (pairsOf(turns, ({ seconds }) => seconds).length === 0) {
    throw line.refuse(
      "some image must be finished by one person in both arms",
      `${turns.length} of ${all} records in ${folder}, none paired`,
    );
  }
  const simulated = turns.filter(({ record }) => byRule(record)).length;
  const report: Report = {
    title: "User study: picks against clicks alone",
    lead: `${
      Object.keys(plan.persons).length
    } persons; ${turns.length} of ${all} images in all are finished; ${
      simulated === 0
        ? "all were answered by persons"
        : `${simulated} were answered by a rule, not by a person`
    }`,
    sections: [
      { heading: "Each person", table: personsTable(turns) },
      { heading: "Paired by person and image", table: pairedTable(turns) },
      { heading: "Claims", table: studyClaims(turns) },
    ],
  };
  console.log(`${report.lead}\n\n${reportText(report)}`);
  for (const out of outs) {
    if (out.endsWith(".csv")) await writeFileAtomic(out, turnsCSV(turns));
    else await writeReport(out, report);
  }
}

await runCommand(async () => {
  const [command, ...rest] = Deno.args;
  if (command === "plan") return await planCommand(rest);
  if (command === "analyze") return await analyzeCommand(rest);
  const line = new CommandLine(STUDY, Deno.args);
  if (line.help) return console.log(line.help);
  throw line.refuse("there must be a command, plan or analyze", "none");
});
