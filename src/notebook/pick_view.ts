/** What the panel's script knows of the picture on which a user clicks. */
export interface PickViewOptions {
  /** The panel's element. */
  root: HTMLElement;
  /** Columns and rows of the image. */
  width: number;
  height: number;
  /** What tells this image from others: of the same one the view stays. */
  image: string;
  /** Sends a pick's path. */
  send: (path: string) => void;
  /** Says something in the panel. */
  note: (text: string) => void;
  /** Whether something was picked. */
  isOver: () => boolean;
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
  /** Diameter of brush and eraser in pixels of the image; empty: the panel's own. */
  size: string;
  /** The tool that stays: "brush", "eraser" or none. */
  tool: string;
}

/**
 * Lets the user look closer at the main picture, move it, click on it, draw a box
 * and paint. It runs in the browser: it knows nothing but its argument.
 *
 * @returns What a key does here; undefined where it does nothing.
 */
export function playView(
  { root, width, height, image, send, note, isOver }: PickViewOptions,
): (key: string) => (() => void) | undefined {
  const picture = root.querySelector<SVGElement>(".spa-pick-main > svg")!;
  const memory = globalThis as { spaView?: View };
  // The view is a window of the image; every place is told relative to it.
  const view: View = memory.spaView ?? {
    image,
    x: 0,
    y: 0,
    width,
    outlines: true,
    fill: "100",
    before: false,
    size: "",
    tool: "",
  };
  if (view.image !== image) {
    Object.assign(view, { image, x: 0, y: 0, width, size: "", tool: "" });
  }
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

  // A drag moves the view, draws a box or paints; what moves little is a click.
  const modes = [
    ...root.querySelectorAll<HTMLInputElement>(".spa-pick-mode input[name]"),
  ];
  const mode = () => modes.find(({ checked }) => checked)?.value ?? "1";
  const size = root.querySelector<HTMLInputElement>("[data-view=size]");
  const paints = () => mode() === "brush" || mode() === "eraser";
  const make = (name: string, attributes: Record<string, string | number>) => {
    const space = "http://www.w3.org/2000/svg";
    const mark = document.createElementNS(space, name) as SVGElement;
    for (const [name, value] of Object.entries(attributes)) {
      mark.setAttribute(name, String(value));
    }
    inner.append(mark);
    return mark;
  };
  let ring: SVGElement | undefined; // how large the brush is
  const showRing = (event?: MouseEvent) => {
    ring?.remove();
    ring = undefined;
    if (!event || !paints() || isOver()) return;
    const { x, y } = place(event);
    const rest = {
      class: "spa-pick-drawn",
      "vector-effect": "non-scaling-stroke",
    };
    ring = make("circle", {
      cx: x,
      cy: y,
      r: Number(size!.value) / 2,
      ...rest,
    });
  };
  const setTool = () => {
    view.tool = paints() ? mode() : "";
    root.classList.toggle("spa-pick-paints", paints());
    showRing();
  };
  for (const one of modes) {
    if (view.tool && one.value === view.tool) one.checked = true;
    one.addEventListener("change", setTool);
  }
  picture.addEventListener("pointermove", showRing);
  picture.addEventListener("pointerleave", () => showRing());
  let drag:
    | {
      x: number;
      y: number;
      atX: number;
      atY: number;
      moved: boolean;
      /** Whether it moves the view in any mode. */
      moves: boolean;
      /** Where the brush went; undefined where the drag does not paint. */
      path?: [number, number][];
    }
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
  /** A place as the stroke's path has it, where pixels' centers are whole. */
  const spot = (event: MouseEvent): [number, number] => {
    const { x, y } = place(event);
    const at = (value: number, most: number) =>
      Math.min(Math.max(Math.round(10 * value - 5) / 10, 0), most - 1);
    return [at(x, width), at(y, height)];
  };
  /** Places of one stroke, at most: a longer one ends there. */
  const LONGEST = 600;
  const stroke = (event: MouseEvent) => {
    const path = drag!.path!;
    const [x, y] = spot(event);
    const last = path[path.length - 1];
    const far = Math.max(0.3, Number(size!.value) / 8);
    if (last && Math.hypot(x - last[0], y - last[1]) < far) return;
    if (path.length < LONGEST) path.push([x, y]);
    drawn?.remove();
    drawn = make("polyline", {
      class: "spa-pick-stroke spa-pick-" +
        (mode() === "brush" ? "adds" : "erases"),
      points: [...path, path[0]].slice(0, Math.max(path.length, 2))
        .map(([x, y]) => [x + 0.5, y + 0.5].join(",")).join(" "),
      "stroke-width": size!.value,
    });
  };
  const move = (event: MouseEvent) => {
    if (!drag) return;
    if (drag.path) return stroke(event);
    const { clientX, clientY } = event;
    drag.moved ||= Math.hypot(clientX - drag.atX, clientY - drag.atY) > 4;
    if (!drag.moved) return;
    if (mode() === "box" && !drag.moves) {
      const { left, top, right, bottom } = edges(event);
      drawn?.remove();
      drawn = make("rect", {
        ...{ class: "spa-pick-drawn", "vector-effect": "non-scaling-stroke" },
        ...{ x: left, y: top, width: right - left, height: bottom - top },
      });
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
    const { moved, path } = drag;
    dragged = moved || Boolean(path);
    if (path) {
      const cancelled = event.type === "pointercancel";
      if (cancelled) drawn?.remove();
      else {
        const text = path.map((spot) => spot.join(",")).join("_");
        const label = mode() === "brush" ? 1 : 0;
        send(["paint", label, Number(size!.value) / 2, text].join("/"));
      }
    } else if (moved && drawn) {
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
    if (event.button > 1 || isOver()) return;
    const { x, y } = pressed = place(event);
    const { clientX: atX, clientY: atY } = event;
    const moves = event.button === 1; // the middle one, or the wheel
    drag = { x, y, atX, atY, moved: false, moves };
    if (paints() && !moves) {
      drag.path = [];
      stroke(event);
    }
    event.preventDefault(); // no text is selected
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", release);
    document.addEventListener("pointercancel", release);
  });

  let waiting: ReturnType<typeof setTimeout> | undefined; // for a second click
  picture.addEventListener("click", (event) => {
    clearTimeout(waiting);
    if (dragged || event.detail > 1 || paints()) return;
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
    if (!paints()) whole();
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
    const name = setting.dataset.view as
      | "outlines"
      | "fill"
      | "before"
      | "size";
    const number = name === "fill" || name === "size";
    if (number) setting.value = view[name] || setting.value;
    else setting.checked = view[name];
    setting.addEventListener("input", () => {
      if (number) view[name] = setting.value;
      else view[name] = setting.checked;
      apply();
    });
  }
  show();
  apply();
  setTool();

  return (key) => {
    const grow = { "[": -1, "]": 1 }[key];
    if (grow && size) {
      return () => {
        const by = Math.max(1, Math.round(Number(size.value) / 5));
        size.value = String(Number(size.value) + grow * by);
        size.dispatchEvent(new Event("input"));
      };
    }
    const toggle = { o: "outlines", b: "before" }[key.toLowerCase()];
    const tool = key === "0"
      ? reset
      : settings.find(({ dataset }) => toggle && dataset.view === toggle);
    return tool && !tool.matches(":disabled") ? () => tool.click() : undefined;
  };
}
