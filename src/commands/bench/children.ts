/** Runs the benchmark's child processes. */

import {
  FIRST_PROPOSAL,
  type Setting,
  settingArgs,
  type SteadyTimes,
  type Way,
} from "./child.ts";

/** One session from a cold start. */
export interface ColdStart {
  /** Seconds from the process's start to the first proposal. */
  readonly firstProposal: number;
  /** Peak resident memory in bytes, after six iterations. */
  readonly peak: number;
}

/** Measures a setting in a process of its own, after it has warmed up. */
export async function measureSteady(
  setting: Setting,
  repeats: number,
): Promise<SteadyTimes> {
  const { lines } = await run("steady", [
    ...settingArgs(setting),
    `--repeats=${repeats}`,
  ]);
  return JSON.parse(lines.at(-1)!.text);
}

/** Measures one cold start of a setting. */
export async function measureColdStart(setting: Setting): Promise<ColdStart> {
  const { begin, lines } = await run("session", settingArgs(setting));
  const first = lines.find(({ text }) => text === FIRST_PROPOSAL)!;
  return {
    firstProposal: (first.at - begin) / 1000,
    peak: Number(lines.at(-1)!.text),
  };
}

/** The lines that a child printed, with their times in milliseconds. */
interface Printed {
  readonly begin: number;
  readonly lines: readonly { readonly text: string; readonly at: number }[];
}

/**
 * Runs a child process to its end.
 *
 * @throws {Error} When it fails; the message is the last line of its stderr.
 */
async function run(way: Way, args: readonly string[]): Promise<Printed> {
  const begin = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("child.ts", import.meta.url).href, way],
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const lines: { text: string; at: number }[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const text of parts) lines.push({ text, at: performance.now() });
  }
  const { success } = await child.status;
  if (!success) throw new Error((await errors).trim().split("\n").at(-1));
  return { begin, lines };
}
