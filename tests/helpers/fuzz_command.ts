/** What the commands that damage files have in common. */
import process from "node:process";
import {
  type Command,
  CommandLine,
  SEEDS,
} from "../../src/commands/command_line.ts";
import type { Allocated } from "./allocations.ts";

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
        seeds: {
          value: "N",
          min: 1,
          max: 1e6,
          default: 1,
          help: "seeds from that one on, each with so many files",
        },
      },
    },
  };
  const line = new CommandLine(command, Deno.args);
  if (line.help) return console.log(line.help);
  const count = line.integer("count");
  const first = line.integer("seed");
  const seeds = line.integer("seeds");
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(import.meta.resolve("./fuzz_worker.ts"), {
    type: "module",
  });
  const used = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  let [last, since, looks] = ["", used(), 0];
  const watch = setInterval(() => {
    const now = `file ${progress[1]} of seed ${progress[0]}`;
    const still = now === last;
    if (still && (used() - since > PATIENCE || ++looks > LOOKS)) {
      console.error(`${last} hangs`);
      Deno.exit(1);
    }
    if (still) return;
    [last, since, looks] = [now, used(), 0];
  }, PATIENCE);
  let start = performance.now();
  for (let left = seeds; left > 0; left--) {
    const { seed, counts, error } = await new Promise<Told>(
      (resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        if (left < seeds) return;
        worker.postMessage({ what, count, first, seeds, progress });
      },
    );
    if (!counts) {
      console.error(error);
      Deno.exitCode = 1;
      continue;
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    start = performance.now();
    const megabytes = (Deno.memoryUsage().rss / 1e6).toFixed(0);
    const { worst, ...numbers } = counts;
    console.log(
      `${count} damaged files of seed ${seed}: ${
        told(numbers)
      }; ${seconds} s, ${megabytes} MB; at most of one file, in KB: ${
        listWorst(worst)
      }`,
    );
  }
  clearInterval(watch);
  worker.terminate();
}

/** What the worker says of one seed. */
interface Told {
  readonly seed: number;
  readonly counts?:
    & Record<string, number>
    & { readonly worst: Record<string, Allocated> };
  readonly error?: string;
}

/** By format, the most memory: of what the code asks for, and resident. */
function listWorst(worst: Record<string, Allocated>): string {
  const formats = Object.entries(worst).sort(([a], [b]) => a < b ? -1 : 1);
  return formats.map(([format, { requested, resident }]) =>
    `${format} ${Math.ceil(requested / 1e3)} (${Math.ceil(resident / 1e3)})`
  ).join(", ");
}
