import assert from "node:assert/strict";
import { openPickServer } from "../../src/notebook/pick_server.ts";
import type { Choices } from "../../src/notebook/picked.ts";

const choices: Choices = {
  candidates: 4,
  width: 16,
  height: 12,
  offered: new Set(["accept", "undo", "none", "outside"]),
};

/** A server, closed in the end, and whether something was picked or shown. */
function open(patience = 10_000) {
  const page = (url: string) => `<p>the panel at ${url}`;
  const server = openPickServer(choices, page, patience);
  const state = { picked: false, shown: false, gone: false };
  server.gone.then(() => state.gone = true);
  server.picked.then(() => state.picked = true);
  server.shown.then(() => state.shown = true);
  return {
    ...server,
    state,
    port: Number(new URL(server.url).port),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** The status of a request; its body is read to the end. */
async function status(url: string, init?: RequestInit): Promise<number> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
}

/** The first line that the server sends on a connection of its own. */
async function firstLine(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(1000);
  const count = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).split(
    "\r",
  )[0];
}

Deno.test("a POST with the token picks, once", async () => {
  await using server = open();
  const response = await fetch(`${server.url}/candidate/2`, {
    method: "POST",
    headers: { origin: "http://localhost:8888" },
  });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "Candidate 3 picked.");
  assert.equal(
    response.headers.get("access-control-allow-origin"),
    "http://localhost:8888",
  );
  assert.deepEqual(await server.picked, { kind: "choose", candidate: 2 });
  assert.equal(await status(`${server.url}/accept`, { method: "POST" }), 409);
});

Deno.test("a link followed picks, and its page says what", async () => {
  await using server = open();
  const response = await fetch(`${server.url}/point/3/4/0`, {
    headers: { "sec-fetch-dest": "document", "sec-fetch-site": "cross-site" },
  });
  assert.match(await response.text(), /Click outside at \(3, 4\)/);
  assert.match(response.headers.get("content-type")!, /text\/html/);
  assert.deepEqual(await server.picked, {
    kind: "click",
    point: { x: 3, y: 4, label: 0 },
  });
});

Deno.test("the panel is a page, and tells that it is seen", async () => {
  await using server = open();
  const page = await fetch(server.url);
  assert.equal(await page.text(), `<p>the panel at ${server.url}`);
  assert.equal(server.state.shown, false);
  const picture = await fetch(`${server.url}/shown`);
  assert.equal(picture.headers.get("content-type"), "image/svg+xml");
  await picture.body?.cancel();
  await server.shown;
  assert.equal(server.state.picked, false);
});

Deno.test("an open panel holds an answer; without any for long it is gone", async () => {
  await using server = open(150);
  const pause = (ms: number) => new Promise((r) => setTimeout(r, ms));
  const hold = async () => {
    const closing = new AbortController();
    const { signal } = closing;
    const { body } = await fetch(`${server.url}/open`, { signal });
    body!.getReader().read().catch(() => {});
    return closing;
  };
  await pause(200);
  assert.equal(server.state.shown, false);
  assert.equal(server.state.gone, false); // as nobody was there
  const [one, two] = [await hold(), await hold()];
  assert.equal(server.state.shown, true);
  one.abort();
  await pause(250);
  assert.equal(server.state.gone, false);
  two.abort();
  await pause(50);
  const again = await hold(); // a page that was loaded anew
  await pause(250);
  assert.equal(server.state.gone, false);
  again.abort();
  await server.gone;
});

Deno.test("a panel that says it is closed is gone at once, unless another is open", async () => {
  await using server = open();
  const closed = () => status(`${server.url}/closed`, { method: "POST" });
  const { body } = await fetch(`${server.url}/open`);
  const reader = body!.getReader();
  await reader.read();
  assert.equal(await closed(), 200);
  assert.equal(server.state.gone, false);
  await reader.cancel();
  while (!server.state.gone) await closed(); // the end takes a moment to be heard
  assert.equal(server.state.picked, false);
});

Deno.test("close() ends the answers that are held, and says what was picked", async () => {
  const server = open();
  const response = await fetch(`${server.url}/open`);
  const ended = response.text();
  await server.close();
  assert.equal((await ended).trim(), "");
  const other = open();
  const waits = (await fetch(`${other.url}/open`)).text();
  assert.equal(await status(`${other.url}/undo`, { method: "POST" }), 200);
  await other.close();
  assert.equal((await waits).trim(), "One step back."); // in the other's words
  assert.equal(server.state.gone, false);
});

Deno.test("nothing without the token picks, sees the panel, or learns more than 404", async () => {
  await using server = open();
  const base = `http://127.0.0.1:${server.port}`;
  const token = server.url.slice(base.length + 1);
  assert.match(token, /^[\w-]{32}$/); // 192 random bits
  const last = token.at(-1) === "A" ? "B" : "A";
  const wrong = [
    "",
    "accept",
    "shown",
    token.slice(0, -1),
    token.slice(0, -1) + last,
    `${token}x`,
    token.toLowerCase() === token ? "x" : token.toLowerCase(),
    `x/${token}/accept`,
    `/${token}/accept`,
    `%2f${token}/accept`,
    `?${token}/accept`,
  ];
  for (const path of wrong) {
    for (const method of ["GET", "POST", "PUT", "OPTIONS"]) {
      const at = `${base}/${path}`;
      assert.equal(await status(at, { method }), 404, `${method} ${at}`);
    }
  }
  assert.deepEqual(server.state, { picked: false, shown: false, gone: false });
});

Deno.test("a Host that is no host is answered 404, and nothing is printed", async () => {
  await using server = open();
  const { pathname } = new URL(server.url);
  const printed: unknown[] = [];
  const { error } = console;
  console.error = (...values) => printed.push(...values);
  try {
    for (const host of ["[::", "a b"]) {
      const line = await firstLine(
        server.port,
        `POST ${pathname}/accept HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      );
      assert.equal(line, "HTTP/1.1 404 Not Found");
    }
  } finally {
    console.error = error;
  }
  assert.deepEqual(printed, []);
  assert.deepEqual(server.state, { picked: false, shown: false, gone: false });
});

Deno.test("with the token, wrong methods, origins, paths, bodies and prefetches are refused", async () => {
  await using server = open();
  const accept = `${server.url}/accept`;
  for (const method of ["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]) {
    assert.equal(await status(accept, { method }), 405, method);
  }
  const origins = [
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:80",
    "http://evil.example/http://localhost",
    "https://192.168.1.4:8888",
  ];
  for (const origin of origins) {
    for (const method of ["GET", "POST"]) {
      const init = { method, headers: { origin } };
      const response = await fetch(accept, init);
      await response.body?.cancel();
      assert.equal(response.status, 403, origin);
      assert.equal(response.headers.get("access-control-allow-origin"), null);
    }
  }
  for (const path of ["candidate/4", "point/16/0/1", "quit", "accept/", "x"]) {
    assert.equal(
      await status(`${server.url}/${path}`, { method: "POST" }),
      404,
    );
  }
  assert.equal(await status(server.url, { method: "POST" }), 404);
  const byBody = { method: "POST", body: "accept" };
  assert.equal(await status(accept, byBody), 413);
  const notClicks: Record<string, string>[] = [
    { "sec-fetch-dest": "image" },
    { "sec-fetch-dest": "iframe" },
    { "sec-purpose": "prefetch;prerender" },
    { purpose: "prefetch" },
  ];
  for (const headers of notClicks) {
    assert.equal(await status(accept, { headers }), 403);
  }
  assert.deepEqual(server.state, { picked: false, shown: false, gone: false });
});

Deno.test("JupyterLab on any port of this machine, VS Code and files may pick", async () => {
  const origins = [
    "http://localhost:8888",
    "http://127.0.0.1:8889",
    "https://localhost",
    "http://[::1]:8888",
    "vscode-webview://0a1b",
    "null",
  ];
  for (const origin of origins) {
    await using server = open();
    const init = { method: "POST", headers: { origin } };
    assert.equal(await status(`${server.url}/none`, init), 200, origin);
  }
});

Deno.test("the page of a server that passes requests on may pick, another page through it may not", async () => {
  const through = {
    host: "hub.example",
    "x-forwarded-context": "/user/me/proxy/80",
  };
  const cases: [Record<string, string>, number][] = [
    [{ ...through, origin: "https://hub.example" }, 200],
    [{ ...through, origin: "https://evil.example" }, 403],
    [{ ...through, origin: "https://hub.example.evil.example" }, 403],
    [{ ...through, origin: "https://hub.example:444" }, 403],
    [{ host: "hub.example", origin: "https://hub.example" }, 403], // rebound
  ];
  for (const [headers, expected] of cases) {
    await using server = open();
    const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
    const { pathname } = new URL(server.url);
    const line = await firstLine(
      server.port,
      `POST ${pathname}/none HTTP/1.1\r\n${lines.join("")}\r\n`,
    );
    assert.match(line, new RegExp(`^HTTP/1.1 ${expected} `));
    assert.equal(server.state.picked, expected === 200);
  }
});

Deno.test("through a server that passes requests on, a wrong token, another question's and a picture of another page pick nothing", async () => {
  const through = {
    host: "hub.example",
    "x-forwarded-context": "/user/me/proxy/80",
    origin: "https://hub.example",
  };
  const { origin: _, ...withoutOrigin } = through;
  const earlier = open();
  const { pathname: stale } = new URL(earlier.url);
  await earlier.close(); // answered, or its cell was run again
  await using server = open(); // a later question, on whatever port
  const { pathname: own } = new URL(server.url);
  const cases: [string, string, Record<string, string>, number][] = [
    ["POST", "", through, 404],
    ["POST", own.slice(0, -1), through, 404],
    ["POST", `${own}x`, through, 404],
    ["POST", stale, through, 404],
    ["GET", stale, withoutOrigin, 404],
    ["GET", own, { ...withoutOrigin, "sec-fetch-dest": "image" }, 403],
    ["GET", own, { ...withoutOrigin, "sec-fetch-dest": "iframe" }, 403],
    ["GET", own, { ...withoutOrigin, "sec-purpose": "prefetch" }, 403],
    ["OPTIONS", own, { ...through, origin: "https://evil.example" }, 403],
  ];
  for (const [method, path, headers, expected] of cases) {
    const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
    const line = await firstLine(
      server.port,
      `${method} ${path}/accept HTTP/1.1\r\n${lines.join("")}\r\n`,
    );
    assert.match(
      line,
      new RegExp(`^HTTP/1.1 ${expected} `),
      `${method} ${path}`,
    );
  }
  assert.deepEqual(server.state, { picked: false, shown: false, gone: false });
  // the question is still open, and its own page answers it
  const init = { method: "POST", headers: { origin: "http://localhost" } };
  assert.equal(await status(`${server.url}/accept`, init), 200);
});

Deno.test("bodies are refused unread, whether huge, slow or of unknown length", async () => {
  await using server = open();
  const path = new URL(server.url).pathname + "/accept";
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
  const requests = [
    `${head}Content-Length: 1000000000000\r\n\r\nabc`,
    `${head}Content-Length: 7\r\n\r\na`,
    `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  ];
  for (const request of requests) {
    const line = await firstLine(server.port, request);
    assert.equal(line, "HTTP/1.1 413 Payload Too Large");
  }
  assert.equal(server.state.picked, false);
});

Deno.test("10,000 requests pick nothing, and the right one still does", async () => {
  await using server = open();
  const base = `http://127.0.0.1:${server.port}`;
  const counts = new Map<number, number>();
  const attack = async (from: number) => {
    for (let i = from; i < 10_000; i += 8) {
      const guess = crypto.getRandomValues(new Uint8Array(24))
        .toBase64({ alphabet: "base64url" });
      const code = await status(`${base}/${guess}/accept`, {
        method: i % 2 ? "POST" : "GET",
      });
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, k) => attack(k)));
  assert.deepEqual([...counts], [[404, 10_000]]);
  assert.equal(server.state.picked, false);
  assert.equal(await status(`${server.url}/undo`, { method: "POST" }), 200);
  assert.deepEqual(await server.picked, { kind: "undo" });
});

Deno.test("close() ends every connection, slow ones too, and frees the port", async () => {
  const server = open();
  const connect = () =>
    Deno.connect({ hostname: "127.0.0.1", port: server.port });
  using idle = await connect();
  using slow = await connect();
  const path = new URL(server.url).pathname;
  await slow.write(new TextEncoder().encode(`POST ${path}/acc`));
  await server.close(); // without waiting for the rest of a request
  for (const connection of [idle, slow]) {
    const end = await connection.read(new Uint8Array(9)).catch(() => null);
    assert.equal(end, null);
  }
  await assert.rejects(connect(), Deno.errors.ConnectionRefused);
  Deno.listen({ hostname: "127.0.0.1", port: server.port }).close();
});

Deno.test("a pick's own answer arrives although the server is closed at once", async () => {
  for (let i = 0; i < 20; i++) {
    const server = open();
    const response = fetch(`${server.url}/accept`, { method: "POST" });
    await server.picked;
    await server.close();
    assert.equal(await (await response).text(), "Recommendation accepted.");
  }
});

Deno.test("the server listens on the loopback address alone", async () => {
  await using server = open();
  const others = Deno.networkInterfaces()
    .filter(({ address, family }) =>
      family === "IPv4" && !address.startsWith("127.")
    );
  for (const { address } of others) {
    await assert.rejects(
      Deno.connect({ hostname: address, port: server.port }),
      Deno.errors.ConnectionRefused,
      address,
    );
  }
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\//);
});
