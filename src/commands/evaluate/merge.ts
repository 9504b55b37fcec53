import { CommandLine } from "../command_line.ts";
import { HELP, readOuts, readTables } from "./options.ts";
import { publish } from "./report.ts";
import {
  mergeEvaluations,
  readEvaluation,
} from "../../evaluation/saved_evaluation.ts";

/**
 * `deno task evaluate merge`: joins the shards of an evaluation, or evaluations
 * of one rater each, and reports them as if they had been one run. A whole evaluation may be given as well, for other
 * tables of it.
 */
export async function mergeCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine("merge", args, {
    values: ["targets"],
    repeated: ["out"],
    flags: ["per-rater"],
    files: true,
  });
  if (line.has("help")) return console.log(HELP);
  const outs = await readOuts(line);
  const saved = mergeEvaluations(
    await Promise.all(line.files.map(readEvaluation)),
  );
  const asked = line.has("targets") || line.has("per-rater");
  await publish(asked ? { ...saved, tables: readTables(line) } : saved, outs);
}
