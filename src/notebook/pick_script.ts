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
}

/**
 * The panel's script: sends clicks and keys, and shows a candidate on the whole
 * image while the pointer or the focus is on it. Without it the links remain.
 */
export function pickScript(options: PickScriptOptions): string {
  const given = JSON.stringify(options).replaceAll("<", "\\u003c");
  return `(${run.toString()})(${given});`;
}

/** A pick in this page, and what had the focus after it. */
interface Picked {
  readonly at: number;
  focus: Element | null;
}

/** How pictures are shown in this page, from panel to panel. */
interface View {
  image: string;
  x: number;
  y: number;
  /** Columns that are shown; the image's own where all is. */
  width: number;
  outlines: boolean;
  fill: string;
  before: boolean;
}

/** Runs in the browser: it knows nothing but its argument. */
function run(options: PickScriptOptions): void {
  const { id, until, width, height, image } = options;
  let { url } = options;
  const root = document.getElementById(id);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  const status = root.querySelector(".spa-pick-status")!;
  const beacon = root.querySelector<HTMLImageElement>("img[data-shown]")!;
  const picture = root.querySelector<SVGElement>(".spa-pick-main > svg")!;
  const note = (text: string) => status.textContent = text;
  const memory = globalThis as { spaPicked?: Picked; spaView?: View };
  let sent = false;
  let reachable = true;
  let before: EventTarget | null = null; // what had the focus

  const over = (picked = "") => {
    if (sent) return;
    sent = true;
    root.classList.add("spa-pick-done");
    note(picked.trim() || "This question is over: run the cell again.");
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
      : kind === "box"
      ? path.replace("/", " ").replaceAll("/", ",")
      : path.replaceAll("/", " ");
    root.classList.add("spa-pick-done");
    note("Waiting for the box \u2026");
    const own = root.closest(".jp-OutputArea") || document;
    const wait = setInterval(() => {
      if (!root.isConnected) return clearInterval(wait);
      const boxes = own.querySelectorAll<HTMLInputElement>(".jp-Stdin-input");
      const box = [...boxes].filter((box) => !box.disabled).pop();
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
      note(await response.text() + (page ? " You can close this tab." : ""));
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
  const repairs = () =>
    [...root.querySelectorAll<HTMLInputElement>("input[data-repair]")]
      .filter((box) => box.checked).map((box) => "/" + box.dataset.repair)
      .join("");
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

  // The view: a window of the image, by which every place is told.
  const view: View = memory.spaView ?? {
    image,
    x: 0,
    y: 0,
    width,
    outlines: true,
    fill: "100",
    before: false,
  };
  if (view.image !== image) Object.assign(view, { image, x: 0, y: 0, width });
  memory.spaView = view;
  const inner = picture.querySelector<SVGElement>("svg")!;
  const scale = /scale\(([\d.e-]+)\)/;
  const sized = [...inner.querySelectorAll<SVGElement>("[stroke-width]")]
    .filter((mark) => !mark.closest("g[transform]")).map((mark) => ({
      mark,
      line: Number(mark.getAttribute("stroke-width")),
      dashes: (mark.getAttribute("stroke-dasharray") || "").split(/[ ,]+/)
        .filter(Boolean).map(Number),
    }));
  const scaled = [
    ...inner.querySelectorAll("g[transform], pattern[patternTransform]"),
  ].map((mark) => {
    const name = mark.hasAttribute("transform")
      ? "transform"
      : "patternTransform";
    return { mark, name, text: mark.getAttribute(name)! };
  });
  const reset = root.querySelector<HTMLButtonElement>("[data-reset]")!;
  const zoomed = () => view.width < width;
  const show = () => {
    const part = view.width / width; // lines and marks keep their size
    const rows = height * part;
    view.x = Math.min(Math.max(view.x, 0), width - view.width);
    view.y = Math.min(Math.max(view.y, 0), height - rows);
    const box = [view.x, view.y, view.width, rows];
    inner.setAttribute("viewBox", box.join(" "));
    for (const { mark, line, dashes } of sized) {
      mark.setAttribute("stroke-width", String(line * part));
      if (dashes.length > 0) {
        const own = dashes.map((dash) => dash * part);
        mark.setAttribute("stroke-dasharray", own.join(","));
      }
    }
    for (const { mark, name, text } of scaled) {
      const own = text.replace(scale, (_, by) => "scale(" + by * part + ")");
      mark.setAttribute(name, own);
    }
    reset.disabled = !zoomed();
  };
  /** The place under the pointer, in pixels from the image's upper left edge. */
  const place = ({ clientX, clientY }: MouseEvent) => {
    const { left, top, ...box } = picture.getBoundingClientRect().toJSON();
    return {
      x: view.x + (clientX - left) / box.width * view.width,
      y: view.y + (clientY - top) / box.height * view.width * height / width,
    };
  };
  const whole = () => {
    view.width = width;
    show();
  };
  /** Columns that are shown at most magnified. */
  const LEAST = Math.min(width, Math.max(8, width / 64));
  picture.addEventListener("wheel", (event) => {
    const by = Math.exp(
      Math.max(
        -1,
        Math.min(1, event.deltaY * (event.deltaMode ? 0.05 : 0.002)),
      ),
    );
    const before = view.width;
    const wanted = Math.min(Math.max(before * by, LEAST), width);
    if (wanted === before && !zoomed()) return; // the page scrolls
    event.preventDefault();
    const { x, y } = place(event);
    view.x = x - (x - view.x) * wanted / before; // what is under it stays there
    view.y = y - (y - view.y) * wanted / before;
    view.width = wanted;
    show();
  }, { passive: false });
  reset.addEventListener("click", whole);

  // A drag moves the view or draws a box; what moves little is a click.
  const mode = () =>
    root.querySelector<HTMLInputElement>(".spa-pick-mode input:checked[name]")
      ?.value ?? "1";
  let drag:
    | { x: number; y: number; atX: number; atY: number; moved: boolean }
    | undefined;
  let drawn: SVGElement | undefined; // the box under way
  const edges = (event: MouseEvent) => {
    const to = place(event);
    const edge = (value: number, most: number) =>
      Math.min(Math.max(Math.round(value), 0), most);
    return {
      left: edge(Math.min(drag!.x, to.x), width),
      top: edge(Math.min(drag!.y, to.y), height),
      right: edge(Math.max(drag!.x, to.x), width),
      bottom: edge(Math.max(drag!.y, to.y), height),
    };
  };
  const move = (event: MouseEvent) => {
    if (!drag) return;
    const { clientX, clientY } = event;
    drag.moved ||= Math.hypot(clientX - drag.atX, clientY - drag.atY) > 4;
    if (!drag.moved) return;
    if (mode() === "box") {
      if (!drawn) {
        const name = "http://www.w3.org/2000/svg";
        drawn = document.createElementNS(name, "rect") as SVGElement;
        drawn.setAttribute("class", "spa-pick-drawn");
        drawn.setAttribute("vector-effect", "non-scaling-stroke");
        inner.append(drawn);
      }
      const { left, top, right, bottom } = edges(event);
      const box = {
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
      };
      for (const [name, value] of Object.entries(box)) {
        drawn.setAttribute(name, String(value));
      }
    } else {
      root.classList.add("spa-pick-moving");
      const { x, y } = place(event);
      view.x += drag.x - x;
      view.y += drag.y - y;
      show();
    }
  };
  let dragged = false; // the click that follows is none
  /** Where it was pressed: a click itself is told in whole pixels of the screen. */
  let pressed: { x: number; y: number } | undefined;
  const release = (event: MouseEvent) => {
    if (!drag) return;
    const { moved } = drag;
    dragged = moved;
    if (moved && drawn) {
      const { left, top, right, bottom } = edges(event);
      drawn.remove();
      if (right - left > 2 && bottom - top > 2) {
        send("box/" + [left, top, right, bottom].join("/"));
      } else {
        note("A box has three pixels at least, across and down.");
      }
    }
    drawn = drag = undefined;
    root.classList.remove("spa-pick-moving");
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", release);
    document.removeEventListener("pointercancel", release);
  };
  picture.addEventListener("pointerdown", (event) => {
    dragged = false;
    pressed = undefined;
    if (event.button !== 0 || sent) return;
    const { x, y } = pressed = place(event);
    const { clientX: atX, clientY: atY } = event;
    drag = { x, y, atX, atY, moved: false };
    event.preventDefault(); // no text is selected
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", release);
    document.addEventListener("pointercancel", release);
  });

  let waiting: ReturnType<typeof setTimeout> | undefined; // for a second click
  picture.addEventListener("click", (event) => {
    clearTimeout(waiting);
    if (dragged || event.detail > 1) return;
    if (mode() === "box") return note("Drag to draw a box.");
    const { x, y } = pressed ?? place(event);
    const column = Math.min(Math.max(Math.floor(x), 0), width - 1);
    const row = Math.min(Math.max(Math.floor(y), 0), height - 1);
    const outside = root.querySelector("input[value='0']");
    const label = outside && (event.shiftKey || mode() === "0") ? 0 : 1;
    const point = () => send("point/" + column + "/" + row + "/" + label);
    if (zoomed()) waiting = setTimeout(point, 300);
    else point();
  });
  picture.addEventListener("dblclick", () => {
    clearTimeout(waiting);
    whole();
  });

  // What is shown of the marks.
  const settings = [
    ...root.querySelectorAll<HTMLInputElement>("input[data-view]"),
  ];
  const apply = () => {
    root.classList.toggle("spa-pick-noOutlines", !view.outlines);
    root.style.setProperty("--spa-fill", String(Number(view.fill) / 100));
    for (const mark of root.querySelectorAll<SVGElement>("[data-before]")) {
      mark.style.display = view.before ? "" : "none";
    }
  };
  for (const setting of settings) {
    const name = setting.dataset.view as "outlines" | "fill" | "before";
    if (name === "fill") setting.value = view.fill;
    else setting.checked = view[name];
    setting.addEventListener("input", () => {
      if (name === "fill") view.fill = setting.value;
      else view[name] = setting.checked;
      apply();
    });
  }
  show();
  apply();

  root.addEventListener("keydown", (event) => {
    const { target, code, shiftKey } = event;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
    const accepts = shiftKey && digit ? "accept/" + (Number(digit[1]) - 1) : "";
    const key = { "=": "+", "_": "-" }[event.key] || event.key;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = (target as Element).closest<HTMLElement>("a, input, button");
    const toggle = { o: "outlines", b: "before" }[key.toLowerCase()];
    const tool = key === "0"
      ? reset
      : settings.find(({ dataset }) => toggle && dataset.view === toggle);
    const follows = key === "Enter" && at && !event.shiftKey;
    const moves = key.startsWith("Arrow") && at?.matches("input");
    if (key.length !== 1 && !follows && !moves) return;
    // the notebook would cut a cell by "x", and make it a heading by "5"
    event.stopPropagation();
    if (tool && !tool.matches(":disabled")) {
      event.preventDefault();
      return tool.click();
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
  const page = location.href.startsWith(url); // where there is nothing else
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
