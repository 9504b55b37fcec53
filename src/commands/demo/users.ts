/**
 * The one who chooses: a simulated user, a script, or the user at the terminal.
 */

import type { Box } from "../../spa/frame.ts";
import type { DemoOptions } from "./options.ts";
import type { Action } from "../../spa/feedback.ts";
import { doubtOf, interactiveTable, type Step } from "./demo_step.ts";
import type { Subject } from "./subject.ts";

/** Answers a proposal. `picture` is the path of its picture. */
export type User = (step: Step, picture: string) => Promise<Action> | Action;

/** The kinds of users. */
export type Chooser = "user" | "script" | "simulated user" | "nobody";

/** The user that the options name, by whether a mask is known. */
export function chooserOf(
  { interactive, choices }: Pick<DemoOptions, "interactive" | "choices">,
  { reference }: Pick<Subject, "reference">,
): Chooser {
  if (interactive) return "user";
  if (choices) return "script";
  return reference ? "simulated user" : "nobody";
}

/** Picks the nearest candidate; of the last proposal, accepts the recommendation. */
export function nearestDemoUser(iterations: number): User {
  return ({ number, scores }) => {
    if (number >= iterations) return { kind: "accept" };
    const dice = scores!.candidates;
    return { kind: "choose", candidate: dice.indexOf(Math.max(...dice)) };
  };
}

/**
 * Picks the candidates of a script, then accepts.
 *
 * @param refuse Makes the error of a choice that a proposal does not have.
 */
export function scriptedUser(
  choices: readonly number[],
  refuse: (rule: string, value: unknown) => Error,
): User {
  return ({ number, proposal: { candidates } }) => {
    const candidate = choices[number - 1];
    if (candidate === undefined) return { kind: "accept" };
    if (candidate < candidates.length) return { kind: "choose", candidate };
    throw refuse(
      `--choose must pick from the ${candidates.length} candidates of proposal ${number}`,
      candidate + 1,
    );
  };
}

/** Asks at the terminal until the answer makes sense; its end means quit. */
export function terminalUser(terminal: Terminal, box?: Box): User {
  return async (step, picture) => {
    const { candidates } = step.proposal;
    terminal.print(`\n${interactiveTable(step)}\nPicture: ${picture}`);
    const doubt = doubtOf(step, box);
    if (doubt) terminal.print(`Note: ${doubt}`);
    const keys = candidates.length === 1 ? "1" : `1..${candidates.length}`;
    const question =
      `${keys} pick, a accept (a2 candidate 2), n none, u undo, + or - zoom, +x,y or -x,y click in or out, q quit > `;
    while (true) {
      const line = await terminal.readLine(question);
      if (line === undefined) return { kind: "stop" };
      const answer = parseAnswer(line, candidates.length);
      if (answer?.kind === "undo" && step.number === 1) {
        terminal.print("Nothing to undo: this is the first proposal.");
      } else if (answer) {
        return answer;
      } else {
        terminal.print(
          `Not understood: ${line.trim().slice(0, 40) || "(empty)"}`,
        );
      }
    }
  };
}

/** The factor of one step of zoom. */
const ZOOM = 1.5;

/** What a typed line means; undefined where it means nothing. */
export function parseAnswer(
  line: string,
  candidates: number,
): Action | undefined {
  const text = line.trim().toLowerCase();
  const click = /^([+-])\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)$/.exec(text);
  if (click) {
    const label = click[1] === "+" ? 1 : 0;
    const point = { x: Number(click[2]), y: Number(click[3]), label } as const;
    return { kind: "click", point };
  }
  if (text === "+" || text === "-") {
    return { kind: "zoom", factor: text === "+" ? ZOOM : 1 / ZOOM };
  }
  const accept = /^a(?:ccept)?\s*(\d+)?$/.exec(text);
  if (accept) {
    if (accept[1] === undefined) return { kind: "accept" };
    const candidate = Number(accept[1]) - 1;
    return candidate >= 0 && candidate < candidates
      ? { kind: "accept", candidate }
      : undefined;
  }
  if (text === "n" || text === "none") return { kind: "again" };
  if (text === "u" || text === "undo") return { kind: "undo" };
  if (text === "q" || text === "quit") return { kind: "stop" };
  if (!/^\d+$/.test(text)) return undefined;
  const candidate = Number(text) - 1;
  return candidate >= 0 && candidate < candidates
    ? { kind: "choose", candidate }
    : undefined;
}

/** The terminal of a command: it prints, and reads lines. */
export interface Terminal {
  /** Prints text and a line's end. */
  print(text: string): void;
  /** Asks, and reads a line; undefined at the end of the input. */
  readLine(question: string): Promise<string | undefined>;
}

/**
 * The process's own terminal; its input may as well be a pipe. It reads only
 * when asked, so that nothing is under way when the command ends.
 */
export function processTerminal(): Terminal {
  const buffer = new Uint8Array(1024);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  let ended = false;
  return {
    print: (text) => console.log(text),
    async readLine(question) {
      await Deno.stdout.write(encoder.encode(question));
      while (!ended && !rest.includes("\n")) {
        const count = await Deno.stdin.read(buffer);
        ended = count === null;
        rest += decoder.decode(buffer.subarray(0, count ?? 0), {
          stream: !ended,
        });
      }
      const end = rest.indexOf("\n");
      const line = end < 0 ? rest : rest.slice(0, end);
      if (ended && end < 0 && line === "") {
        console.log(); // the question's line
        return undefined;
      }
      rest = end < 0 ? "" : rest.slice(end + 1);
      // A terminal shows what was typed.
      if (!Deno.stdin.isTerminal()) console.log(line);
      return line;
    },
  };
}
