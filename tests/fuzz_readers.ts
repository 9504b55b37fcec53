/**
 * Reads damaged image files of every format, as images, masks and volumes, in a
 * worker so that one that hangs is noticed:
 *
 *     deno run -A tests/fuzz_readers.ts --count 100000 --seed 1
 */
import { runCommand } from "../src/commands/command_line.ts";
import { fuzzCommand } from "./helpers/fuzz_command.ts";

if (import.meta.main) {
  await runCommand(() =>
    fuzzCommand(
      "readers",
      ({ refused, read, slowest, growth }) =>
        `${refused} refused with a clear error, ${read} read; the slowest took ${
          slowest.toFixed(0)
        } ms, memory grew by ${(growth / 1e6).toFixed(0)} MB at most`,
    )
  );
}
