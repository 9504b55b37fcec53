/** A volume in the panel: the strip of its slices, two other planes, the window. */

import { COLOR, escapeXML } from "../figures/svg.ts";
import { keyMark } from "./pick_pictures.ts";
import { type PanelVolume, windowShown } from "./slice_views.ts";

/** Names of the planes that the dimensions of a volume cut. */
const PLANES = ["slice", "row", "column"];

/** Bars of area, marks where a look helps, the other planes, and what keys do. */
export function drawSlices(volume: PanelVolume, url: string): string {
  const { axis, slice, areas, aligned, looks } = volume;
  const most = Math.max(1, ...areas);
  const known = new Set(aligned);
  const ranks = new Map(looks.map((look, rank) => [look.slice, rank]));
  const bars = areas.map((area, i) => {
    const rank = ranks.get(i);
    const words = [
      `slice ${i}`,
      area > 0 ? `${area} px` : "nothing",
      ...(known.has(i) ? ["aligned"] : []),
      ...(rank === undefined
        ? []
        : [`a look helps: ${looks[rank].doubts.join(", ") || "unsure"}`]),
    ].join(", ");
    const css = `spa-pick-slice${known.has(i) ? " spa-pick-aligned" : ""}${
      i === slice ? " spa-pick-open" : ""
    }`;
    const mark = rank === undefined
      ? ""
      : `<i style="--spa-size:${Math.max(3, 9 - 1.6 * rank)}px"></i>`;
    return `<a class="${css}" role="button" href="${url}/slice/${i}" data-path="slice/${i}" ` +
      `data-slice="${i}" tabindex="-1" title="${escapeXML(words)}" ` +
      `aria-label="${
        escapeXML(words)
      }" target="_blank" rel="noopener noreferrer">` +
      `<span style="height:${
        (100 * area / most).toFixed(1)
      }%"></span>${mark}</a>`;
  });
  const { spacing = [1, 1, 1], values } = volume.volume;
  const planes = [0, 1, 2].filter((other) => other !== axis).map((other) => {
    const [down, across] = [0, 1, 2].filter((i) => i !== other);
    const width = values.shape[across] * spacing[across];
    const height = values.shape[down] * spacing[down];
    return `<div class="spa-pick-plane" data-plane="${other}" ` +
      `style="--spa-aspect:${(width / height).toFixed(4)}">` +
      `<img alt="The volume cut at a ${PLANES[other]}" draggable="false">` +
      `<i data-cut="across"></i><i data-cut="down"></i></div>`;
  });
  return [
    `<div class="spa-pick-slices" role="group" aria-label="Slices of the volume">`,
    `<div class="spa-pick-line"><strong data-where>Slice ${slice} of ${areas.length}</strong>`,
    `<button type="button" data-open hidden>${
      keyMark("Enter")
    } open it</button>`,
    `<button type="button" data-back hidden>${keyMark("Esc")} back</button>`,
    `</div><div class="spa-pick-strip">${bars.join("")}</div>`,
    `<div class="spa-pick-line spa-pick-small"><span>${keyMark("←")} ${
      keyMark("→")
    } look at other slices, a click there opens one.${
      looks.length > 0 ? " A dot: a look helps, the most at the largest." : ""
    }</span></div>`,
    `<div class="spa-pick-planes" hidden>${planes.join("")}</div>`,
    `<div class="spa-pick-line spa-pick-small" data-windows hidden>` +
    `<span data-window></span><button type="button" data-reset-window disabled>as it was</button>` +
    `<span>A drag with the right button, or ${keyMark(",")} ${keyMark(".")} ${
      keyMark("&lt;")
    } ${
      keyMark("&gt;")
    }, makes it brighter and sets the contrast.</span></div>`,
    `</div>`,
  ].join("");
}

/** Style of the slices. */
export const SLICES_STYLE = `
.spa-pick-slices { margin-top: 14px; }
.spa-pick-strip { display: flex; height: 64px; margin-top: 6px; border-bottom: 10px solid transparent; }
.spa-pick-slice { position: relative; flex: 1 1 0; display: flex; align-items: flex-end; cursor: pointer;
  border-bottom: 1px solid var(--spa-muted); }
.spa-pick-slice > span { display: block; width: 84%; margin: 0 8%; background: #9CC7E2; }
.spa-pick-aligned > span { background: #0072B2; }
.spa-pick-slice > i { position: absolute; left: 50%; top: calc(100% + 5px); width: var(--spa-size); height: var(--spa-size);
  border-radius: 50%; background: ${COLOR.removed}; transform: translate(-50%, -50%); }
.spa-pick-slice:hover, .spa-pick-open { box-shadow: inset 0 0 0 1px var(--spa-muted); }
.spa-pick-seen { box-shadow: inset 0 0 0 2px var(--spa-ink); }
.spa-pick-slices button { font: inherit; font-size: 12px; color: inherit; background: none;
  border: 1px solid var(--spa-rule); border-radius: 6px; padding: 1px 7px; cursor: pointer; }
.spa-pick-slices button:disabled { visibility: hidden; }
.spa-pick-slices [hidden] { display: none; }
.spa-pick-slices .spa-pick-line { min-height: 26px; }
.spa-pick-planes { display: flex; flex-wrap: wrap; gap: 10px; margin: 8px 0; }
.spa-pick-plane { position: relative; width: min(100%, 190px * var(--spa-aspect), 420px);
  aspect-ratio: var(--spa-aspect); cursor: crosshair; overflow: hidden; }
.spa-pick-plane > img { display: block; width: 100%; height: 100%; max-width: none; margin: 0; }
.spa-pick-plane > i { position: absolute; background: #fff; opacity: 0.45; pointer-events: none; }
.spa-pick-plane > [data-cut=across] { left: 0; right: 0; height: 1px; }
.spa-pick-plane > [data-cut=down] { top: 0; bottom: 0; width: 1px; }
.spa-pick-elsewhere .spa-pick-candidates, .spa-pick-elsewhere .spa-pick-actions { opacity: 0.35; pointer-events: none; }
.spa-pick-done .spa-pick-slices { opacity: 0.45; pointer-events: none; }
`;

/** What the panel's script knows of the volume. */
export interface SlicesGiven {
  /** What tells it from others. */
  id: string;
  axis: number;
  slice: number;
  /** Slices, rows and columns. */
  shape: number[];
  at: number[];
  window: readonly number[];
}

/** What the script is told of a volume. */
export function slicesGiven(volume: PanelVolume): SlicesGiven {
  const { id, axis, slice, at } = volume;
  const shape = volume.volume.values.shape.slice(0, 3);
  return { id, axis, slice, shape, at: [...at], window: windowShown(volume) };
}

/** What {@linkcode playSlices} works with. */
export interface PlaySlicesOptions {
  root: HTMLElement;
  given: SlicesGiven;
  /** Where the server answers now. */
  address: () => string;
  send: (path: string) => void;
  note: (text: string) => void;
  isOver: () => boolean;
}

/** Keys, and what a pick is where another slice is looked at. */
export interface PlayedSlices {
  /** What a key does; undefined where it does nothing. */
  key: (key: string) => (() => void) | undefined;
  /** A pick's path as it is sent; undefined where there is nothing to pick. */
  path: (path: string) => string | undefined;
}

/**
 * Looks at other slices, planes and windows: nothing of it is an answer. It runs
 * in the browser: it knows nothing but its argument.
 */
export function playSlices(
  { root, given, address, send, note, isOver }: PlaySlicesOptions,
): PlayedSlices {
  const { axis, slice, shape, window: own } = given;
  const at = given.at.slice();
  at[axis] = slice;
  const memory = globalThis as {
    spaWindow?: { id: string; window: number[] };
  };
  let window = memory.spaWindow?.id === given.id
    ? memory.spaWindow.window
    : own.slice();
  const find = <E extends Element>(query: string) =>
    root.querySelector<E>(query)!;
  const where = find<HTMLElement>("[data-where]");
  const open = find<HTMLButtonElement>("[data-open]");
  const back = find<HTMLButtonElement>("[data-back]");
  const planes = [...root.querySelectorAll<HTMLElement>("[data-plane]")];
  const strip = [...root.querySelectorAll<HTMLElement>("a[data-slice]")];
  const over = find<SVGImageElement>("image[data-elsewhere]");
  const ownWindow = () => window[0] === own[0] && window[1] === own[1];
  const tail = () => ownWindow() ? "" : "/" + window.join("/");
  const elsewhere = () => at[axis] !== slice;

  const drawn = new Map<string, Promise<string>>();
  const draw = (path: string) => {
    const known = drawn.get(path);
    if (known) return known;
    const made = fetch(address() + "/" + path).then(async (answer) => {
      if (!answer.ok) throw new Error(path);
      const text = await answer.text();
      return "data:image/svg+xml," + encodeURIComponent(text);
    });
    drawn.set(path, made);
    if (drawn.size > 200) drawn.delete(drawn.keys().next().value!);
    return made;
  };
  let reachable = true; // until a picture does not come
  const lost = () => {
    reachable = false;
    for (const query of [".spa-pick-planes", "[data-windows]"]) {
      find<HTMLElement>(query).hidden = true;
    }
    if (!elsewhere() || isOver()) return;
    const wanted = at[axis]; // it can be opened all the same
    at[axis] = slice;
    mark();
    send("slice/" + wanted);
  };
  /** Shows what is wanted last; what was passed meanwhile is left out. */
  const shower = (
    wanted: () => string,
    put: (uri: string, path: string) => void,
  ) => {
    let busy = false;
    let shown = "";
    return async () => {
      if (busy || !reachable) return;
      busy = true;
      try {
        while (wanted() !== shown) {
          const path = wanted();
          put(path && await draw(path), path);
          shown = path;
        }
      } catch {
        lost();
      }
      busy = false;
    };
  };
  const images = [...root.querySelectorAll("defs > image")].map((image) => ({
    image,
    before: ["href", "x", "y", "width", "height"].map((name) =>
      [name, image.getAttribute(name)] as const
    ),
  }));
  const [rows, columns] = shape.filter((_, i) => i !== axis);
  const showers = [
    shower(
      () => elsewhere() ? ["over", axis, at[axis]].join("/") + tail() : "",
      (uri) => {
        over.style.display = uri ? "" : "none";
        if (uri) over.setAttribute("href", uri);
      },
    ),
    shower(
      () => ownWindow() ? "" : ["image", axis, slice].join("/") + tail(),
      (uri) => {
        for (const { image, before } of images) {
          const whole = { href: uri, x: 0, y: 0, width: columns, height: rows };
          const wanted = uri ? Object.entries(whole) : before;
          for (const [name, value] of wanted) {
            if (value === null) image.removeAttribute(name);
            else image.setAttribute(name, String(value));
          }
        }
      },
    ),
    ...planes.map((plane) => {
      const dimension = Number(plane.dataset.plane);
      return shower(
        () => ["view", dimension, at[dimension]].join("/") + tail(),
        (uri) => {
          plane.querySelector("img")!.src = uri;
          find<HTMLElement>(".spa-pick-planes").hidden = false;
          find<HTMLElement>("[data-windows]").hidden = false;
        },
      );
    }),
  ];
  /** A plane's dimensions down and across; all but axial ones have their last row on top. */
  const sidesOf = (dimension: number) => {
    const [down, across] = [0, 1, 2].filter((i) => i !== dimension);
    return { down, across, turned: dimension !== 0 };
  };
  const mark = () => {
    root.classList.toggle("spa-pick-elsewhere", elsewhere());
    where.textContent = "Slice " + at[axis] + " of " + shape[axis] +
      (elsewhere() ? ", slice " + slice + " is open" : "");
    open.hidden = back.hidden = !elsewhere();
    strip.forEach((one, i) =>
      one.classList.toggle("spa-pick-seen", i === at[axis])
    );
    for (const plane of planes) {
      const { down, across, turned } = sidesOf(Number(plane.dataset.plane));
      const row = turned ? shape[down] - 1 - at[down] : at[down];
      const percent = (index: number, count: number) =>
        100 * (index + 0.5) / count + "%";
      const cut = (name: string) =>
        plane.querySelector<HTMLElement>("[data-cut=" + name + "]")!.style;
      cut("across").top = percent(row, shape[down]);
      cut("down").left = percent(at[across], shape[across]);
    }
    const short = (value: number) => String(Number(value.toPrecision(4)));
    find("[data-window]").textContent = "Shown from " + short(window[0]) +
      " to " + short(window[1]) + ".";
    find<HTMLButtonElement>("[data-reset-window]").disabled = ownWindow();
  };
  const show = () => {
    mark();
    for (const one of showers) one();
  };
  const look = (wanted: number) => {
    if (isOver()) return;
    const index = Math.min(Math.max(wanted, 0), shape[axis] - 1);
    if (index === at[axis]) return;
    if (!reachable) return send("slice/" + index);
    at[axis] = index;
    show();
  };
  const setWindow = (low: number, high: number) => {
    const least = (own[1] - own[0]) / 1000 || 1e-3;
    const middle = (low + high) / 2;
    const half = Math.max(high - low, least) / 2;
    window = [middle - half, middle + half].map((value) =>
      Number(value.toPrecision(6))
    );
    memory.spaWindow = { id: given.id, window };
    show();
  };
  const change = (brighter: number, contrast: number) => {
    const [low, high] = window;
    const middle = (low + high) / 2 - brighter * (high - low);
    const half = (high - low) / 2 * Math.exp(-contrast);
    setWindow(middle - half, middle + half);
  };

  open.addEventListener("click", () => send("slice/" + at[axis]));
  back.addEventListener("click", () => look(slice));
  find("[data-reset-window]").addEventListener(
    "click",
    () => {
      window = own.slice();
      memory.spaWindow = undefined;
      show();
    },
  );
  for (const one of strip) {
    one.addEventListener("click", (event) => {
      if (!reachable) return; // the link itself is the answer
      event.preventDefault();
      event.stopPropagation();
      look(Number(one.dataset.slice));
    });
  }
  for (const plane of planes) {
    const dimension = Number(plane.dataset.plane);
    const { down, across, turned } = sidesOf(dimension);
    plane.addEventListener("click", (event) => {
      if (isOver()) return;
      const { left, top, width, height } = plane.getBoundingClientRect();
      const index = (share: number, count: number) =>
        Math.min(Math.max(Math.floor(share * count), 0), count - 1);
      const row = index((event.clientY - top) / height, shape[down]);
      at[down] = turned ? shape[down] - 1 - row : row;
      at[across] = index((event.clientX - left) / width, shape[across]);
      show();
    });
    plane.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (isOver()) return;
      const step = Math.sign(event.deltaY);
      const index = at[dimension] + step;
      at[dimension] = Math.min(Math.max(index, 0), shape[dimension] - 1);
      show();
    }, { passive: false });
  }
  // a drag with the right button sets the window
  const pictures = [find<SVGElement>(".spa-pick-main > svg"), ...planes];
  for (const picture of pictures) {
    picture.addEventListener("contextmenu", (event) => event.preventDefault());
    picture.addEventListener("pointerdown", (first) => {
      const { button, clientX, clientY } = first as PointerEvent;
      if (button !== 2 || !reachable || isOver()) return;
      first.preventDefault();
      const [low, high] = window;
      const move = (event: PointerEvent) => {
        window = [low, high];
        change(
          (clientY - event.clientY) / 250,
          (event.clientX - clientX) / 250,
        );
      };
      const end = () => {
        document.removeEventListener("pointermove", move);
        document.removeEventListener("pointerup", end);
        document.removeEventListener("pointercancel", end);
      };
      document.addEventListener("pointermove", move);
      document.addEventListener("pointerup", end);
      document.addEventListener("pointercancel", end);
    });
  }
  show();

  return {
    key: (key) => {
      const step = {
        ArrowLeft: -1,
        ArrowDown: -1,
        ArrowRight: 1,
        ArrowUp: 1,
        PageDown: -5,
        PageUp: 5,
      }[key];
      if (step) return () => look(at[axis] + step);
      const window = {
        ".": [0.04, 0],
        ",": [-0.04, 0],
        ">": [0, 0.12],
        "<": [0, -0.12],
      }[key];
      if (window && reachable) return () => change(window[0], window[1]);
      if (!elsewhere()) return undefined;
      if (key === "Enter") return () => send("slice/" + at[axis]);
      if (key === "Escape") return () => look(slice);
      if (key.length !== 1 || "ob0[]".includes(key.toLowerCase())) {
        return undefined;
      }
      return () =>
        note(
          "Enter opens slice " + at[axis] + ", Esc goes back to slice " +
            slice + ".",
        );
    },
    path: (path) => {
      if (!elsewhere()) return path;
      if (path.startsWith("slice/") || path.startsWith("jump/")) return path;
      if (path.startsWith("point/")) {
        return path.replace("point/", "slice/" + at[axis] + "/");
      }
      note("This is done in the open slice: press Enter to open this one.");
      return undefined;
    },
  };
}
