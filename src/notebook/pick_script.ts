import { playSlices as slices, type SlicesGiven } from "./pick_slices.ts";
import { playView as view } from "./pick_view.ts";

/** What the panel's script is told. */
export interface PickScriptOptions {
  /** The panel's element. */
  id: string;
  /** The picks' address. */
  url: string;
  /** Until when, by `Date.now`, whoever asks waits for the panel to be shown. */
  until: number;
  /** Columns and rows of the image. */
  width: number;
  height: number;
  /** What tells this image from others: of the same one the view stays. */
  image: string;
  /** The volume of which the image is a slice; none by default. */
  slices?: SlicesGiven;
}

/**
 * The panel's script: sends clicks and keys, and shows a candidate on the whole
 * image while the pointer or the focus is on it. Without it the links remain.
 */
export function pickScript(options: PickScriptOptions): string {
  const given = JSON.stringify(options).replaceAll("<", "\\u003c");
  const more = options.slices ? `, ${slices.toString()}` : "";
  return `(${run.toString()})(${given}, ${view.toString()}${more});`;
}

/** A pick in this page, and what had the focus after it. */
interface Picked {
  readonly at: number;
  focus: Element | null;
}

/** Runs in the browser: it knows nothing but its arguments. */
function run(
  options: PickScriptOptions,
  playView: typeof view,
  playSlices?: typeof slices,
): void {
  const { id, until, width, height, image } = options;
  let { url } = options;
  const root = document.getElementById(id);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  const status = root.querySelector(".spa-pick-status")!;
  const beacon = root.querySelector<HTMLImageElement>("img[data-shown]")!;
  const note = (text: string) => status.textContent = text;
  const memory = globalThis as { spaPicked?: Picked };
  let sent = false;
  let reachable = true;
  let before: EventTarget | null = null; // what had the focus

  // A page that is loaded anew has the panel from the saved notebook, and gets
  // nothing more of the cell that runs.
  const page = location.href.startsWith(url); // where there is nothing else
  let anew = "";
  try {
    const [shown, at] = (localStorage.getItem("spa-pick") || "").split(" ");
    if (!page && shown === id && at !== String(performance.timeOrigin)) {
      anew =
        " This page was loaded while the cell ran, and gets no more of it: " +
        "where it asks again, stop it and run it again to go on.";
    }
    localStorage.setItem("spa-pick", id + " " + performance.timeOrigin);
  } catch { // a page without a memory: all works but this
  }

  /** The newest box of a prompt below this panel that waits for a line. */
  const openBox = () => {
    const own = root.closest(".jp-OutputArea") || document;
    const boxes = own.querySelectorAll<HTMLInputElement>(".jp-Stdin-input");
    return [...boxes].filter((box) => !box.disabled).pop();
  };

  const over = (picked = "") => {
    if (sent) return;
    sent = true;
    root.classList.add("spa-pick-done");
    note(picked.trim() || "This question is over: run the cell again.");
    if (picked.trim()) return;
    // a browser that was slow to show the panel: the kernel asks by a prompt
    const wait = setInterval(() => {
      if (!root.isConnected) return clearInterval(wait);
      if (!openBox()) return;
      clearInterval(wait);
      sent = false;
      types = true;
      root.classList.remove("spa-pick-done");
      note(
        "The kernel waits for a line in the box below. Click all the same: " +
          "your answer is typed there. Or type it yourself.",
      );
    }, 500);
  };
  let losing = false;
  const lost = async () => {
    if (sent || types || losing) return;
    losing = true;
    const found = await throughServer();
    losing = false;
    if (found) return void hold();
    reachable = false;
    const left = until - Date.now();
    if (left < 0) return over(); // a saved panel, whose kernel is no more
    types = !page;
    note(
      "This browser cannot reach the kernel, which may run elsewhere. " +
        "Click all the same: your answer is typed into the box that opens " +
        "below in a moment. Or type it there yourself.",
    );
  };

  // Where the notebook's own server passes requests on: jupyter-server-proxy.
  let tried = false;
  const throughServer = async () => {
    if (tried) return false;
    tried = true;
    const config = document.getElementById("jupyter-config-data");
    if (!config) return false;
    try {
      const { baseUrl } = JSON.parse(config.textContent!);
      const { port, pathname } = new URL(url);
      const other = location.origin + baseUrl + "proxy/" + port + pathname;
      const answer = await fetch(other + "/shown");
      const type = answer.headers.get("content-type") || "";
      if (!answer.ok || type.indexOf("image/svg+xml") < 0) return false;
      url = other;
      return true;
    } catch {
      return false;
    }
  };

  // The front end's own input box, which the kernel's prompt opens.
  let types = false;
  const type = (path: string) => {
    const [kind, a, b, label] = path.split("/");
    const line = kind === "candidate"
      ? String(Number(a) + 1)
      : kind === "point"
      ? (label === "0" ? "-" : "") + a + "," + b
      : kind === "closer"
      ? "+"
      : kind === "wider"
      ? "-"
      : kind === "accept" && /^\d+$/.test(a || "")
      ? path.replace(a, String(Number(a) + 1)).replaceAll("/", " ")
      : kind === "paint"
      ? [a === "1" ? "brush" : "erase", b, label.replaceAll("_", " ")].join(" ")
      : kind === "box"
      ? path.replace("/", " ").replaceAll("/", ",")
      : path.replaceAll("/", " ");
    root.classList.add("spa-pick-done");
    note("Waiting for the box \u2026");
    const wait = setInterval(() => {
      if (!root.isConnected) return clearInterval(wait);
      const box = openBox();
      if (!box) return;
      clearInterval(wait);
      box.value = line;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      const enter = { key: "Enter", code: "Enter", keyCode: 13, bubbles: true };
      box.dispatchEvent(new KeyboardEvent("keydown", enter));
      giveFocusBack();
      note("Sent: " + line);
    }, 100);
  };
  beacon.addEventListener("error", lost);
  if (beacon.complete && beacon.naturalWidth === 0) lost();

  // While the panel is in the page it holds an answer that ends with the question.
  let held: AbortController | undefined;
  const hold = async () => {
    held = new AbortController();
    let reached = false;
    try {
      const answer = await fetch(url + "/open", { signal: held.signal });
      reached = true;
      over(await answer.text()); // it may have been picked in another tab
    } catch {
      if (root.isConnected) reached ? over() : lost();
    }
  };
  hold();
  const watch = setInterval(() => {
    if (sent) return clearInterval(watch);
    if (root.isConnected) {
      if (held?.signal.aborted) hold(); // it was moved, as with its notebook
    } else if (!held?.signal.aborted) {
      held?.abort();
    } else { // its cell was run again: the new run waits for this one's end
      clearInterval(watch);
      fetch(url + "/closed", { method: "POST" }).catch(() => {});
    }
  }, 1000);

  const send = async (path: string) => {
    if (sent) return;
    sent = true;
    if (types) return type(path);
    root.classList.add("spa-pick-done");
    note("Sent \u2026");
    try {
      const response = await fetch(url + "/" + path, { method: "POST" });
      giveFocusBack();
      note(
        await response.text() + (page ? " You can close this tab." : anew),
      );
    } catch {
      root.classList.remove("spa-pick-done");
      sent = false;
      const before = url;
      await lost();
      while (losing) await new Promise((resolve) => setTimeout(resolve, 50));
      if (types || url !== before) send(path); // by the other way
    }
  };

  // Repairs go with every acceptance, and are shown on the recommendation.
  const repairs = () => {
    const boxes = root.querySelectorAll<HTMLInputElement>("input[data-repair]");
    const wanted = [...boxes].filter((box) => box.checked)
      .map((box) => "/" + box.dataset.repair);
    const largest = wanted.includes("/largest"); // then no small part is left
    return wanted.filter((one) => !largest || !/small/.test(one)).join("");
  };
  root.addEventListener("change", () => {
    const marks = [...root.querySelectorAll<SVGElement>("[data-repaired]")];
    const names = marks.map((mark) => mark.dataset.repaired!);
    let wanted = repairs().slice(1);
    if (!names.includes(wanted)) { // of two repairs one may change nothing
      wanted = wanted.split("/").find((one) => names.includes(one)) || "";
    }
    marks.forEach((mark, i) => {
      mark.style.display = names[i] === wanted ? "" : "none";
    });
  });
  root.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a[data-path]");
    if (link && (reachable || types)) { // else the link itself is followed
      event.preventDefault();
      const path = link.getAttribute("data-path")!;
      send(/^accept/.test(path) ? path + repairs() : path);
    }
  });

  const isOver = () => sent;
  const slices = playSlices && playSlices({
    ...{ root, given: options.slices!, send, note, isOver },
    address: () => url,
  });
  const act = playView({
    ...{ root, width, height, image, note, isOver },
    send: (path) => {
      const own = slices ? slices.path(path) : path;
      if (own) send(own);
    },
  });
  root.addEventListener("keydown", (event) => {
    const { target, code, shiftKey } = event;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
    const accepts = shiftKey && digit ? "accept/" + (Number(digit[1]) - 1) : "";
    const key = { "=": "+", "_": "-" }[event.key] || event.key;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = (target as Element).closest<HTMLElement>("a, input, button");
    const own = at?.matches("input") || key === "Enter" && at; // its own way
    const does = (own ? undefined : slices?.key(key)) ?? act(key);
    const follows = key === "Enter" && at && !event.shiftKey;
    const moves = key.startsWith("Arrow") && at?.matches("input");
    if (!does && key.length !== 1 && !follows && !moves) return;
    // the notebook would cut a cell by "x", and make it a heading by "5"
    event.stopPropagation();
    if (does) {
      event.preventDefault();
      return does();
    }
    const link = key === " " ? at : root.querySelector<HTMLElement>(
      accepts
        ? "a[data-path='" + accepts + "']"
        : "a[data-key='" + CSS.escape(key.toLowerCase()) + "']",
    );
    if (!link?.matches("a[data-path]")) return;
    event.preventDefault();
    if (!event.repeat) link.click(); // a key held would pick again
  });

  // The keyboard is taken by a click, or kept from panel to panel by a pick;
  // by nothing else, as somebody may be typing.
  const takeFocus = () => {
    if (!root.contains(document.activeElement)) {
      root.focus({ preventScroll: true });
    }
  };
  const giveFocusBack = () => {
    if (!root.contains(document.activeElement)) return;
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    const now = document.activeElement;
    const own: Picked = { at: Date.now(), focus: now };
    memory.spaPicked = own;
    const forget = () => own.focus = null; // somebody is typing there
    now?.addEventListener("keydown", forget, { once: true });
    now?.addEventListener("pointerdown", forget, { once: true });
  };
  root.addEventListener("focusin", ({ relatedTarget }) => {
    if (!root.contains(relatedTarget as Node | null)) before = relatedTarget;
  });
  root.addEventListener("pointerdown", takeFocus);
  const last = memory.spaPicked;
  const now = document.activeElement;
  const typing = now?.closest(
    "input, textarea, select, .cm-editor, [contenteditable]:not([contenteditable=false])",
  );
  if (page) takeFocus();
  if (
    last && Date.now() - last.at < 10_000 && (!typing || now === last.focus)
  ) {
    takeFocus();
    root.scrollIntoView({ block: "nearest" });
  }

  const preview = (k: string | null) => {
    for (const mark of root.querySelectorAll<SVGElement>("[data-preview]")) {
      mark.style.display = mark.dataset.preview === k ? "" : "none";
    }
  };
  for (const link of root.querySelectorAll<HTMLElement>("a[data-candidate]")) {
    const show = () => preview(link.dataset.candidate!);
    const hide = () => preview(null);
    link.addEventListener("pointerenter", show);
    link.addEventListener("pointerleave", hide);
    link.addEventListener("focus", show);
    link.addEventListener("blur", hide);
  }
}
