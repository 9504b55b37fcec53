import type { Figure } from "../figures/figure.ts";
import { interruptible, stopHere } from "./interrupt.ts";
import { type Output, type PickHost, showStill } from "./pick_host.ts";
import type { PickPanel } from "./pick_panel.ts";
import { openPickServer } from "./pick_server.ts";
import {
  type Choices,
  isAmong,
  type Picked,
  pickedFromLine,
  typedKeys,
} from "./picked.ts";

/** Who can answer, in the order in which they are asked. */
export type Asked = "browser" | "prompt" | "auto";

/** What is asked, and of whom. */
export interface Question {
  /** One line. */
  readonly title: string;
  /** What can be picked. */
  readonly choices: Choices;
  /** Draws the interactive panel. */
  readonly panel: () => Promise<PickPanel>;
  /** The picture that stays, without an answer or with it. */
  readonly still: (answer?: Answer | "nothing") => Figure;
  /**
   * Who is asked first: by default a browser in a notebook, unless none showed
   * the last panel, else a prompt.
   */
  readonly by?: Asked;
  /**
   * Seconds in which a browser must show the panel, and for which it may be
   * closed then, which default to 10.
   */
  readonly patience?: number;
  /** The rule that answers where nobody does. */
  readonly auto?: () => Picked | Promise<Picked>;
  /** Stops the wait. */
  readonly signal?: AbortSignal;
}

/** What was picked. */
export interface Answer {
  readonly picked: Picked;
  /** Who did it. */
  readonly by: Asked;
  /** How long it took from being asked. */
  readonly seconds: number;
}

/**
 * Asks a browser, then a prompt, then the rule: each where the one before does
 * not answer. In a notebook a still picture stays, whatever comes of it.
 *
 * @throws {DOMException} "AbortError" when an interrupt comes; at a prompt it
 * takes effect with the next line.
 * @throws {Error} When nobody answers, or the wait is stopped.
 */
export function ask(question: Question, host: PickHost): Promise<Answer> {
  return interruptible(async (signal) => {
    const output = host.openOutput();
    let answer: Answer | "nothing" = "nothing";
    try {
      return answer = await askInOrder({ ...question, signal }, host, output);
    } finally {
      if (host.notebook) await showStill(output, question.still(answer));
    }
  }, { doing: "pick", left: "nothing was picked", signal: question.signal });
}

/** What is asked, and what stops it. */
type Stoppable = Question & { readonly signal: AbortSignal };

async function askInOrder(
  question: Stoppable,
  host: PickHost,
  output: Output,
): Promise<Answer> {
  const { signal } = question;
  // else a loop on another machine's kernel would wait at every pick
  const likely = host.notebook && !host.known.unseen ? "browser" : "prompt";
  const { choices, auto, by = likely } = question;
  let asked = performance.now();
  const answered = (picked: Picked, by: Asked): Answer => {
    return { picked, by, seconds: (performance.now() - asked) / 1000 };
  };
  await stopHere(signal);
  if (by === "browser") {
    const picked = await askBrowser(question, host, output);
    if (picked) return answered(picked, "browser");
  }
  if (by !== "auto") {
    if (host.notebook) await showStill(output, question.still());
    asked = performance.now();
    const picked = askPrompt(question, host);
    await stopHere(signal);
    if (picked) return answered(picked, "prompt");
  }
  if (!auto) {
    throw new Error(
      "Cannot pick as somebody must answer, a browser on this machine, " +
        "a prompt, or a rule passed as `auto`: current value is no answer",
    );
  }
  asked = performance.now();
  const picked = await auto();
  await stopHere(signal);
  if (isAmong(picked, choices)) return answered(picked, "auto");
  throw new RangeError(
    `Cannot pick as the rule \`auto\` must give one of the ${choices.candidates} candidates ` +
      `or what else is offered: current value is ${JSON.stringify(picked)}`,
  );
}

/**
 * Waits for a click; undefined where no browser shows the panel in time, or
 * a terminal's user has closed it.
 *
 * @throws {Error} When a notebook's panel is closed: neither a prompt could be
 * answered there, in a cell that was run again or a page that was loaded anew,
 * nor should a rule go on in place of somebody who was there.
 */
async function askBrowser(
  { choices, panel, patience = 10, signal }: Stoppable,
  { notebook, known }: PickHost,
  output: Output,
): Promise<Picked | undefined> {
  const draw = await panel();
  const stop = Promise.withResolvers<never>();
  stop.promise.catch(() => {}); // also where nobody waits for it
  const onAbort = () => stop.reject(signal.reason);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const milliseconds = Math.min(1000 * patience, 2 ** 31 - 1);
  const until = Date.now() + milliseconds;
  const page = (url: string) => draw(url, until).page;
  const server = openPickServer(choices, page, milliseconds);
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", onAbort);
    await output({
      "text/html": draw(server.url, until).fragment,
      "text/plain": `Waiting for a click in ${server.url}`,
    });
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), milliseconds);
    });
    const first = await Promise.race([stop.promise, server.shown, late]);
    known.unseen = first === "late";
    if (first === "late") return undefined;
    const gone = server.gone.then(() => "gone" as const);
    const last = await Promise.race([stop.promise, server.picked, gone]);
    if (last !== "gone") return last;
    if (!notebook) return undefined;
    throw new Error(
      "Cannot pick as the panel must stay open until the click: " +
        "current value is closed. Run the cell again",
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    await server.close();
  }
}

/** Lines that are not understood before the next in order is asked. */
const TRIES = 10;

/** Asks for a line until it makes sense; undefined where nobody answers. */
function askPrompt(
  { choices, title }: Question,
  { ask }: PickHost,
): Picked | undefined {
  const question = `${title} (${typedKeys(choices)})`;
  let excuse = "";
  for (let i = 0; i < TRIES; i++) {
    const line = ask(excuse + question);
    if (line === null) return undefined;
    const picked = pickedFromLine(line, choices);
    if (picked) return picked;
    excuse = `Not understood: ${line.trim().slice(0, 40) || "(empty)"}. `;
  }
  return undefined;
}
