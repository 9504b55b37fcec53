/** `deno task demo`; see `--help`. */

import { runCommand } from "../command_line.ts";
import { runDemo } from "./run.ts";
import { processTerminal } from "./users.ts";

await runCommand(() => runDemo(Deno.args, processTerminal()));
