/**
 * The page: the user's actions and their display. The method is `src/spa`,
 * unchanged.
 *
 * @module
 */
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { extentOf } from "../../../arrays/extent.ts";
import { COLOR, raterName } from "../../../figures/svg.ts";
import { dice } from "../../../metrics/overlap.ts";
import type { Model } from "../../../model/model.ts";
import {
  phantom,
  PHANTOM_KINDS,
  PHANTOM_RATERS,
  type PhantomKind,
} from "../../../phantoms/phantom.ts";
import type { Proposal } from "../../../spa/cluster.ts";
import type { Point } from "../../../spa/feedback.ts";
import type { Box } from "../../../spa/frame.ts";
import type { GaussianMixture } from "../../../spa/mixture.ts";
import { Session } from "../../../spa/session.ts";
import { drawDice, MixtureChart } from "./charts.ts";
import { loadParts } from "./parts.ts";
import {
  drawPicture,
  type Layer,
  maskFile,
  MAX_SIDE,
  openImage,
  pixelAt,
  rasterOf,
} from "./pictures.ts";

type Mask = NdArray<Uint8Array>;

/** What is segmented. */
interface Subject {
  readonly title: string;
  /** A hint at what to click. */
  readonly object: string;
  readonly image: NdArray<Float32Array>;
  readonly raster: OffscreenCanvas;
  readonly references: Map<string, Mask>;
}

/** One step of a session, its masks read once. */
interface Step {
  /** The number of actions so far. */
  readonly depth: number;
  readonly mask: Mask;
  readonly candidates: readonly {
    readonly mask: Mask;
    readonly added: Mask;
    readonly removed: Mask;
    readonly share: number;
    readonly members: readonly number[];
  }[];
  readonly proposal: Proposal;
  readonly mixture: GaussianMixture;
  readonly points: readonly Point[];
  readonly region: Box;
}

/** The sample images: what differs is easy to see in them. */
const SAMPLES: readonly (readonly [PhantomKind, number])[] = [
  ...([["kidney", 9], ["nodule", 2], ["fundus", 3], ["kidney", 1]] as const),
  ...([["nodule", 24], ["fundus", 18], ["nodule", 52], [
    "kidney",
    13,
  ]] as const),
];
const OBJECTS = {
  fundus: ["Fundus photograph", "optic cup"],
  nodule: ["Chest CT", "nodule"],
  kidney: ["Abdomen", "kidney"],
} as const;

function get<T extends Element = HTMLElement>(id: string): T {
  return document.getElementById(id) as Element as T;
}

const stage = get<HTMLCanvasElement>("stage");
const status = get("status");
const referenceChoice = get<HTMLSelectElement>("reference");
const mixtureChart = new MixtureChart(get("mixture"));
/** Boxes that are ticked. */
const ticked = (id: string) => get<HTMLInputElement>(id).checked;

let model: Model | undefined;
/** The larger files load while the first sample is painted. */
const loading = loadParts();
const first = sample(...SAMPLES[0]);
let subject = first;
let session: Session | undefined;
let steps: Step[] = [];
let accepted: Mask | undefined;
let busy = false;
/** The candidate under the pointer. */
let hovered: number | undefined;
/** The keyboard's cross. */
let cross: Point | undefined;
/** A click from before the network was there. */
let early: Point | undefined;
let unseenSeed = 100;

function sample(kind: PhantomKind, seed: number): Subject {
  const { image, masks } = phantom({ kind, seed });
  const [title, object] = OBJECTS[kind];
  return {
    title: `${title} (phantom ${seed})`,
    object,
    image,
    raster: rasterOf(image),
    references: new Map(
      PHANTOM_RATERS.map((rater) => [raterName(rater), masks[rater]]),
    ),
  };
}

/** Shows another image. */
function open(next: Subject): void {
  session?.dispose();
  session = undefined;
  steps = [];
  accepted =
    cross =
    early =
    hovered =
      undefined;
  subject = next;
  mixtureChart.clear();
  get("subject").textContent = next.title;
  listReferences();
  say(model ? `Click inside the ${next.object}.` : LOADING);
  show();
}

function listReferences(chosen = [...subject.references.keys()][0]): void {
  referenceChoice.replaceChildren(
    ...[...subject.references.keys(), "none"].map((name) => new Option(name)),
  );
  referenceChoice.value = chosen ?? "none";
}

function reference(): Mask | undefined {
  return subject.references.get(referenceChoice.value);
}

const LOADING = "Loading the network…";

function say(text: string, isError = false): void {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

/** Runs one job after another, and shows the error of one that fails. */
async function perform(what: string, work: () => Promise<unknown>) {
  if (busy) return;
  busy = true;
  say(what);
  show();
  const start = performance.now();
  try {
    await work();
    readStep();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { notice } = steps.at(-1)?.proposal ?? {};
    say(
      notice?.text ?? `Proposed in ${seconds} s. Pick the nearest, or accept.`,
    );
  } catch (error) {
    say((error as Error).message, true);
  } finally {
    busy = false;
    hovered = undefined;
    show();
  }
}

/** Keeps the session's last step, in place of those that were undone. */
function readStep(): void {
  if (!session) {
    steps = [];
    return;
  }
  const depth = session.history.done;
  const { proposal, preference, region } = session;
  const before = steps.filter((step) => step.depth < depth);
  const known = steps.find((step) => step.proposal === proposal);
  steps = [
    ...before,
    known ?? {
      depth,
      proposal,
      region,
      mask: proposal.recommended.mask,
      candidates: proposal.candidates.map(
        ({ mask, added, removed, share, members }) => ({
          ...{ mask, added, removed, share, members },
        }),
      ),
      mixture: preference.distribution,
      points: preference.feedback.points,
    },
  ];
}

async function click(point: Point): Promise<void> {
  const [height, width] = subject.image.shape;
  const isInside = point.x >= 0 && point.y >= 0 && point.x < width &&
    point.y < height;
  if (!isInside || accepted || busy) return;
  if (!model) {
    early = point;
    say(`${LOADING} Your click is kept.`);
    return show();
  }
  if (!session && point.label === 0) {
    return say("The first click must be inside the object.", true);
  }
  const network = model;
  await perform("Looking…", async () => {
    if (session) await session.addPoint(point);
    else {
      session = await Session.start(network, subject.image, {
        points: [point],
      });
    }
  });
}

/** Repeats the last action that was undone. */
async function redo(): Promise<void> {
  if (!session?.canRedo || accepted) return;
  await perform("Once more…", () => session!.redo());
}

async function choose(k: number): Promise<void> {
  if (!session || accepted || k >= (steps.at(-1)?.candidates.length ?? 0)) {
    return;
  }
  await perform(`Candidate ${k + 1}. Updating…`, () => session!.choose(k));
}

async function undo(): Promise<void> {
  if (!session || busy) return;
  if (accepted) {
    accepted = undefined;
    say("Go on where you were.");
    return show();
  }
  if (!session.canUndo) return open(subject);
  await perform("Going back…", () => session!.undo());
}

/** Accepts the recommendation or a candidate. */
function accept(k?: number): void {
  if (!session || busy || accepted) return;
  accepted = session.accept(k);
  hovered = undefined;
  const known = reference();
  const choices = `${session.iteration} choice${
    session.iteration === 1 ? "" : "s"
  }`;
  say(
    `Accepted after ${choices}${
      known ? `, Dice ${dice(accepted, known).toFixed(3)}` : ""
    }.`,
  );
  show();
  get("save-mask").focus();
}

/** Picks as the rater of the reference mask would. */
async function raterPicks(): Promise<void> {
  const known = reference(), step = steps.at(-1);
  if (!known || !step) return;
  const scores = step.candidates.map(({ mask }) => dice(mask, known));
  await choose(scores.indexOf(Math.max(...scores)));
}

async function zoom(factor: number): Promise<void> {
  if (!session || accepted) return;
  await perform(
    factor > 1 ? "Looking closer…" : "Looking from farther away…",
    () => session!.zoom(factor),
  );
}

/** The part of the image that the stage shows. */
function stageView(): Box {
  const step = steps.at(-1);
  if (step && !ticked("whole")) return step.region;
  const [height, width] = subject.image.shape;
  return { left: -0.5, top: -0.5, right: width - 0.5, bottom: height - 0.5 };
}

/** Draws everything that may have changed. */
function show(): void {
  const step = steps.at(-1);
  drawStage();
  showCandidates();
  const known = reference();
  drawDice(get("dice"), known && steps.map(({ mask }) => dice(mask, known)));
  if (step) {
    const before = steps.at(-2)?.mixture ?? step.mixture;
    mixtureChart.show(step.mixture, before, step.proposal.predictions.latents);
    mixtureChart.mark(step.candidates[hovered ?? -1]?.members);
  }
  const idle = session !== undefined && !busy && !accepted;
  for (const id of ["accept", "again", "closer", "wider", "rater"]) {
    get<HTMLButtonElement>(id).disabled = !idle;
  }
  get<HTMLButtonElement>("rater").disabled ||= !known;
  get<HTMLButtonElement>("undo").disabled = !session || busy;
  get<HTMLButtonElement>("redo").disabled = !idle || !session!.canRedo;
  get("done").hidden = !accepted;
  get("wait").hidden = !busy && !(early && !model);
  document.body.ariaBusy = `${busy || !model}`;
  get("invite").textContent = session || busy || early
    ? ""
    : `Click inside the ${subject.object}`;
}

function drawStage(): void {
  const step = steps.at(-1);
  const layers: Layer[] = [];
  const candidate = step?.candidates[hovered ?? -1];
  const filled = ticked("fill");
  if (step) {
    const mask = accepted ?? step.mask;
    const fill = filled && !candidate ? `${COLOR.recommended}33` : undefined;
    layers.push({ mask, fill });
    if (candidate) layers.push(...changes(candidate));
    layers.push({ mask, line: COLOR.recommended });
  }
  const known = reference();
  if (known && ticked("show-reference")) {
    layers.push({ mask: known, line: COLOR.reference, dashed: true });
  }
  drawPicture(stage, {
    raster: subject.raster,
    view: stageView(),
    layers,
    points: step?.points ?? (early ? [early] : []),
    region: step && ticked("whole") ? step.region : undefined,
    cross: document.activeElement === stage ? cross : undefined,
  });
  const facts = get("facts");
  facts.replaceChildren();
  if (!step) {
    stage.ariaLabel = `${subject.title}: click inside the ${subject.object}`;
    return;
  }
  const mask = accepted ?? step.mask;
  const [height, width] = subject.image.shape;
  const text = [
    accepted ? "Accepted mask" : "Recommendation",
    `${count(mask)} px of ${width} × ${height}`,
    ...(known ? [`Dice ${dice(mask, known).toFixed(3)}`] : []),
  ].join(" · ");
  stage.ariaLabel = `${subject.title}. ${text}`;
  facts.append(text);
}

/**
 * The pixels that a candidate adds to the recommendation, and those that it
 * removes.
 */
function changes({ added, removed }: Step["candidates"][number]): Layer[] {
  return [
    { mask: added, fill: `${COLOR.added}cc` },
    { mask: removed, fill: COLOR.removed, hatched: true },
  ];
}

function count(mask: Mask): number {
  let pixels = 0;
  for (const value of mask.data) if (value) pixels++;
  return pixels;
}

/** The square that shows all that some masks hold, in the image if it can be. */
function viewOf(masks: readonly Mask[]): Box {
  const [height, width] = subject.image.shape;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (const mask of masks) {
    const extent = extentOf(mask);
    if (!extent) continue;
    left = Math.min(left, extent.x);
    top = Math.min(top, extent.y);
    right = Math.max(right, extent.x + extent.width);
    bottom = Math.max(bottom, extent.y + extent.height);
  }
  if (left >= right) [left, top, right, bottom] = [0, 0, width, height];
  const least = Math.min(width, height);
  const side = Math.min(
    Math.max(1.4 * (right - left), 1.4 * (bottom - top), least / 4),
    Math.max(width, height),
  );
  const place = (from: number, to: number, size: number) => {
    const start = Math.round((from + to - side) / 2);
    return size <= side
      ? (size - side) / 2
      : Math.max(0, Math.min(start, size - side));
  };
  const x = place(left, right, width), y = place(top, bottom, height);
  return {
    left: x - 0.5,
    top: y - 0.5,
    right: x + side - 0.5,
    bottom: y + side - 0.5,
  };
}

/** The step whose candidates stand on the page, and their scores' reference. */
let drawn: unknown[] = [];

function showCandidates(): void {
  const step = steps.at(-1), known = reference();
  const list = get("candidates");
  for (const button of list.querySelectorAll("button")) {
    button.disabled = busy || accepted !== undefined;
  }
  if (drawn[0] === step && drawn[1] === known && list.childElementCount > 0) {
    return;
  }
  drawn = [step, known];
  if (!step) {
    list.innerHTML = `<div class="empty"><ol>
      <li>Click inside the object.</li>
      <li>The network draws 48 masks from what it believes you prefer, recommends one, and shows four ways to differ.</li>
      <li>Pick the nearest: its belief moves, and the next proposal with it.</li>
      <li>Accept when it is right.</li></ol></div>`;
    return;
  }
  const scores = step.candidates.map(({ mask }) => known && dice(mask, known));
  const best = Math.max(...scores.map((score) => score ?? 0));
  const view = viewOf([step.mask, ...step.candidates.map(({ mask }) => mask)]);
  list.replaceChildren(...step.candidates.map((candidate, k) => {
    const button = document.createElement("button");
    const { share, added, removed, mask } = candidate;
    const [more, less] = [count(added), count(removed)];
    const score = scores[k];
    const percent = `${Math.round(100 * share)} %`;
    button.type = "button";
    button.className = "candidate";
    button.disabled = busy || accepted !== undefined;
    button.dataset.candidate = `${k}`;
    button.ariaKeyShortcuts = `${k + 1}`;
    button.title = `Key ${k + 1}; with Shift: accept it as it is`;
    button.ariaLabel = `Candidate ${
      k + 1
    }: ${percent} of samples, adds ${more}, removes ${less} pixels${
      score === undefined ? "" : `, Dice ${score.toFixed(3)}`
    }`;
    button.innerHTML = `<canvas aria-hidden="true"></canvas>
      <span class="bar"><i style="width:${100 * share}%"></i></span>
      <span class="line"><kbd>${k + 1}</kbd> ${percent}
        <span class="muted">+${more} −${less} px</span></span>
      ${
      score === undefined
        ? ""
        : `<span class="line${score === best ? " nearest" : ""}">Dice ${
          score.toFixed(3)
        }</span>`
    }`;
    button.onclick = ({ shiftKey }) => shiftKey ? accept(k) : choose(k);
    button.onmouseenter = button.onfocus = () => hover(k);
    button.onmouseleave = button.onblur = () => hover(undefined);
    const picture = {
      raster: subject.raster,
      view,
      layers: [
        ...changes(candidate),
        { mask: step.mask, line: COLOR.recommended },
        { mask, line: COLOR.candidate },
      ],
    };
    const canvas = button.querySelector("canvas")!;
    requestAnimationFrame(() => drawPicture(canvas, picture));
    return button;
  }));
}

function hover(k: number | undefined): void {
  if (busy || hovered === k) return;
  hovered = k;
  drawStage();
  mixtureChart.mark(steps.at(-1)?.candidates[k ?? -1]?.members);
}

function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function openFile(file: File): Promise<void> {
  try {
    const image = await openImage(file);
    const [height, width] = image.shape;
    open({
      title: file.name,
      object: "object",
      image,
      raster: rasterOf(image),
      references: new Map(),
    });
    pressSample();
    get("open-reference").hidden = false;
    if (Math.max(height, width) === MAX_SIDE) {
      say(`Opened at ${width} × ${height} pixels. Click inside the object.`);
    }
  } catch {
    say(`${file.name} is no image that this browser opens.`, true);
  }
}

async function openReference(file: File): Promise<void> {
  try {
    const image = await openImage(file);
    const [height, width, channels] = image.shape;
    const [rows, columns] = subject.image.shape;
    if (height !== rows || width !== columns) {
      throw new RangeError(
        `The reference must have the image's size, ${columns} × ${rows}: it has ${width} × ${height}.`,
      );
    }
    const mask = new Uint8Array(height * width);
    for (let i = 0; i < mask.length; i++) {
      mask[i] = image.data[i * channels] >= 0.5 ? 1 : 0;
    }
    subject.references.set(file.name, ndarray(mask, [height, width]));
    listReferences(file.name);
    show();
  } catch (error) {
    say(
      error instanceof RangeError
        ? error.message
        : `${file.name} is no image that this browser opens.`,
      true,
    );
  }
}

/** Moves the keyboard's cross, or clicks where it stands. */
function stageKey(event: KeyboardEvent): void {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1] };
  const moves: Record<string, number[]> = { ...step, ArrowDown: [0, 1] };
  const [height, width] = subject.image.shape;
  const from = cross ??
    { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  if (event.key === "Enter") {
    click({ ...from, label: labelOf(event) });
  } else if (moves[event.key]) {
    const far = Math.ceil(
      Math.max(height, width) / (event.shiftKey ? 200 : 40),
    );
    const [dx, dy] = moves[event.key];
    cross = {
      x: Math.max(0, Math.min(width - 1, from.x + far * dx)),
      y: Math.max(0, Math.min(height - 1, from.y + far * dy)),
    };
    drawStage();
  } else return;
  event.preventDefault();
}

function labelOf({ shiftKey }: { shiftKey: boolean }): 0 | 1 {
  const chosen = document.querySelector<HTMLInputElement>(
    "[name=label]:checked",
  );
  return shiftKey || chosen?.value === "0" ? 0 : 1;
}

const KEYS: Record<string, () => void> = {
  a: () => accept(),
  n: () => get("again").click(),
  u: undo,
  y: redo,
  r: raterPicks,
  f: () => get("fill").click(),
  d: () => get("show-reference").click(),
  w: () => get("whole").click(),
  "+": () => zoom(2),
  "=": () => zoom(2),
  "-": () => zoom(0.5),
};

function listen(): void {
  stage.onclick = (event) => {
    const { clientX, clientY } = event;
    cross = undefined;
    const point = pixelAt(stage, stageView(), clientX, clientY);
    click({ ...point, label: labelOf(event) });
  };
  stage.onkeydown = stageKey;
  stage.onfocus = stage.onblur = drawStage;
  get("accept").onclick = () => accept();
  get("again").onclick = () => {
    if (session && !accepted) {
      perform("Drawing others…", () => session!.proposeAgain());
    }
  };
  get("undo").onclick = undo;
  get("redo").onclick = redo;
  get("closer").onclick = () => zoom(2);
  get("wider").onclick = () => zoom(0.5);
  get("rater").onclick = raterPicks;
  get("save-mask").onclick = async () =>
    save("mask.png", await maskFile(accepted!));
  get("save-session").onclick = () => {
    const text = JSON.stringify(session!.toJSON(), null, 2);
    save("session.json", new Blob([text], { type: "application/json" }));
  };
  for (const id of ["fill", "show-reference", "whole"]) get(id).onchange = show;
  referenceChoice.onchange = show;
  for (
    const [name, read] of [["image", openFile], [
      "reference",
      openReference,
    ]] as const
  ) {
    const input = get<HTMLInputElement>(`${name}-file`);
    get(name === "image" ? "open" : "open-reference").onclick = () =>
      input.click();
    input.onchange = () => {
      if (input.files?.[0] && !busy) read(input.files[0]);
      input.value = "";
    };
  }
  get("theme").onclick = () => {
    const dark = getComputedStyle(document.body).colorScheme === "dark" ||
      !document.documentElement.dataset.theme &&
        matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  };
  document.onkeydown = (event) => {
    const { target, key, code, shiftKey } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ((target as Element).matches("select, input[type=file]")) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code)?.[1] ??
      /^[1-9]$/.exec(key)?.[0];
    const action = digit
      ? () => shiftKey ? accept(Number(digit) - 1) : choose(Number(digit) - 1)
      : KEYS[key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.ondragover = (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  };
  document.ondragleave = () => document.body.classList.remove("dropping");
  document.ondrop = (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (file && !busy) openFile(file);
  };
  let width = 0; // heights follow from what is shown
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width) return;
    width = contentRect.width;
    drawn = [];
    show();
  }).observe(get("candidates"));
}

/** Shows which sample is open, if one is. */
function pressSample(button?: Element): void {
  for (const other of get("samples").children) {
    other.setAttribute("aria-pressed", `${other === button}`);
  }
}

/** A sample's button in the strip, and its picture. */
function addSample(
  [kind, seed]: (typeof SAMPLES)[number],
  before: Element,
  made?: Subject,
): { readonly button: HTMLElement; paint(): void } {
  const button = document.createElement("button");
  button.type = "button";
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 128;
  canvas.ariaHidden = "true";
  button.append(canvas, `${OBJECTS[kind][1]} ${seed}`);
  const paint = () => {
    made ??= sample(kind, seed);
    canvas.getContext("2d")!.drawImage(made.raster, 0, 0, 128, 128);
    return made;
  };
  button.onclick = () => {
    if (busy) return;
    pressSample(button);
    get("open-reference").hidden = true;
    open(paint());
  };
  get("samples").insertBefore(button, before);
  return { button, paint };
}

/** The strip of sample images; they are painted once nothing else is to be done. */
async function listSamples(): Promise<void> {
  const another = document.createElement("button");
  another.type = "button";
  another.className = "another";
  another.textContent = "one more…";
  another.onclick = () => {
    if (busy) return;
    const kind = PHANTOM_KINDS[unseenSeed % PHANTOM_KINDS.length];
    addSample([kind, unseenSeed++], another).button.click();
  };
  get("samples").append(another);
  const added = SAMPLES.map((each, i) =>
    addSample(each, another, i === 0 ? first : undefined)
  );
  added[0].button.click();
  for (const { paint } of added) {
    // a click is answered first
    await new Promise((resolve) => requestIdleCallback(resolve));
    paint();
  }
}

listen();
listSamples();
try {
  const network = await loading;
  if (!early) {
    // compiles what a proposal needs while the user looks at the image
    const points = [{ x: 64, y: 64 }];
    (await Session.start(network, first.image, { points })).dispose();
  }
  model = network;
  say(`Click inside the ${subject.object}.`);
  show();
  if (early) {
    const point = early;
    early = undefined;
    await click(point);
  }
} catch (error) {
  say(`The network does not load: ${(error as Error).message}`, true);
}
