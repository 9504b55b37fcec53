/**
 * Loads damaged checkpoints, in a worker so that one that hangs is noticed:
 *
 *     deno run -A tests/fuzz_checkpoints.ts --count 100000 --seed 1
 */
import { runCommand } from "../src/commands/command_line.ts";
import { fuzzCommand } from "./helpers/fuzz_command.ts";

if (import.meta.main) {
  await runCommand(() =>
    fuzzCommand(
      "checkpoints",
      ({ refused, equal, changed }) =>
        `${refused} refused with a clear error, ${equal} loaded equal, ` +
        `${changed} loaded with other values (no checksum covers them)`,
    )
  );
}
