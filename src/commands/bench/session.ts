/**
 * Child process of the benchmark: one session from a cold start. It prints a
 * line when the first proposal is there, then, after six iterations, the peak
 * of its resident memory in bytes.
 */

import { runCommand } from "../command_line.ts";
import { Session } from "../../spa/session.ts";
import { SESSION } from "./alignment.ts";
import { CLICK, openSetting } from "./setting.ts";

/** What is printed when the first proposal is there. */
export const FIRST_PROPOSAL = "first proposal";

/** Peak resident memory of this process in bytes; where unknown, the current. */
async function peakMemory(): Promise<number> {
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(status)![1]);
  } catch {
    return Deno.memoryUsage().rss;
  }
}

if (import.meta.main) {
  await runCommand(async () => {
    const { model, image } = await openSetting(Deno.args);
    using session = await Session.start(model, image, { points: [CLICK] });
    console.log(FIRST_PROPOSAL);
    for (let i = 0; i < SESSION; i++) await session.choose(0);
    console.log(await peakMemory());
  });
}
