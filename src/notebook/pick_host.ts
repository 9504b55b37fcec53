/** What surrounds a pick: a notebook's output, a terminal's input. */

import type { Figure } from "../figures/figure.ts";
import { type Bundle, displayBundle, inKernel } from "./kernel.ts";

/**
 * An output of its own: what is shown next replaces what stands there. A picture
 * has a text for those who cannot see it.
 */
export type Output = (bundle: Bundle, alt?: string) => Promise<void>;

/** Where a pick is shown and asked for. */
export interface PickHost {
  /** Whether what is shown stands in a notebook, and a browser shows it. */
  readonly notebook: boolean;
  /** Opens an output for the forms of a panel or a figure, by mime type. */
  readonly openOutput: () => Output;
  /** Asks for a line of text; null where nobody answers. */
  readonly ask: (question: string) => string | null;
  /** What is known of it, from one question to the next. */
  readonly known: {
    /** Whether no browser showed the last panel. */
    unseen: boolean;
  };
}

/** Of this process. */
const KNOWN = { unseen: false };

/** This process's own notebook or terminal. */
export function ownHost(): PickHost {
  const notebook = inKernel();
  return {
    notebook,
    openOutput: notebook ? displayInNotebook : () => printText,
    ask: (question) => prompt(question),
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
