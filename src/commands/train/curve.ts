import { basename } from "node:path";
import { type Command, CommandLine } from "../command_line.ts";
import { checkTarget } from "../../files.ts";
import { learningFigure } from "../../figures/learning_figure.ts";
import { writeFigure } from "../../figures/figure.ts";
import { readLearningLog } from "../../training/learning_log.ts";

const COMMAND: Command = {
  action: "draw learning curves",
  usage: ["deno task train curve FILE.csv ... [options]"],
  about:
    "Draws the learning curve of one run, or compares those of several: loss, and by the users' iteration Dice, that of the best candidate and sample spread. The files are those of train's --log.",
  options: {
    "": {
      out: { value: "FILE", default: "curve.png", help: "a .png or .svg" },
    },
  },
  files: true,
};

/** `deno task train curve`: draws the logs of one run or of several. */
export async function curveCommand(args: readonly string[]): Promise<void> {
  const line = new CommandLine(COMMAND, args);
  if (line.help) return console.log(line.help);
  const out = line.text<string>("out");
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
