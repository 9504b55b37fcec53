/** `deno task bench`; see `--help`. */

import { cpus } from "node:os";
import { loadModel } from "../../checkpoints/load_model.ts";
import {
  type Command,
  CommandLine,
  MODEL,
  PROVIDER,
  runCommand,
  THREADS,
} from "../command_line.ts";
import { ENGINE_NAMES, type EngineName } from "../../engine/active_engine.ts";
import { textTable } from "../../table.ts";
import { measureColdStart, measureSteady } from "./children.ts";
import { type Setting, settingArgs } from "./child.ts";
import { benchTable, type Measured, targetsTable } from "./bench_table.ts";

const COMMAND: Command = {
  action: "run the benchmark",
  usage: ["deno task bench [options]"],
  about:
    "Times of the tiny model on a 128 x 128 image, N = 48 samples, K = 4: the median of all runs and, in brackets, the least. Every engine runs in processes of its own, one after the other, in several rounds.",
  options: {
    "": {
      engines: {
        value: "A,B",
        default: "onnx,wasm,webgpu,tensorflow", // cpu takes seconds
        help: `of ${ENGINE_NAMES.join(", ")}`,
      },
      threads: { value: "A,B", default: "1,2", help: "of onnx" },
      provider: PROVIDER,
      rounds: {
        value: "N",
        min: 1,
        max: 100,
        shown: "5; with --quick 2",
        help: "processes per engine and measurement",
      },
      quick: { help: "few rounds of few repeats" },
      model: MODEL,
      iterations: {
        value: "N",
        help:
          "instead: N iterations in one process, with the tensors and the memory that they leave behind; on the first of --engines, with the last of --threads",
      },
    },
  },
};

/** The settings that the options name. */
function readSettings(line: CommandLine): Setting[] {
  const engines = line.text<string>("engines").split(",");
  const threads = line.text<string>("threads").split(",").map(Number);
  const { min = 1, max = 1 } = THREADS;
  if (threads.some((n) => !(Number.isInteger(n) && n >= min && n <= max))) {
    throw line.refuse(
      `--threads must be whole numbers, ${min}..${max}, between commas`,
      line.text("threads"),
    );
  }
  const model = line.text<string>("model");
  const provider = line.text("provider");
  return engines.flatMap((engine) => {
    if (!ENGINE_NAMES.includes(engine as EngineName)) {
      throw line.refuse(
        `--engines must be of ${ENGINE_NAMES.join(", ")}, between commas`,
        engine,
      );
    }
    const counts = engine === "onnx" ? threads : [1];
    return counts.map((threads) => ({
      engine: engine as EngineName,
      threads,
      ...(engine === "onnx" && line.has("provider") && { provider }),
      model,
    }));
  });
}

/** Measures all settings round by round; what fails is left out, with a line. */
async function measure(
  settings: readonly Setting[],
  rounds: number,
  repeats: number,
): Promise<Measured[]> {
  let running = settings.map((setting) => ({
    setting,
    steady: [] as Measured["steady"][number][],
    cold: [] as Measured["cold"][number][],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const each of running) {
      try {
        each.steady.push(await measureSteady(each.setting, repeats));
        each.cold.push(await measureColdStart(each.setting));
      } catch (error) {
        console.log(`${each.setting.engine}: ${(error as Error).message}`);
        running = running.filter((other) => other !== each);
      }
    }
  }
  return running;
}

/** Runs many iterations in one process, which prints its own table. */
async function endure(setting: Setting, iterations: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("./child.ts", import.meta.url).href],
      "endurance",
      ...settingArgs(setting),
      `--iterations=${iterations}`,
    ],
  }).spawn().status;
  if (!success) Deno.exit(1); // it has printed the reason
}

async function main(): Promise<void> {
  const line = new CommandLine(COMMAND, Deno.args);
  if (line.help) return console.log(line.help);
  const settings = readSettings(line);
  const iterations = line.text("iterations");
  if (iterations !== undefined) {
    const { engine } = settings[0];
    const last = settings.findLast((setting) => setting.engine === engine)!;
    return await endure(last, iterations);
  }
  (await loadModel(line.text<string>("model"))).dispose(); // or one error
  const quick = line.has("quick");
  const rounds = line.integer("rounds", quick ? 2 : 5);
  const [{ model: cpu = "unknown processor" } = {}] = cpus();
  console.log(
    `${cpu}, ${navigator.hardwareConcurrency} logical cores; Deno ${Deno.version.deno}; ${rounds} round${
      rounds === 1 ? "" : "s"
    }\n`,
  );
  const measured = await measure(settings, rounds, quick ? 5 : 12);
  if (measured.length === 0) {
    const engines = [...new Set(settings.map(({ engine }) => engine))];
    throw line.refuse("one of --engines must run here", engines);
  }
  console.log(textTable(benchTable(measured)));
  const targets = targetsTable(measured);
  if (targets.rows.length > 0) console.log(`\n${textTable(targets)}`);
}

await runCommand(main);
