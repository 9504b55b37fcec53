/** `deno task evaluate`; see `--help`. */

import { type Baseline, isBaseline } from "../../baselines/baseline.ts";
import { saveModel } from "../../checkpoints/save_model.ts";
import {
  CommandLine,
  ENGINE,
  readThreads,
  runCommand,
} from "../command_line.ts";
import { methodVersion } from "../method_version.ts";
import { checkTarget, removeLeftovers } from "../../files.ts";
import { useEngine } from "../../engine/engine.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { fingerprint } from "../../model/fingerprint.ts";
import type { Model } from "../../model/model.ts";
import { loadModel } from "../../notebook/load_model.ts";
import { evaluationProgress } from "../../notebook/progress.ts";
import {
  agreementCommand,
  compareCommand,
  mergeCommand,
} from "./subcommands.ts";
import {
  EVALUATE,
  readBaseline,
  readCases,
  readOuts,
  readSettings,
  readShard,
  readTables,
} from "./options.ts";
import { publish, withFigures } from "./publish.ts";
import { runEvaluation } from "./run.ts";
import {
  readEvaluation,
  resumeEvaluation,
  type SavedEvaluation,
  saveEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { volumesCommand } from "./volumes.ts";

/** The part of an evaluation that its file already holds. */
async function resume(
  path: string | undefined,
  asked: SavedEvaluation,
): Promise<SavedEvaluation> {
  if (path !== undefined) await removeLeftovers(path);
  const found = path !== undefined &&
    await Deno.stat(path).then(() => true, () => false);
  if (!found) return asked;
  return resumeEvaluation(path, await readEvaluation(path), asked);
}

/** Where the network looks without `--region`. */
function regionOf({ crops }: Dataset, subject: Model | Baseline) {
  const finds = !isBaseline(subject) && !subject.config.sam;
  return finds && !crops ? "auto" : "whole";
}

async function main(): Promise<void> {
  const [command, ...rest] = Deno.args;
  if (command === "merge") return await mergeCommand(rest);
  if (command === "compare") return await compareCommand(rest);
  if (command === "agreement") return await agreementCommand(rest);
  if (Deno.args.includes("--volumes")) return await volumesCommand(Deno.args);
  const line = new CommandLine(EVALUATE, Deno.args);
  if (line.help) return console.log(line.help);
  const settings = readSettings(line), tables = readTables(line);
  const shard = readShard(line), outs = await readOuts(line);
  const record = line.text("record");
  if (record !== undefined) await checkTarget(record);
  const dataset = await readCases(line);
  const engine = await useEngine(
    line.oneOf("engine", ENGINE.words),
    readThreads(line),
  );
  const baseline = await readBaseline(line);
  using model = baseline ? undefined : await loadModel(line.text("model"));
  const subject = model ?? baseline!;

  const file = outs.find((path) => path.endsWith(".json"));
  const begun = await resume(file, {
    format: "spa-evaluation",
    version: 1,
    dataset: dataset.name,
    cases: dataset.cases.map(({ id }) => id),
    settings: {
      ...settings,
      region: settings.region ?? regionOf(dataset, subject),
      ...(baseline && { method: baseline.config.method }),
      model: fingerprint(subject),
    },
    tables,
    engine: `${engine.name}, ${engine.threads} threads`,
    code: methodVersion(),
    done: Object.fromEntries(settings.variants.map((name) => [name, []])),
  });
  if (file !== undefined) await saveEvaluation(file, begun);
  const saved = await runEvaluation(subject, dataset, begun, {
    shard,
    save: file === undefined
      ? undefined
      : (saved) => saveEvaluation(file, saved),
    progress: evaluationProgress,
  });
  if (shard) {
    console.log(
      `part ${shard.part} of ${shard.parts} is in ${file}; deno task evaluate merge joins the parts`,
    );
    return;
  }
  await publish(saved, outs);
  if (record !== undefined && model) {
    await saveModel(withFigures(model, saved), record);
  }
}

await runCommand(main);
