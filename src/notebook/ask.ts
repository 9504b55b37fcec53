import type { Figure } from "../figures/figure.ts";
import {
  type Bundle,
  currentCell,
  displayBundle,
  inKernel,
  interruptible,
  stopHere,
} from "./kernel.ts";
import type { Action } from "../spa/feedback.ts";
import { guardedPrompt } from "./guarded_prompt.ts";
import type { PickPanel } from "./pick_panel.ts";
import { openPickServer, type SliceViews } from "./pick_server.ts";
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
  /** Draws slices of the volume for the panel; none of an image. */
  readonly views?: SliceViews;
  /** The picture that stays, without an answer or with it. */
  readonly still: (answer?: Answer<Picked> | "nothing") => Figure;
  /**
   * Who is asked first: by default a browser in a notebook, else a prompt.
   */
  readonly by?: Asked;
  /**
   * Seconds in which a browser must show the panel, 10 by default; outside a
   * notebook it may be closed for as long then.
   */
  readonly patience?: number;
  /** The rule that answers where nobody does. */
  readonly auto?: () => Picked | Promise<Picked>;
  /** Stops the wait. */
  readonly signal?: AbortSignal;
}

/** What was picked. */
export interface Answer<P extends Picked = Action> {
  readonly picked: P;
  /** Who did it. */
  readonly by: Asked;
  /** How long it took from being asked. */
  readonly seconds: number;
}

/**
 * Asks a browser, then a prompt, then the rule: each where the one before does
 * not answer. In a notebook a still picture stays, whatever comes of it.
 *
 * @throws {DOMException} "AbortError" when an interrupt comes; at a terminal's
 * prompt it takes effect with the next line.
 * @throws {Error} When nobody answers, or the wait is stopped.
 */
export function ask(
  question: Question,
  host: PickHost,
): Promise<Answer<Picked>> {
  return interruptible(async (signal) => {
    const output = host.openOutput();
    let answer: Answer<Picked> | "nothing" = "nothing";
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
): Promise<Answer<Picked>> {
  const { signal } = question;
  const likely = host.notebook ? "browser" : "prompt";
  const { choices, auto, by = likely } = question;
  let asked = performance.now();
  const answered = (picked: Picked, by: Asked): Answer<Picked> => {
    return { picked, by, seconds: (performance.now() - asked) / 1000 };
  };
  await stopHere(signal);
  while (by !== "auto") {
    if (by === "browser") {
      const picked = await askBrowser(question, host, output);
      if (picked) return answered(picked, "browser");
    } else if (host.notebook) {
      await showStill(output, question.still());
    }
    // the panel stays: its script types what is clicked
    asked = performance.now();
    const picked = await askPrompt(question, host);
    await stopHere(signal);
    if (picked === "late" && !auto) continue; // somebody may come back
    if (picked && picked !== "late") return answered(picked, "prompt");
    break;
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

/** Seconds in which the panel must be shown where the last was answered by a prompt. */
const SHORT = 1;
/** Milliseconds that no question lasts: the most a timer takes. */
const FOREVER = 2 ** 31 - 1;

/**
 * Waits for a click; undefined where no browser shows the panel in time, or
 * a terminal's user has closed it. A notebook's question stays open once its
 * panel was seen: a page that is loaded anew finds it in the saved output.
 *
 * @throws {Error} When a notebook's cell was run again.
 */
async function askBrowser(
  { choices, panel, views, patience = 10, signal }: Stoppable,
  { notebook, known }: PickHost,
  output: Output,
): Promise<Picked | undefined> {
  const draw = await panel();
  const stop = Promise.withResolvers<never>();
  stop.promise.catch(() => {}); // also where nobody waits for it
  const onAbort = () => stop.reject(signal.reason);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const seconds = known.typed ? Math.min(patience, SHORT) : patience;
  const milliseconds = Math.min(1000 * seconds, FOREVER);
  const until = Date.now() + milliseconds + (notebook ? PROMPT_TIME : 0);
  const page = (url: string) => draw(url, until).page;
  const closed = notebook ? FOREVER : milliseconds;
  const server = openPickServer(choices, page, closed, views);
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
    known.typed &&= first === "late";
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
/** Milliseconds for which a notebook's prompt waits for a line. */
const PROMPT_TIME = 120_000;

/**
 * Asks for a line until it makes sense; undefined where nobody answers, "late"
 * where no line came in time.
 */
async function askPrompt(
  { choices, title, signal }: Stoppable,
  { ask, known }: PickHost,
): Promise<Picked | "late" | undefined> {
  const question = `${title} (${typedKeys(choices)})`;
  let excuse = "";
  for (let i = 0; i < TRIES; i++) {
    const line = await ask(excuse + question, PROMPT_TIME);
    if (line === null) return undefined;
    if (line === undefined) {
      await stopHere(signal);
      return "late";
    }
    const picked = pickedFromLine(line, choices);
    if (picked) {
      known.typed = true;
      return picked;
    }
    excuse = `Not understood: ${line.trim().slice(0, 40) || "(empty)"}. `;
  }
  return undefined;
}

/** What surrounds a pick: a notebook's output, a terminal's input. */

/**
 * An output of its own: what is shown next replaces what stands there. A picture
 * has a text for those who cannot see it.
 */
export type Output = (bundle: Bundle, alt?: string) => Promise<void>;

/** Where a pick is shown and asked for. */
export interface PickHost {
  /** Whether what is shown stands in a notebook, and a browser shows it. */
  readonly notebook: boolean;
  /** Which cell runs; undefined where that is not known. */
  readonly cell?: () => number | undefined;
  /** Opens an output for the forms of a panel or a figure, by mime type. */
  readonly openOutput: () => Output;
  /**
   * Asks for a line of text; null where nobody answers, undefined where none
   * came in so many milliseconds.
   */
  readonly ask: (
    question: string,
    milliseconds: number,
  ) => string | null | undefined | Promise<string | null | undefined>;
  /** What is known of it, from one question to the next. */
  readonly known: {
    /** Whether a prompt answered last, as the browser cannot reach the kernel. */
    typed: boolean;
  };
}

/** Of this process. */
const KNOWN = { typed: false };

/** This process's own notebook or terminal. */
export function ownHost(): PickHost {
  const notebook = inKernel();
  return {
    notebook,
    cell: currentCell,
    openOutput: notebook ? displayInNotebook : () => printText,
    ask: notebook ? guardedPrompt : (question) => prompt(question),
    known: KNOWN,
  };
}

/** Shows a figure that stays in a notebook: one picture, to be small. */
export async function showStill(output: Output, figure: Figure): Promise<void> {
  const { "text/html": _, ...forms } = await figure.toBundle();
  await output(forms, figure.alt);
}

function displayInNotebook(): Output {
  const id = crypto.randomUUID();
  let update = false;
  return async (bundle, alt) => {
    await displayBundle(bundle, { id, update, alt });
    update = true;
  };
}

// deno-lint-ignore require-await -- as the notebook's, which waits
async function printText(bundle: Bundle): Promise<void> {
  console.log(bundle["text/plain"]);
}
