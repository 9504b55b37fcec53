import { escapeXML } from "../figures/svg.ts";
import {
  type Choices,
  describePicked,
  type Picked,
  pickedFromPath,
} from "./picked.ts";

/**
 * Draws a slice of a volume as SVG, as a path asks: `view/0/12` slice 12 along
 * dimension 0 with its outlines, `view/0/12/-50/150` in a window of values,
 * `over/...` for the main picture, `image/...` without outlines; undefined where
 * there is no such slice.
 */
export type SliceViews = (path: string) => Promise<string | undefined>;

/** A server that waits for one pick. */
export interface PickServer {
  /** Where the panel lies as a page; a pick is one path below it. */
  readonly url: string;
  /** Resolves when a browser has shown the panel. */
  readonly shown: Promise<void>;
  /** Resolves with the first pick. */
  readonly picked: Promise<Picked>;
  /** Resolves when every page that had the panel open has closed it for long. */
  readonly gone: Promise<void>;
  /** Closes the server and every connection, once the pick is answered. */
  close(): Promise<void>;
}

/** How long a pick's own answer may take to reach the browser, in ms. */
const ANSWER_TIME = 500;

/**
 * Opens a server on this machine's loopback address, at a free port, for one
 * pick. Its authority is a random token in the path: whatever lacks it is
 * answered 404, and nothing else is looked at. With it:
 *
 * - `GET` gives the panel as a page, `GET shown` an empty picture by which a
 *   panel tells that it is seen, `GET open` an answer that lasts until the
 *   question is over, by which it tells that it is still open, and
 *   `POST closed` says that it will not come back;
 * - `POST candidate/2` (and the other paths of `pickedFromPath`) picks, as does `GET`
 *   where a person follows a link; a page, script or picture of another origin
 *   than this machine's is refused, and so is a browser's prefetch.
 *
 * A request's body is never read: with one, it is refused.
 *
 * @param choices What can be picked.
 * @param page Makes the panel's page, given its address.
 * @param patience Milliseconds for which no panel may be open once one was.
 * @param views Draws the slices of a volume, by `GET`.
 */
export function openPickServer(
  choices: Choices,
  page: (url: string) => string,
  patience: number,
  views?: SliceViews,
): PickServer {
  const token = crypto.getRandomValues(new Uint8Array(24))
    .toBase64({ alphabet: "base64url" });
  const shown = Promise.withResolvers<void>();
  const picked = Promise.withResolvers<Picked>();
  const presence = new Presence(patience);
  let said = ""; // what was picked
  const underway: Promise<unknown>[] = []; // answers to be read to their end
  const stop = new AbortController();

  const server: Deno.HttpServer<Deno.NetAddr> = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen() {} },
    async (request, { completed }): Promise<Response> => {
      const { pathname = "" } = URL.parse(request.url) ?? {}; // of any Host
      const own = pathname === `/${token}` || pathname.startsWith(`/${token}/`);
      if (!own) return answer(404, "Nothing here.");
      const refusal = refuse(request);
      if (refusal) return refusal;
      const path = pathname.slice(token.length + 2);
      const origin = request.headers.get("origin");
      if (path === "" && request.method === "GET") {
        return html(200, page(url));
      }
      if (path === "shown" && request.method === "GET") {
        shown.resolve();
        return new Response(EMPTY_PICTURE, {
          headers: { ...HEADERS, "content-type": "image/svg+xml" },
        });
      }
      if (path === "open" && request.method === "GET") {
        shown.resolve();
        underway.push(completed.catch(() => {}));
        return answer(200, presence.hold(), origin);
      }
      if (path === "closed" && request.method === "POST") {
        presence.leave();
        return answer(200, "Closed.", origin);
      }
      if (/^(view|over|image)\//.test(path) && request.method === "GET") {
        const drawn = path.length > 80 ? undefined : await views?.(path);
        if (drawn === undefined) return answer(404, "No such slice.", origin);
        const response = answer(200, drawn, origin);
        response.headers.set("content-type", "image/svg+xml");
        return response;
      }
      const choice = pickedFromPath(path, choices);
      if (!choice) return answer(404, "No such choice.", origin);
      if (request.method === "GET" && !isFollowedLink(request.headers)) {
        return answer(403, "A choice must be a click.", origin);
      }
      if (said) return answer(409, "A choice was made already.", origin);
      said = `${describePicked(choice)}.`;
      underway.push(completed.catch(() => {}));
      shown.resolve();
      picked.resolve(choice);
      return request.method === "POST"
        ? answer(200, said, origin)
        : html(200, donePage(said));
    },
  );
  const url: string = `http://127.0.0.1:${server.addr.port}/${token}`;

  return {
    url,
    shown: shown.promise,
    picked: picked.promise,
    gone: presence.gone,
    async close() {
      presence.close(said);
      let timer;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, ANSWER_TIME);
      });
      await Promise.race([Promise.allSettled(underway), late]);
      clearTimeout(timer);
      stop.abort();
      await server.finished;
    },
  };
}

/** The refusal of a request that has the token, by its headers alone. */
function refuse({ method, headers }: Request): Response | undefined {
  const origin = headers.get("origin");
  if (origin !== null && !isNear(origin) && !isProxied(origin, headers)) {
    return answer(403, "This origin cannot pick.");
  }
  if (method !== "GET" && method !== "POST") {
    const response = answer(405, "Only GET and POST.", origin);
    response.headers.set("allow", "GET, POST");
    return response;
  }
  const hasBody = Number(headers.get("content-length") ?? 0) !== 0 ||
    headers.has("transfer-encoding");
  return hasBody ? answer(413, "A choice has no body.", origin) : undefined;
}

/**
 * Whether a page of this origin may pick: JupyterLab on another port of this
 * machine, VS Code's views, a page without an origin (a file, a sandboxed
 * frame). The token is what proves it; this keeps out a site that learned it.
 */
function isNear(origin: string): boolean {
  return origin === "null" || origin.startsWith("vscode-webview://") ||
    /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin);
}

/**
 * Whether the page is the one of a server on this machine that passes the
 * request on, as jupyter-server-proxy does: it says where it stands, which a
 * page of another origin cannot without asking first, and that is refused.
 */
function isProxied(origin: string, headers: Headers): boolean {
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  return headers.has("x-forwarded-context") && host !== null &&
    URL.parse(origin)?.host === host;
}

/** Whether a browser opened the address as a page, and not ahead of a click. */
function isFollowedLink(headers: Headers): boolean {
  const ahead = headers.get("sec-purpose") ?? headers.get("purpose") ?? "";
  return !ahead.includes("prefetch") &&
    (headers.get("sec-fetch-dest") ?? "document") === "document";
}

const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const EMPTY_PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';

function answer(
  status: number,
  text: BodyInit,
  origin: string | null = null,
): Response {
  const headers = new Headers(HEADERS);
  if (origin !== null) headers.set("access-control-allow-origin", origin);
  headers.set("vary", "origin");
  return new Response(text, { status, headers });
}

function html(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: {
      ...HEADERS,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; " +
        "script-src 'unsafe-inline'; img-src 'self' data:; " +
        "connect-src 'self'; frame-ancestors 'none'",
    },
  });
}

/** What a followed link shows. */
function donePage(text: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${
    escapeXML(text)
  }</title>
<body style="font:18px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:30em;padding:0 1rem">
<p><strong>${
    escapeXML(text)
  }</strong></p><p>You can close this tab and go back.</p>`;
}

/**
 * Who has a panel open: each holds an answer that never ends. A page that is
 * closed, or a panel that is taken out of it, lets go of its own, even in a tab
 * in the background, whose timers a browser slows down.
 */
export class Presence {
  /** Resolves when nobody has held an answer for too long, after somebody had. */
  readonly gone: Promise<void>;
  readonly #patience: number;
  readonly #resolve: () => void;
  readonly #held = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param patience Milliseconds for which nobody may hold an answer. */
  constructor(patience: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#resolve = resolve;
    this.#patience = patience;
  }

  /** The body of an answer to hold. */
  hold(): ReadableStream<Uint8Array> {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => {
        own = controller;
        clearTimeout(this.#timer);
        this.#held.add(own);
        own.enqueue(new TextEncoder().encode("\n")); // with it the headers go
      },
      cancel: () => {
        if (!this.#held.delete(own) || this.#held.size > 0) return;
        this.#timer = setTimeout(this.#resolve, this.#patience);
      },
    });
  }

  /** Nobody need be waited for, unless somebody holds an answer. */
  leave(): void {
    if (this.#held.size === 0) this.#resolve();
  }

  /**
   * Ends every answer: the question is over.
   *
   * @param how What was picked; empty where nothing was.
   */
  close(how: string): void {
    clearTimeout(this.#timer);
    const held = [...this.#held];
    this.#held.clear();
    for (const one of held) {
      one.enqueue(new TextEncoder().encode(how));
      one.close();
    }
  }
}
