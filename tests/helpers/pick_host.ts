/** A notebook or terminal that a test plays. */
import type { PickHost } from "../../src/notebook/ask.ts";

/** What stood in an output, the newest last, and what was asked. */
export interface PlayedHost extends PickHost {
  readonly shown: Record<string, unknown>[];
  readonly asked: string[];
}

/**
 * @param options.browser What a browser does with a panel's address, if any.
 * @param options.lines What is typed, line by line; then nobody answers.
 */
export function playHost(
  { notebook = true, browser, lines = [] }: {
    notebook?: boolean;
    browser?: (url: string) => unknown;
    lines?: string[];
  } = {},
): PlayedHost {
  const shown: Record<string, unknown>[] = [];
  const asked: string[] = [];
  const left = [...lines];
  return {
    notebook,
    shown,
    asked,
    known: { typed: false },
    openOutput: () => (bundle) => {
      shown.push(bundle);
      const url = urlOf(bundle);
      if (url) browser?.(url);
      return Promise.resolve();
    },
    ask(question) {
      asked.push(question);
      return left.shift() ?? null;
    },
  };
}

/** The address of a panel; undefined where a still picture is shown. */
export function urlOf(bundle: Record<string, unknown>): string | undefined {
  return /http:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(String(bundle["text/plain"]))
    ?.[0];
}

/** A browser that posts a path, as the panel's script does. */
export function posts(path: string): (url: string) => void {
  return async (url) => {
    const init = {
      method: "POST",
      headers: { origin: "http://localhost:8888" },
    };
    await (await fetch(`${url}/${path}`, init)).text();
  };
}

/** A browser that has the panel open for some milliseconds, then is closed. */
export function opensFor(milliseconds: number): (url: string) => void {
  return async (url) => {
    const closes = new AbortController();
    const { signal } = closes;
    const { body } = await fetch(`${url}/open`, { signal });
    setTimeout(() => closes.abort(), milliseconds);
    await body?.pipeTo(new WritableStream()).catch(() => {});
  };
}
