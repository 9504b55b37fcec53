/** What the panel's script is told. */
export interface PickScriptOptions {
  /** The panel's element. */
  id: string;
  /** The picks' address. */
  url: string;
  /** Columns and rows of the image. */
  width: number;
  height: number;
}

/**
 * The panel's script: sends clicks and keys, and shows a candidate on the whole
 * image while the pointer or the focus is on it. Without it the links remain.
 */
export function pickScript(options: PickScriptOptions): string {
  const given = JSON.stringify(options).replaceAll("<", "\\u003c");
  return `(${run.toString()})(${given});`;
}

/** Runs in the browser: it knows nothing but its argument. */
function run({ id, url, width, height }: PickScriptOptions): void {
  const root = document.getElementById(id);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  const status = root.querySelector(".spa-pick-status")!;
  const beacon = root.querySelector<HTMLImageElement>("img[data-shown]")!;
  const picture = root.querySelector<SVGElement>(".spa-pick-main > svg")!;
  const note = (text: string) => status.textContent = text;
  const memory = globalThis as { spaPickedAt?: number };
  let sent = false;
  let reachable = true;
  let before: EventTarget | null = null; // what had the focus

  const lost = () => {
    reachable = false;
    note(
      "This browser cannot reach the kernel, which may run elsewhere: " +
        "answer in the box that opens in a moment.",
    );
  };
  beacon.addEventListener("error", lost);
  if (beacon.complete && beacon.naturalWidth === 0) lost();

  const send = async (path: string) => {
    if (sent) return;
    sent = true;
    root.classList.add("spa-pick-done");
    note("Sent \u2026");
    try {
      const response = await fetch(url + "/" + path, { method: "POST" });
      const page = location.href.startsWith(url);
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
      memory.spaPickedAt = Date.now();
      note(await response.text() + (page ? " You can close this tab." : ""));
    } catch {
      root.classList.remove("spa-pick-done");
      sent = false;
      lost();
    }
  };

  root.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a[data-path]");
    if (link && reachable) { // else the link itself is followed
      event.preventDefault();
      send(link.getAttribute("data-path")!);
    }
  });
  picture.addEventListener("click", (event) => {
    const { left, top, ...box } = picture.getBoundingClientRect().toJSON();
    const column = Math.floor((event.clientX - left) / box.width * width);
    const row = Math.floor((event.clientY - top) / box.height * height);
    const x = Math.min(Math.max(column, 0), width - 1);
    const y = Math.min(Math.max(row, 0), height - 1);
    const outside = root.querySelector<HTMLInputElement>("input[value='0']");
    const label = outside && (event.shiftKey || outside.checked) ? 0 : 1;
    send("point/" + x + "/" + y + "/" + label);
  });
  root.addEventListener("keydown", (event) => {
    const other = event.ctrlKey || event.metaKey || event.altKey;
    if (other || event.repeat) return; // a key held would pick again
    const link = root.querySelector<HTMLElement>(
      "a[data-key='" + CSS.escape(event.key.toLowerCase()) + "']",
    );
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    link.click();
  });
  const takeFocus = () => {
    if (!root.contains(document.activeElement)) {
      root.focus({ preventScroll: true });
    }
  };
  root.addEventListener("focusin", ({ relatedTarget }) => {
    if (!root.contains(relatedTarget as Node | null)) before = relatedTarget;
  });
  root.addEventListener("pointerenter", takeFocus);
  // whoever picked a moment ago goes on, with the keys too
  if (Date.now() - (memory.spaPickedAt ?? 0) < 10_000) {
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
