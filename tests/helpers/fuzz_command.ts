/** What the commands that damage files have in common. */
import process from "node:process";
import {
  type Command,
  CommandLine,
  SEEDS,
} from "../../src/commands/command_line.ts";

/** Milliseconds of the processor without a new file after which a reader counts as hung, and between two looks. */
const PATIENCE = 30_000;
/** Looks without a new file, however little of the processor there was. */
const LOOKS = 40;

/**
 * Reads damaged files in a worker, so that one that hangs is noticed, and prints
 * what became of them.
 *
 * @param what Which files: "checkpoints" or "readers".
 * @param told The line of the counts.
 */
export async function fuzzCommand(
  what: "checkpoints" | "readers",
  told: (counts: Record<string, number>) => string,
): Promise<void> {
  const command: Command = {
    action: `fuzz ${what}`,
    usage: [`deno run -A tests/fuzz_${what}.ts [options]`],
    about: "Reads damaged files; each must be read or be refused.",
    options: {
      "": {
        count: {
          value: "N",
          min: 1,
          max: 1e8,
          default: 1000,
          help: "damaged files",
        },
        seed: { ...SEEDS, default: 1, help: "of the damage" },
      },
    },
  };
  const line = new CommandLine(command, Deno.args);
  if (line.help) return console.log(line.help);
  const count = line.integer("count");
  const seed = line.integer("seed");
  const start = performance.now();
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(import.meta.resolve("./fuzz_worker.ts"), {
    type: "module",
  });
  const used = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  let [last, since, looks] = [-1, used(), 0];
  const watch = setInterval(() => {
    const still = progress[0] === last;
    if (still && (used() - since > PATIENCE || ++looks > LOOKS)) {
      console.error(`file ${last} of seed ${seed} hangs`);
      Deno.exit(1);
    }
    if (still) return;
    [last, since, looks] = [progress[0], used(), 0];
  }, PATIENCE);
  const counts = await new Promise<Record<string, number>>(
    (resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage({ what, count, seed, progress });
    },
  );
  clearInterval(watch);
  worker.terminate();
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const megabytes = (Deno.memoryUsage().rss / 1e6).toFixed(0);
  console.log(
    `${count} damaged files of seed ${seed}: ${
      told(counts)
    }; ${seconds} s, ${megabytes} MB`,
  );
}
