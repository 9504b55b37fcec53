/** The panel's script in a page without layout; positions are played. */
import assert from "node:assert/strict";
import { JSDOM } from "jsdom";
import { pickPanel } from "../../src/notebook/pick_panel.ts";
import { choicesOf } from "../../src/notebook/pick.ts";
import { grayImage as image, handProposal } from "../helpers/proposal.ts";

const choices = choicesOf(image, 4, [
  ...["accept", "none", "outside", "undo", "closer", "wider"] as const,
]);
const plain = handProposal();
/** Its recommendation of 16 pixels has a part of one more aside. */
const proposal = {
  ...plain,
  recommended: { ...plain.recommended, mask: withPixel(10, 14) },
};
const draw = await pickPanel({ image, choices, proposal, title: "Which?" });

function withPixel(row: number, column: number) {
  const { mask } = handProposal().recommended;
  mask.set(row, column, 1);
  return mask;
}

const URL_OF_PICKS = "http://127.0.0.1:9/token";

/**
 * A page with the panel, whose requests are answered by `answer`.
 *
 * @param ended When the kernel ends the question, or fails to be reached.
 * @param until Until when a browser was waited for.
 * @param memory What the page before has left.
 */
function open(
  answer: (path: string) => Promise<string>,
  ended: Promise<string> = new Promise(() => {}),
  until = Date.now() + 60_000,
  memory?: string,
) {
  const sent: string[] = [];
  const { window } = new JSDOM(draw(URL_OF_PICKS, until).page, {
    url: "http://localhost:8888/lab",
    runScripts: "dangerously",
    // deno-lint-ignore no-explicit-any -- jsdom's window, which has no types here
    beforeParse(window: any) {
      Object.assign(window, {
        CSS: { escape: (text: string) => text.replaceAll(/\W/g, "\\$&") },
        fetch: async (url: string, { method }: { method?: string } = {}) => {
          const near = url.startsWith(URL_OF_PICKS);
          const path = near ? url.slice(URL_OF_PICKS.length + 1) : url;
          if (/(^|\/)open$/.test(path)) {
            return { text: ((end) => () => end)(await ended) };
          }
          sent.push(`${method} ${path}`);
          return {
            text: ((said) => () => said)(await answer(path)),
            ok: true,
            headers: new Headers({ "content-type": "image/svg+xml" }),
          };
        },
      });
      if (memory) window.localStorage.setItem("spa-pick", memory);
      // it lays nothing out and loads no pictures
      Object.defineProperty(window.HTMLImageElement.prototype, "complete", {
        value: false,
      });
      window.Element.prototype.getBoundingClientRect = () => {
        const box = { left: 100, top: 50, width: 320, height: 240 };
        return { ...box, toJSON: () => box } as DOMRect;
      };
    },
  });
  const find = (selector: string) =>
    window.document.querySelector<HTMLElement>(selector)!;
  const click = (selector: string, x = 0, y = 0, shiftKey = false) =>
    find(selector).dispatchEvent(
      new window.MouseEvent("click", {
        ...{ bubbles: true, cancelable: true, shiftKey },
        ...{ clientX: x, clientY: y },
      }),
    );
  const press = (key: string, rest = {}) =>
    find(".spa-pick").dispatchEvent(
      new window.KeyboardEvent("keydown", {
        ...{ bubbles: true, cancelable: true, key, ...rest },
      }),
    );
  return { sent, find, click, press, window };
}

/** Waits until what is awaited in the page has happened. */
async function until(happened: () => boolean): Promise<void> {
  for (let i = 0; i < 6000 && !happened(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(happened());
}

const said = () => Promise.resolve("Done.");

Deno.test("a click on a candidate or a button is sent, once", async () => {
  for (const path of ["candidate/2", "accept", "none", "undo"]) {
    const { sent, find, click, window } = open(said);
    const followed = click(`a[data-path="${path}"] span`);
    assert.equal(followed, false); // the link itself is not
    click("a[data-path=accept]");
    const status = find(".spa-pick-status");
    await until(() => status.textContent === "Done.");
    assert.deepEqual(sent, [`POST ${path}`]);
    assert.ok(find(".spa-pick").classList.contains("spa-pick-done"));
    window.close();
  }
});

Deno.test("a repair is shown on the recommendation, and goes with every acceptance", async () => {
  for (
    const [selector, expected] of [
      ["a[data-path=accept]", "POST accept/largest"],
      ["a[data-path='accept/2']", "POST accept/2/largest"],
      ["a[data-path='candidate/1']", "POST candidate/1"],
    ]
  ) {
    const { sent, find, click, window } = open(said);
    const seen = () =>
      ["", "largest"].filter((name) =>
        find(`[data-repaired="${name}"]`).style.display !== "none"
      );
    assert.deepEqual(seen(), [""]);
    assert.equal(find("input[data-repair=holes]"), null); // none has any
    find("input[data-repair=largest]").click();
    assert.deepEqual(seen(), ["largest"]);
    click(selector);
    await until(() => sent.length > 0);
    assert.deepEqual(sent, [expected]);
    window.close();
  }
});

Deno.test("keys pick, but neither held ones nor those of commands", () => {
  const keys: [string, object, string[]][] = [
    ["1", {}, ["POST candidate/0"]],
    ["4", {}, ["POST candidate/3"]],
    ["5", {}, []],
    ["a", {}, ["POST accept"]],
    ["N", {}, ["POST none"]],
    ["u", {}, ["POST undo"]],
    ["!", { code: "Digit1", shiftKey: true }, ["POST accept/0"]],
    ["+", { code: "Equal", shiftKey: true }, ["POST closer"]],
    ["=", { code: "Equal" }, ["POST closer"]],
    ["-", {}, ["POST wider"]],
    ["a", { ctrlKey: true }, []],
    ["1", { repeat: true }, []],
    ["'", {}, []],
  ];
  for (const [key, rest, expected] of keys) {
    const { sent, press, window } = open(said);
    press(key, rest);
    assert.deepEqual(sent, expected, key);
    window.close();
  }
});

Deno.test("the notebook gets no bare letter, and every key with Ctrl, Meta or Alt", () => {
  const keys: [string, object, boolean][] = [
    ["s", { ctrlKey: true }, true],
    ["1", { metaKey: true }, true],
    ["a", { altKey: true }, true],
    ["Enter", { shiftKey: true }, true],
    ["Escape", {}, true],
    ["a", {}, false],
    ["x", {}, false],
    ["7", {}, false],
    [" ", {}, false],
  ];
  for (const [key, rest, expected] of keys) {
    const { find, press, window } = open(said);
    let got = false;
    window.document.addEventListener("keydown", () => got = true);
    press(key, rest);
    assert.equal(got, expected, key);
    assert.equal(find("[data-lm-suppress-shortcuts]"), null);
    window.close();
  }
});

Deno.test("a panel takes the keyboard when it is pressed on, not when passed over", async () => {
  const { find, click, window } = open(said);
  const root = find(".spa-pick");
  const editor = window.document.createElement("textarea");
  window.document.body.append(editor);
  editor.focus();
  for (const kind of ["pointerenter", "pointerover", "pointermove"]) {
    root.dispatchEvent(new window.Event(kind, { bubbles: true }));
    assert.equal(window.document.activeElement, editor, kind);
  }
  root.dispatchEvent(new window.Event("pointerdown", { bubbles: true }));
  assert.equal(window.document.activeElement, root);
  click("a[data-path=accept]");
  await until(() => window.document.activeElement === editor); // given back
  window.close();
});

Deno.test("after a pick the next panel takes the keyboard, but not from who types", async () => {
  for (const types of [false, true]) {
    const { find, click, window } = open(said);
    const editor = window.document.createElement("textarea");
    window.document.body.append(editor);
    editor.focus();
    const root = find(".spa-pick");
    root.dispatchEvent(new window.Event("pointerdown", { bubbles: true }));
    click("a[data-path=accept]");
    await until(() => window.document.activeElement === editor);
    if (types) editor.dispatchEvent(new window.Event("keydown"));
    const next = root.cloneNode(true) as HTMLElement;
    next.id += "-next";
    delete next.dataset.ready;
    next.scrollIntoView = () => {}; // which this page has not
    window.document.body.append(next);
    const script = [...window.document.scripts].at(-1)!.textContent!;
    window.eval(script.replaceAll(root.id, next.id));
    const expected = types ? editor : next;
    assert.equal(window.document.activeElement, expected);
    window.close();
  }
});

Deno.test("keys are offered for nine candidates at most, as a key is one character", async () => {
  const proposal = handProposal();
  const candidates = Array(12).fill(proposal.candidates[0]);
  const panel = await pickPanel({
    ...{ image, title: "Which?", proposal: { ...proposal, candidates } },
    choices: choicesOf(image, candidates.length, ["accept"]),
  });
  const { window } = new JSDOM(panel(URL_OF_PICKS, 0).page);
  const hint = window.document.querySelector(".spa-pick-hint")!.textContent!;
  assert.match(hint, /press 1 to 9; those after 9 have no key\./);
  const keys = [...window.document.querySelectorAll("a[data-key]")].length;
  assert.equal(keys, 9 + 1); // and the acceptance's
  const root = window.document.querySelector(".spa-pick-many")!;
  const [actions, grid] = [".spa-pick-actions", ".spa-pick-grid"]
    .map((css) =>
      [...root.querySelectorAll("div")].indexOf(
        root.querySelector<HTMLDivElement>(css)!,
      )
    );
  assert.ok(actions < grid);
});

Deno.test("who cannot see the panel is told what it shows, and Space presses its buttons", async () => {
  const { sent, find, window } = open(said);
  const name = (css: string) => find(css).getAttribute("aria-label");
  assert.equal(find(".spa-pick").getAttribute("role"), "group");
  assert.equal(name(".spa-pick"), "Which?");
  assert.equal(
    name("a[data-candidate='1']"),
    "Candidate 2, 25 % of samples, adds 9, removes 0 pixels",
  );
  assert.equal(find(".spa-pick-main > svg").getAttribute("role"), "img");
  assert.equal(
    name(".spa-pick-main > svg"),
    "Image of 16 x 12 pixels, recommendation of 17 pixels. A click adds a point",
  );
  for (const link of window.document.querySelectorAll("a[data-path]")) {
    assert.equal(link.getAttribute("role"), "button");
  }
  const press = (css: string) =>
    find(css).dispatchEvent(
      new window.KeyboardEvent("keydown", {
        ...{ bubbles: true, cancelable: true, key: " " },
      }),
    );
  press("input[value='0']");
  assert.deepEqual(sent, []); // its own
  assert.equal(press("a[data-path=none]"), false); // the page does not scroll
  await until(() => sent.length > 0);
  assert.deepEqual(sent, ["POST none"]);
  window.close();
});

Deno.test("a click on the image is sent in its pixels, inside or outside", () => {
  const picture = ".spa-pick-main > svg"; // 16 x 12 pixels, 20 wide each
  const clicks: [number, number, boolean, string][] = [
    [100, 50, false, "point/0/0/1"],
    [119.9, 69.9, false, "point/0/0/1"],
    [120, 70, false, "point/1/1/1"],
    [420, 290, false, "point/15/11/1"], // on the very edge
    [300, 100, true, "point/10/2/0"],
  ];
  for (const [x, y, shift, expected] of clicks) {
    const { sent, click, window } = open(said);
    click(picture, x, y, shift);
    assert.deepEqual(sent, [`POST ${expected}`]);
    window.close();
  }
  const { sent, find, click, window } = open(said);
  (find("input[value='0']") as HTMLInputElement).checked = true;
  click(picture, 300, 100);
  assert.deepEqual(sent, ["POST point/10/2/0"]);
  window.close();
});

/** The input box of JupyterLab's prompt; what it was given with Enter. */
function addBox(window: Window & typeof globalThis, disabled = false) {
  const box = window.document.createElement("input");
  box.className = "jp-Stdin-input";
  box.disabled = disabled;
  const given: string[] = [];
  let changed = ""; // as the front end hears it
  box.addEventListener("input", () => changed = box.value);
  box.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") given.push(changed);
  });
  window.document.body.append(box);
  return given;
}

Deno.test("where the kernel cannot be reached, what is clicked is typed into the newest open box", async () => {
  const typed: [string, number, number, boolean, string][] = [
    ["a[data-path='candidate/2']", 0, 0, false, "3"],
    ["a[data-path=accept]", 0, 0, false, "accept"],
    ["a[data-path='accept/2']", 0, 0, false, "accept 3"],
    ["a[data-path=closer]", 0, 0, false, "+"],
    ["a[data-path=wider]", 0, 0, false, "-"],
    [".spa-pick-main > svg", 300, 100, false, "10,2"],
    [".spa-pick-main > svg", 300, 100, true, "-10,2"],
  ];
  for (const [selector, x, y, shift, line] of typed) {
    const no = () => Promise.reject(new Error("no"));
    const { find, click, window } = open(no);
    const old = addBox(window);
    click(selector, x, y, shift); // before it is known, and before the box
    const status = find(".spa-pick-status");
    await until(() => old.length > 0 || /box/.test(status.textContent!));
    const given = old.length > 0 ? old : addBox(window);
    await until(() => given.length > 0);
    assert.deepEqual(given, [line]);
    click("a[data-path=none]"); // one answer a question
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.deepEqual(given, [line]);
    window.close();
  }
});

Deno.test("a box that has its answer is left alone", async () => {
  const no = () => Promise.reject(new Error("no"));
  const { click, window } = open(no);
  const answered = addBox(window, true);
  click("a[data-path=undo]");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const given = addBox(window);
  await until(() => given.length > 0);
  assert.deepEqual([given, answered], [["undo"], []]);
  window.close();
});

Deno.test("no other page has a line typed: a message to the panel's page is no click", async () => {
  const no = () => Promise.reject(new Error("no"));
  const { find, click, window } = open(no, no());
  const box = addBox(window);
  await until(() => /cannot reach/.test(find(".spa-pick-status").textContent!));
  for (const data of ["accept", { path: "accept" }, { spaPicked: "accept" }]) {
    const origin = "https://evil.example";
    window.dispatchEvent(new window.MessageEvent("message", { data, origin }));
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(box, []);
  click("a[data-path=none]"); // its own page's is
  await until(() => box.length > 0);
  assert.deepEqual(box, ["none"]);
  window.close();
});

Deno.test("a panel types into the box of its own cell alone, and not when another stands in its place", async () => {
  const no = () => Promise.reject(new Error("no"));
  for (const stale of [false, true]) {
    const { find, click, window } = open(no);
    const { document } = window;
    const root = find(".spa-pick");
    const [own, other] = [0, 1].map(() => {
      const area = document.createElement("div");
      area.className = "jp-OutputArea";
      document.body.append(area);
      return area;
    });
    own.append(root);
    const elsewhere = addBox(window);
    other.append(document.querySelector(".jp-Stdin-input")!);
    click("a[data-path=undo]");
    const status = find(".spa-pick-status");
    await until(() => /Waiting for the box/.test(status.textContent!));
    if (stale) root.remove(); // the question is over: its still picture is there
    const box = addBox(window);
    own.append([...document.querySelectorAll(".jp-Stdin-input")].pop()!);
    if (!stale) await until(() => box.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual([box, elsewhere], [stale ? [] : ["undo"], []]);
    window.close();
  }
});

Deno.test("where the notebook's server passes requests on, the pick goes through it", async () => {
  const { sent, find, click, window } = open((path) =>
    path.startsWith("http://localhost:8888/user/me/proxy/9/token/")
      ? Promise.resolve("Done.")
      : Promise.reject(new Error("no"))
  );
  const config = window.document.createElement("script");
  config.id = "jupyter-config-data";
  config.type = "application/json";
  config.textContent = JSON.stringify({ baseUrl: "/user/me/" });
  window.document.body.append(config);
  click("a[data-path='candidate/0']");
  const status = find(".spa-pick-status");
  await until(() => status.textContent === "Done.");
  assert.equal(
    sent.at(-1),
    "POST http://localhost:8888/user/me/proxy/9/token/candidate/0",
  );
  window.close();
});

Deno.test("a panel whose question is over says so, and nothing can be picked", async () => {
  const dead = Promise.reject(new TypeError("Failed to fetch"));
  dead.catch(() => {});
  const cases: [Promise<string>, number, RegExp][] = [
    [
      Promise.resolve("\n"),
      60_000,
      /This question is over: run the cell again/,
    ],
    [Promise.resolve("\nOne step back."), 60_000, /^One step back\.$/],
    [dead, -1, /This question is over: run the cell again/], // saved, then opened
    [dead, 60_000, /cannot reach the kernel.*typed into the box/],
  ];
  for (const [ended, left, expected] of cases) {
    const { sent, find, click, press, window } = open(
      said,
      ended,
      Date.now() + left,
    );
    const status = find(".spa-pick-status");
    await until(() => expected.test(status.textContent!));
    const over = !/reach/.test(status.textContent!);
    const done = find(".spa-pick").classList.contains("spa-pick-done");
    assert.equal(done, over);
    if (over) {
      press("1");
      click("a[data-path=accept]");
      assert.deepEqual(sent, []);
    }
    window.close();
  }
});

Deno.test("a panel that was shown too late types into the prompt that the kernel asks by instead", async () => {
  const dead = Promise.reject(new TypeError("Failed to fetch"));
  dead.catch(() => {});
  for (const ended of [dead, Promise.resolve("\n")]) {
    const { sent, find, click, window } = open(said, ended, Date.now() - 1);
    const status = find(".spa-pick-status");
    await until(() => /This question is over/.test(status.textContent!));
    const box = addBox(window);
    await until(() => /box below/.test(status.textContent!));
    assert.equal(find(".spa-pick").classList.contains("spa-pick-done"), false);
    click("a[data-path='candidate/1']");
    await until(() => box.length > 0);
    assert.deepEqual([box, sent], [["2"], []]);
    window.close();
  }
});

Deno.test("a page that was loaded anew says that it gets no more of the cell, another does not", async () => {
  const [, id] = /<div [^>]*id="([^"]+)"/.exec(draw(URL_OF_PICKS, 0).page)!;
  for (
    const [memory, told] of [[`${id} 1`, true], ["other 1", false]] as const
  ) {
    const { find, click, window } = open(said, undefined, undefined, memory);
    click("a[data-path='candidate/0']");
    const status = find(".spa-pick-status");
    await until(() => /^Done\./.test(status.textContent!));
    assert.equal(/stop it and run it again/.test(status.textContent!), told);
    assert.match(
      window.localStorage.getItem("spa-pick")!,
      new RegExp(`^${id} `),
    );
    window.close();
  }
});

Deno.test("the pointer on a candidate shows it on the whole image", () => {
  const { find, window } = open(said);
  const move = (kind: string) =>
    find("a[data-candidate='1']").dispatchEvent(new window.Event(kind));
  const shown = () => find("[data-preview='1']").style.display !== "none";
  assert.equal(shown(), false);
  move("pointerenter");
  assert.equal(shown(), true);
  assert.equal(find("[data-preview='0']").style.display, "none");
  move("pointerleave");
  assert.equal(shown(), false);
  window.close();
});

/** Turns the wheel on the main picture. */
function wheel(window: Window, x: number, y: number, deltaY: number): boolean {
  const own = window as Window & typeof globalThis;
  const picture = own.document.querySelector(".spa-pick-main > svg")!;
  return picture.dispatchEvent(
    new own.WheelEvent("wheel", {
      ...{ bubbles: true, cancelable: true },
      ...{ clientX: x, clientY: y, deltaY },
    }),
  );
}

const viewOf = (find: (selector: string) => HTMLElement) =>
  find(".spa-pick-main > svg > svg").getAttribute("viewBox")!
    .split(" ").map(Number);

Deno.test("the wheel zooms about the pointer, a click is told in pixels of the image, and a double click shows all again", async () => {
  const picture = ".spa-pick-main > svg"; // 16 x 12 pixels at (100, 50), 20 wide
  const { sent, find, click, window } = open(said);
  assert.deepEqual(viewOf(find), [0, 0, 16, 12]);
  assert.equal(wheel(window, 180, 110, 100), true); // already whole: the page's
  assert.equal(wheel(window, 180, 110, -346.5736), false); // half: exp(-ln 2)
  const [x, y, columns, rows] = viewOf(find);
  const near = (a: number, b: number) => assert(Math.abs(a - b) < 1e-4);
  near(columns, 8);
  near(rows, 6);
  near(x, 2); // the pointer is at (4, 3), and stays there
  near(y, 1.5);
  const width = Number(
    find("[data-outline] path:last-child").getAttribute("stroke-width"),
  );
  near(width, 2.5 / (440 / 16) / 2); // lines are as wide as before
  // (220, 170) is 6 of 16 to the right of the picture's left: 2 + 3
  click(picture, 221, 171);
  assert.deepEqual(sent, []); // it may become a double click
  await until(() => sent.length > 0);
  assert.deepEqual(sent, ["POST point/5/4/1"]);
  window.close();

  const other = open(said);
  wheel(other.window, 180, 110, -300);
  other.click(picture, 221, 171);
  other.find(picture).dispatchEvent(
    new (other.window as unknown as typeof globalThis).MouseEvent("dblclick"),
  );
  assert.deepEqual(viewOf(other.find), [0, 0, 16, 12]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.deepEqual(other.sent, []);
  other.window.close();
});

Deno.test("marks are hidden, faded and compared by keys and controls, from panel to panel", async () => {
  const before = handProposal().candidates[0].mask;
  const panel = await pickPanel({
    image,
    choices,
    proposal,
    before,
    title: "?",
  });
  const { window } = new JSDOM(panel(URL_OF_PICKS, 0).page, {
    ...{ runScripts: "dangerously", url: "http://localhost:8888/lab" },
    // deno-lint-ignore no-explicit-any -- jsdom's window, which has no types here
    beforeParse(window: any) {
      window.CSS = { escape: String };
      window.fetch = () => new Promise(() => {});
    },
  });
  const { document } = window;
  const root = document.querySelector<HTMLElement>(".spa-pick")!;
  const press = (key: string) =>
    root.dispatchEvent(
      new window.KeyboardEvent("keydown", {
        key,
        bubbles: true,
        cancelable: true,
      }),
    );
  const shown = () =>
    document.querySelector<HTMLElement>("[data-before]")!.style.display !==
      "none";
  assert.equal(shown(), false);
  press("b");
  assert.equal(shown(), true);
  assert.equal(root.classList.contains("spa-pick-noOutlines"), false);
  press("O");
  assert.equal(root.classList.contains("spa-pick-noOutlines"), true);
  const fill = document.querySelector<HTMLInputElement>("[data-view=fill]")!;
  fill.value = "30";
  fill.dispatchEvent(new window.Event("input", { bubbles: true }));
  assert.equal(root.style.getPropertyValue("--spa-fill"), "0.3");
  const { spaView } = window as unknown as { spaView: object };
  assert.deepEqual(Object.keys(spaView).sort(), [
    ..."before fill image outlines size tool width x y".split(" "),
  ]);
  window.close();
});
