import { basename } from "node:path";
import { CommandLine } from "../command_line.ts";
import { checkTarget } from "../../files.ts";
import { learningFigure } from "../../figures/learning_figure.ts";
import { writeFigure } from "../../figures/figure.ts";
import { readLearningLog } from "../../training/learning_log.ts";

/** `deno task train curve`: draws the logs of one run or of several. */
export async function curveCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine("draw learning curves", args, {
    values: ["out"],
    files: true,
  });
  const out = line.text("out") ?? "curve.png";
  await checkTarget(out);
  if (!/\.(png|svg)$/.test(out)) {
    throw line.refuse("--out must end in .png or .svg", out);
  }
  if (line.files.length === 0) {
    throw line.refuse("there must be a log", "none");
  }
  const runs: Record<string, Awaited<ReturnType<typeof readLearningLog>>> = {};
  for (const path of line.files) {
    const reports = await readLearningLog(path);
    const name = basename(path, ".csv");
    if (reports.length === 0) {
      throw line.refuse(`${path} must be a log`, "none");
    }
    if (name in runs) {
      throw line.refuse("all logs must have different names", name);
    }
    runs[name] = reports;
  }
  const figure = learningFigure(runs);
  await writeFigure(out, figure);
  console.log(`${figure}\n${out}`);
}
