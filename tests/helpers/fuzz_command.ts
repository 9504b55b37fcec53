/** What the commands that damage files have in common. */
import {
  type Command,
  CommandLine,
  SEEDS,
} from "../../src/commands/command_line.ts";

/** Milliseconds without a new file after which the reader counts as hung. */
const PATIENCE = 30_000;

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
  let last = -1;
  const watch = setInterval(() => {
    if (progress[0] === last) {
      console.error(`file ${last} of seed ${seed} hangs`);
      Deno.exit(1);
    }
    last = progress[0];
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
