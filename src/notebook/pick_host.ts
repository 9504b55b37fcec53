/** What surrounds a pick: a notebook's output, a terminal's input. */

import type { Figure } from "./figure.ts";

/** An output of its own: what is shown next replaces what stands there. */
export type Output = (bundle: Record<string, unknown>) => Promise<void>;

/** Where a pick is shown and asked for. */
export interface PickHost {
  /** Whether what is shown stands in a notebook, and a browser shows it. */
  readonly notebook: boolean;
  /** Opens an output for the forms of a panel or a figure, by mime type. */
  readonly openOutput: () => Output;
  /** Asks for a line of text; null where nobody answers. */
  readonly ask: (question: string) => string | null;
}

/** This process's own notebook or terminal. */
export function ownHost(): PickHost {
  const notebook = inNotebook();
  return {
    notebook,
    openOutput: notebook ? displayInNotebook : () => printText,
    ask: (question) => prompt(question),
  };
}

/** The forms of a figure that stays in a notebook: one picture, to be small. */
export async function bundleOf(
  figure: Figure,
): Promise<Record<string, unknown>> {
  const display = Symbol.for("Jupyter.display") as never;
  const { "text/html": _, ...forms } =
    await (figure[display] as () => Promise<Record<string, unknown>>)
      .call(figure);
  return forms;
}

function inNotebook(): boolean {
  try { // outside the kernel, even the property throws
    return typeof Deno.jupyter?.broadcast === "function";
  } catch {
    return false;
  }
}

function displayInNotebook(): Output {
  const id = crypto.randomUUID();
  let update = false;
  return async (bundle) => {
    await Deno.jupyter.display(bundle as Deno.jupyter.MediaBundle, {
      raw: true,
      display_id: id,
      update,
    });
    update = true;
  };
}

// deno-lint-ignore require-await -- as the notebook's, which waits
async function printText(bundle: Record<string, unknown>): Promise<void> {
  console.log(bundle["text/plain"]);
}
