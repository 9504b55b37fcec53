import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  pick,
  pickAt as answerAt,
  type PickOptions,
} from "../../src/notebook/pick.ts";
import { pickStartAt } from "../../src/notebook/pick_start.ts";
import type { PickHost } from "../../src/notebook/ask.ts";
import type { Proposal } from "../../src/spa/cluster.ts";
import type { Point } from "../../src/spa/feedback.ts";
import type { Box } from "../../src/spa/frame.ts";
import type { Action } from "../../src/spa/feedback.ts";
import { randomUser } from "../../src/spa/simulated_user.ts";
import { createRandom } from "../../src/random.ts";
import { opensFor, playHost, posts, urlOf } from "../helpers/pick_host.ts";
import { grayImage as image, handProposal } from "../helpers/proposal.ts";

const proposal = handProposal();

/** The same, whose recommendation has a hole and a part aside. */
const ringed: Proposal = (() => {
  const { recommended } = proposal;
  const mask = ndarray(recommended.mask.data.slice(), [12, 16]);
  mask.set(5, 5, 0);
  for (const x of [12, 13]) for (const y of [1, 2]) mask.set(y, x, 1);
  return { ...proposal, recommended: { ...recommended, mask } };
})();

async function pickAt(host: PickHost, from: Proposal, options: PickOptions) {
  return (await answerAt(host, from, options)).picked;
}

/** Whether a port of this machine is free again. */
function isFree(url: string): boolean {
  Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(url).port) })
    .close();
  return true;
}

Deno.test("pick() gives what is clicked, and leaves a still picture", async () => {
  const picks: [string, Action, RegExp][] = [
    ["candidate/1", { kind: "choose", candidate: 1 }, /Candidate 2 picked/],
    ["accept", { kind: "accept" }, /Recommendation accepted/],
    ["undo", { kind: "undo" }, /One step back/],
    ["none", { kind: "again" }, /None of these/],
    [
      "point/3/4/0",
      { kind: "click", point: { x: 3, y: 4, label: 0 } },
      /Click outside at \(3, 4\)/,
    ],
  ];
  for (const [path, expected, words] of picks) {
    const host = playHost({ browser: posts(path) });
    assert.deepEqual(await pickAt(host, proposal, { image }), expected);
    const [panel, still] = host.shown;
    assert.equal(host.shown.length, 2);
    assert.ok(isFree(urlOf(panel)!));
    assert.match(String(still["text/plain"]), words);
    assert.match(String(still["image/png"]), /^iVBORw0KGgo/);
    assert.equal(urlOf(still), undefined);
    assert.deepEqual(host.asked, []);
  }
});

Deno.test("the panel has a link for all that can be picked, so that it works without scripts", async () => {
  for (const undo of [true, false]) {
    const host = playHost({
      browser: async (url) => await (await fetch(`${url}/accept`)).text(),
    });
    await pickAt(host, proposal, { image, undo });
    const html = String(host.shown[0]["text/html"])
      .replaceAll(/<(style|script)>[^]*?<\/\1>/g, "");
    const url = urlOf(host.shown[0])!;
    const links = [...html.matchAll(/<a [^>]*href="([^"]+)"/g)]
      .map(([, href]) => href.slice(url.length));
    assert.deepEqual(links, [
      "/candidate/0",
      "/accept/0",
      "/candidate/1",
      "/accept/1",
      "/candidate/2",
      "/accept/2",
      "/candidate/3",
      "/accept/3",
      "/accept",
      "/none",
      ...(undo ? ["/undo"] : []),
      "", // the panel as a page
    ]);
    assert.ok(html.includes(`src="${url}/shown"`));
  }
});

Deno.test("any candidate is accepted as it is shown, with repairs or without", async () => {
  const host = playHost({ browser: posts("accept/1/largest/holes") });
  const picked = await pickAt(host, ringed, { image });
  assert.deepEqual(picked, {
    kind: "accept",
    candidate: 1,
    largestComponent: true,
    fillHoles: true,
  });
  const html = String(host.shown[0]["text/html"]);
  // 2 x 2 pixels aside and a hole of one, in the recommendation
  assert.match(html, /largest part only \(−4 px\)/);
  assert.match(html, /fill holes \(\+1 px\)/);
  assert.match(
    String(host.shown[1]["text/plain"]),
    /Candidate 2 accepted, largest part only, holes filled/,
  );
  const plain = playHost({ browser: posts("accept") });
  await pickAt(plain, proposal, { image });
  assert.doesNotMatch(String(plain.shown[0]["text/html"]), /data-repair="/);
});

Deno.test("a session's pick offers to look closer while the clicks stay in the region, and wider while there is more of the image", async () => {
  const cases: [Box, Point[], string[]][] = [
    [{ left: 1, top: 1, right: 11, bottom: 11 }, [{ x: 6, y: 6 }], [
      "closer",
      "wider",
    ]],
    // at the region's corner: looking closer would leave it out
    [{ left: 1, top: 1, right: 11, bottom: 11 }, [{ x: 2, y: 6 }], ["wider"]],
    [{ left: 1, top: 1, right: 11, bottom: 11 }, [
      { x: 6, y: 6 },
      { x: 2, y: 6, label: 0 },
    ], ["closer", "wider"]],
    // the whole image
    [{ left: -2.5, top: -2.5, right: 15.5, bottom: 15.5 }, [], ["closer"]],
  ];
  for (const [region, points, expected] of cases) {
    const host = playHost({ browser: posts("accept") });
    const options = { image, points, zoom: true };
    await pickAt(host, { ...proposal, region }, options);
    const html = String(host.shown[0]["text/html"]);
    const offered = ["closer", "wider"].filter((path) =>
      html.includes(`data-path="${path}"`)
    );
    assert.deepEqual(offered, expected, JSON.stringify(region));
  }
  const host = playHost({ browser: posts("accept") });
  await pickAt(host, proposal, { image, zoom: true }); // of no known region
  assert.ok(!String(host.shown[0]["text/html"]).includes('data-path="closer"'));
});

Deno.test("what is wrong with a recommendation is said in the panel, in the still picture and at the prompt", async () => {
  const text = "The recommendation is empty: click again.";
  const doubtful: Proposal = { ...proposal, notice: { kind: "empty", text } };
  const host = playHost({ browser: posts("accept") });
  await pickAt(host, doubtful, { image });
  assert.ok(String(host.shown[0]["text/html"]).includes('role="alert"'));
  for (
    const shown of [host.shown[0]["text/html"], host.shown[1]["text/plain"]]
  ) {
    assert.ok(String(shown).includes(text));
  }
  const typed = playHost({ lines: ["a"], notebook: false });
  await pickAt(typed, doubtful, { image });
  assert.ok(typed.asked[0].includes(text));
});

Deno.test("a tall image's pictures are bounded, and their proportions kept", async () => {
  const tall = ndarray(new Float32Array(300 * 60), [300, 60, 1]);
  const host = playHost({ browser: posts("point/59/299/1") });
  await pickStartAt(host, tall);
  const html = String(host.shown[0]["text/html"]);
  assert.match(html, /width="124" height="620" viewBox="0 0 124 620"/);
  assert.match(html, /--spa-aspect:0.2"/);
});

Deno.test("text in a panel stays text", async () => {
  const host = playHost({ browser: posts("accept") });
  const title = `</title><script>alert("x")</script>`;
  await pickAt(host, proposal, { image, title });
  const html = String(host.shown[0]["text/html"]);
  assert.ok(html.includes("&lt;script&gt;alert(&quot;x&quot;)"));
  assert.ok(!html.includes("<script>alert"));
});

Deno.test("an answer says who gave it, and in how long", async () => {
  const browser = (url: string) => void setTimeout(posts("accept"), 200, url);
  let start = performance.now();
  const passed = () => (performance.now() - start) / 1000;
  const clicked = await answerAt(playHost({ browser }), proposal, { image });
  assert.equal(clicked.by, "browser");
  assert.ok(clicked.seconds > 0.15 && clicked.seconds <= passed());
  start = performance.now();
  const typed = await answerAt(playHost({ lines: ["a"] }), proposal, {
    ...{ image, patience: 0.2 },
  });
  const longest = passed() - 0.19; // a timer may be early by a few milliseconds
  assert.equal(typed.by, "prompt");
  assert.ok(typed.seconds < longest, "the wait for a browser does not count");
});

Deno.test("a panel that is seen waits longer than the patience", async () => {
  const host = playHost({
    lines: ["a"],
    browser: async (url) => {
      await (await fetch(`${url}/shown`)).text();
      setTimeout(() => posts("candidate/0")(url), 400);
    },
  });
  const picked = await pickAt(host, proposal, { image, patience: 0.2 });
  assert.deepEqual(picked, { kind: "choose", candidate: 0 });
  assert.deepEqual(host.asked, []);
});

Deno.test("a notebook's question stays open although its panel is closed, and the panel drawn anew answers it", async () => {
  const host = playHost({
    lines: ["3"],
    browser: async (url) => {
      await opensFor(100)(url);
      setTimeout(posts("candidate/1"), 600, url); // three times the patience
    },
  });
  const picked = await pickAt(host, proposal, { image, patience: 0.2 });
  assert.deepEqual(picked, { kind: "choose", candidate: 1 });
  assert.deepEqual(host.asked, []);
});

Deno.test("a notebook's cell that is run again rejects, a terminal's closed panel asks at the prompt", async () => {
  const options = {
    image,
    by: "browser",
    patience: 0.2,
    auto: () => 0,
  } as const;
  const host = playHost({
    lines: ["3"],
    browser: async (url) => {
      await opensFor(50)(url);
      const left = () => fetch(`${url}/closed`, { method: "POST" });
      // the end of the held answer takes a moment to be heard
      while (await left().then((r) => r.text(), () => "") === "Closed.");
    },
  });
  await assert.rejects(pickAt(host, proposal, options), {
    message: /panel must stay open .* closed. Run the cell again/,
  });
  assert.deepEqual(host.asked, []);
  assert.match(String(host.shown[1]["text/plain"]), /Nothing was picked/);
  assert.ok(isFree(urlOf(host.shown[0])!));
  const terminal = playHost({
    browser: opensFor(50),
    lines: ["3"],
    notebook: false,
  });
  const picked = await pickAt(terminal, proposal, options);
  assert.deepEqual(picked, { kind: "choose", candidate: 2 });
});

Deno.test("a prompt without a line gives way to a new panel, and whoever comes back is asked there", async () => {
  let panels = 0;
  const host = playHost({
    browser: (url) => ++panels === 3 && posts("candidate/3")(url),
  });
  const patient = { ...host, ask: () => undefined };
  const options = { image, patience: 0.05 };
  const picked = await pickAt(patient, proposal, options);
  assert.deepEqual(picked, { kind: "choose", candidate: 3 });
  assert.equal(panels, 3);
  // a rule is not kept waiting
  const ruled = await pickAt(patient, proposal, { ...options, auto: () => 0 });
  assert.deepEqual(ruled, { kind: "choose", candidate: 0 });
  assert.equal(panels, 4);
});

Deno.test("where no browser answers a prompt is asked, until it makes sense", async () => {
  const host = playHost({ lines: ["what?", "9", "-3,4"] });
  const options = { image, patience: 0.05, auto: () => 0 };
  const picked = await pickAt(host, proposal, options);
  assert.deepEqual(picked, { kind: "click", point: { x: 3, y: 4, label: 0 } });
  assert.equal(host.asked.length, 3);
  assert.match(host.asked[0], /^Which is nearest.*1 to 4 picks, a accepts/);
  assert.match(host.asked[1], /^Not understood: what\?\. Which/);
  assert.equal(host.shown.length, 2); // the panel, then a still picture
  assert.ok(isFree(urlOf(host.shown[0])!));
});

Deno.test("after a panel that no browser showed, the next pick tries the browser again", async () => {
  let shows = false;
  const browser = (url: string) => shows && posts("candidate/3")(url);
  const host = playHost({ browser, lines: ["1", "2"] });
  const next = async () => {
    const options = { image, patience: shows ? 10 : 0.05 };
    const { picked, by } = await answerAt(host, proposal, options);
    return `${by} ${picked.kind === "choose" && picked.candidate}`;
  };
  const panels = () => host.shown.filter(urlOf).length;
  assert.equal(await next(), "prompt 0");
  assert.equal(host.known.typed, true);
  assert.equal(await next(), "prompt 1");
  assert.equal(panels(), 2);
  shows = true;
  assert.equal(await next(), "browser 3");
  assert.equal(host.known.typed, false);
});

Deno.test("where no prompt answers the rule does, a simulated user too", async () => {
  const rules = [
    { auto: () => 2, expected: { kind: "choose", candidate: 2 } },
    {
      auto: () => Promise.resolve({ kind: "accept" } as const),
      expected: { kind: "accept" },
    },
    {
      auto: randomUser(),
      expected: { kind: "choose", candidate: createRandom(5).integer(4) },
    },
  ];
  for (const { auto, expected } of rules) {
    const host = playHost();
    const picked = await pickAt(host, proposal, {
      image,
      patience: 0.05,
      auto,
      random: createRandom(5),
    });
    assert.deepEqual(picked, expected);
    assert.equal(host.asked.length, 1);
    assert.match(String(host.shown.at(-1)!["text/plain"]), /, by a rule/);
  }
});

Deno.test("`by` says who is asked first", async () => {
  const browser = posts("undo");
  const options = { image, auto: () => 3 };
  const asking = (by: "browser" | "prompt" | "auto", notebook: boolean) =>
    pickAt(playHost({ browser, lines: ["n"], notebook }), proposal, {
      ...options,
      by,
    });
  for (const notebook of [true, false]) {
    assert.equal((await asking("browser", notebook)).kind, "undo");
    assert.equal((await asking("prompt", notebook)).kind, "again");
    assert.equal((await asking("auto", notebook)).kind, "choose");
  }
  const terminal = playHost({ browser, lines: ["n"], notebook: false });
  assert.equal((await pickAt(terminal, proposal, options)).kind, "again");
  assert.deepEqual(terminal.shown, []);
});

Deno.test("where nobody answers the error says what to pass", async () => {
  const host = playHost();
  await assert.rejects(pickAt(host, proposal, { image, patience: 0.05 }), {
    name: "Error",
    message: /must answer, a browser .* a prompt, or a rule passed as `auto`/,
  });
  assert.match(String(host.shown.at(-1)!["text/plain"]), /Nothing was picked/);
  await assert.rejects(
    pickAt(playHost(), proposal, { image, by: "auto", auto: () => 4 }),
    /one of the 4 candidates .* current value is .*4/,
  );
  await assert.rejects(
    pickAt(playHost(), handProposal(), {
      image: image.hi(12, 15, 1),
      by: "auto",
      auto: () => 0,
    }),
    /RangeError: Cannot pick as the image must be of the proposal's size, \[12,16\]: current value is \[12,15\]/,
  );
});

Deno.test("the image is the proposal's own, unless one of its size is given", async () => {
  const predictions = { ...proposal.predictions, image };
  const by = { by: "auto", auto: () => 0 } as const;
  const picked = { kind: "choose", candidate: 0 };
  const host = playHost();
  assert.deepEqual(
    await pickAt(host, { ...proposal, predictions }, by),
    picked,
  );
  assert.match(String(host.shown[0]["image/png"]), /^iVBORw0KGgo/);
  await assert.rejects(
    pickAt(host, proposal, by),
    /^TypeError: Cannot pick as the image must be known by the proposal or given as `image`: current value is undefined/,
  );
  const small = ndarray(new Float32Array(4 * 5), [4, 5, 1]);
  await assert.rejects(
    pickAt(host, proposal, { ...by, image: small }),
    /the image must be of the proposal's size, \[12,16\]: current value is \[4,5\]/,
  );
  const truth = ndarray(new Uint8Array(4 * 5), [4, 5]);
  await assert.rejects(
    pickAt(host, proposal, { ...by, image, truth }),
    /the reference must be of the proposal's size/,
  );
});

Deno.test("pick() outside a notebook, with nobody at the terminal, takes the rule", async () => {
  const picked = await pick(proposal, { image, by: "auto", auto: () => 1 });
  assert.deepEqual(picked, { kind: "choose", candidate: 1 });
});

Deno.test("an interrupt rejects the pick whoever is asked, and the process lives", async () => {
  for (const phase of ["browser", "prompt", "rule"]) {
    const { stdout, code, signal } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "tests/helpers/interrupted_pick.ts",
        phase,
      ],
      stderr: "inherit",
    }).output();
    assert.deepEqual([code, signal], [0, null], phase);
    const said = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(said.name, "AbortError");
    assert.match(said.message, /interrupt; nothing was picked/);
    assert.match(said.still, /Nothing was picked/);
    assert.equal(said.asked.length, phase === "rule" ? 1 : 0);
  }
});

Deno.test("a signal stops the wait with its reason", async () => {
  const early = AbortSignal.abort(new Error("never mind"));
  const late = new AbortController();
  const host = playHost({ browser: () => late.abort(new Error("too late")) });
  const asking = (signal: AbortSignal) =>
    pickAt(host, proposal, { image, signal });
  await assert.rejects(asking(early), /never mind/);
  await assert.rejects(asking(late.signal), /too late/);
  assert.ok(isFree(urlOf(host.shown.findLast(urlOf)!)!));
});

Deno.test("pickStart() gives a click inside, or a box, and offers nothing else", async () => {
  const host = playHost({ browser: posts("point/9/2/1") });
  assert.deepEqual(await pickStartAt(host, image), {
    start: { points: [{ x: 9, y: 2, label: 1 }] },
    by: "browser",
  });
  assert.match(String(host.shown[1]["text/plain"]), /Click inside at \(9, 2\)/);

  const drawn = playHost({ browser: posts("box/3/4/16/9") });
  assert.deepEqual(await pickStartAt(drawn, image), {
    // from pixel edge to pixel edge, but for the image's own edge
    start: { box: { left: 2.5, top: 3.5, right: 15, bottom: 8.5 } },
    by: "browser",
  });
  assert.match(
    String(drawn.shown[1]["text/plain"]),
    /Box \(3, 4\) to \(15, 8\)/,
  );

  const lines = ["-9,2", "a", "1", "box 3,4,3,9", "9,2"];
  const typed = playHost({ lines, notebook: false });
  const { start } = await pickStartAt(typed, image);
  assert.deepEqual(start, { points: [{ x: 9, y: 2, label: 1 }] });
  assert.equal(typed.asked.length, 5);
  assert.match(
    typed.asked[0],
    /x,y clicks inside, box left,top,right,bottom goes around it/,
  );
  const rule = {
    by: "auto",
    auto: () => ({ points: [{ x: 3, y: 4 }] as const }),
  } as const;
  assert.deepEqual(await pickStartAt(playHost(), image, rule), {
    start: { points: [{ x: 3, y: 4, label: 1 }] },
    by: "auto",
  });
});
