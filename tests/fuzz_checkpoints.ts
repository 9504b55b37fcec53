/**
 * Loads damaged checkpoints, in a worker so that one that hangs is noticed:
 *
 *     deno run -A tests/fuzz_checkpoints.ts --count 100000 --seed 1
 */
import {
  type Command,
  CommandLine,
  runCommand,
  SEEDS,
} from "../src/commands/command_line.ts";

/** Milliseconds without a new file after which the reader counts as hung. */
const PATIENCE = 30_000;

const COMMAND: Command = {
  action: "fuzz checkpoints",
  usage: ["deno run -A tests/fuzz_checkpoints.ts [options]"],
  about: "Loads damaged checkpoints; each must load or be refused.",
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

async function main() {
  const line = new CommandLine(COMMAND, Deno.args);
  if (line.help) return console.log(line.help);
  const count = line.integer("count");
  const seed = line.integer("seed");
  const start = performance.now();
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(import.meta.resolve("./helpers/fuzz_worker.ts"), {
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
      worker.postMessage({ count, seed, progress });
    },
  );
  clearInterval(watch);
  worker.terminate();
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const megabytes = (Deno.memoryUsage().rss / 1e6).toFixed(0);
  console.log(
    `${count} damaged files: ${counts.refused} refused with a clear error, ${counts.equal} loaded equal, ` +
      `${counts.changed} loaded with other values (no checksum covers them); ${seconds} s, ${megabytes} MB`,
  );
}

if (import.meta.main) await runCommand(main);
