/** What a user can do with a proposal, as paths, typed lines and words. */

import type { Action, Point, Stroke } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { checkStroke } from "../spa/paint.ts";

/** The acceptance of a mask: as it is shown, or with repairs. */
export type Accepted = Extract<Action, { kind: "accept" }>;

/** What a user does with a volume besides what is done in its open slice. */
export type VolumeStep =
  /** The object is not in this slice, or in none where it has not begun. */
  | { readonly kind: "absent" }
  /** Opens a slice, perhaps with a click in it. */
  | { readonly kind: "go"; readonly slice: number; readonly point?: Point }
  /** Walks through the slices that are left, and stays. */
  | { readonly kind: "walk" }
  /** The volume is done. */
  | { readonly kind: "finish" };

/** What a user does with an image or a volume. */
export type Picked = Action | VolumeStep;

/** By how much one step of zoom looks closer. */
export const ZOOM = 1.5;

/** What there is to pick. */
export interface Choices {
  /** How many candidates. */
  readonly candidates: number;
  /** Columns of the image, in which a click must lie. */
  readonly width: number;
  /** Rows of the image. */
  readonly height: number;
  /** What else is offered. */
  readonly offered: ReadonlySet<Offered>;
  /** Steps of the history, to whose states one can jump; none by default. */
  readonly steps?: number;
  /** Slices of the volume; none by default. */
  readonly slices?: number;
}

/** What may be offered besides the candidates. */
export type Offered =
  | "accept"
  | "undo"
  | "redo"
  | "none"
  | "outside"
  | "closer"
  | "wider"
  | "box"
  | "paint"
  | VolumeStep["kind"];

/**
 * The pick of a link's path (`candidate/2`, `accept/2/holes`, `point/61/40/1`,
 * `closer`); undefined where it is none, or none of the choices.
 */
export function pickedFromPath(
  path: string,
  choices: Choices,
): Picked | undefined {
  if (path.length > (path.startsWith("paint/") ? 12_000 : 60)) return undefined;
  const candidate = /^candidate\/(\d+)$/.exec(path);
  if (candidate) {
    return among({ kind: "choose", candidate: Number(candidate[1]) }, choices);
  }
  const point = /^point\/(\d+)\/(\d+)\/([01])$/.exec(path);
  if (point) {
    const [x, y, label] = point.slice(1).map(Number);
    return among(clickAt(x, y, label as 0 | 1), choices);
  }
  const box = /^box\/(\d+)\/(\d+)\/(\d+)\/(\d+)$/.exec(path);
  if (box) return among(lookOf(box.slice(1)), choices);
  const accept = /^accept(?:\/(\d+))?(\/largest)?(?:\/small-(\d+))?(\/holes)?$/
    .exec(path);
  if (accept) {
    const [, candidate, largest, small, holes] = accept;
    return among(acceptance(candidate, largest, small, holes), choices);
  }
  const paint = /^paint\/([01])\/(\d+(?:\.\d+)?)\/([\d.,_]+)$/.exec(path);
  if (paint) {
    const [, label, radius, places] = paint;
    return strokeAlong(
      Number(label) as 0 | 1,
      radius,
      places.split("_"),
      choices,
    );
  }
  const slice = /^slice\/(\d+)(?:\/(\d+)\/(\d+)\/([01]))?$/.exec(path);
  if (slice) return among(sliceOf(slice), choices);
  if (path === "absent" || path === "walk" || path === "finish") {
    return among({ kind: path }, choices);
  }
  const jump = /^jump\/(\d+)$/.exec(path);
  if (jump) return among({ kind: "jump", step: Number(jump[1]) }, choices);
  if (path === "closer" || path === "wider") {
    return among(zoomOf(path), choices);
  }
  if (path === "undo" || path === "redo") {
    return among({ kind: path }, choices);
  }
  if (path === "none") return among({ kind: "again" }, choices);
  return undefined;
}

/** A slice to open, and the click in it, of a link or a typed line. */
function sliceOf([, slice, x, y, label = "1"]: RegExpExecArray): VolumeStep {
  const point = { x: Number(x), y: Number(y), label: Number(label) as 0 | 1 };
  return {
    kind: "go",
    slice: Number(slice),
    ...(x !== undefined && { point }),
  };
}

/** The acceptance of a candidate by its index as text, or the recommendation. */
function acceptance(
  candidate: string | undefined,
  largest: unknown,
  small: string | undefined,
  holes: unknown,
): Accepted {
  return {
    kind: "accept",
    ...(candidate !== undefined && { candidate: Number(candidate) }),
    ...(largest ? { largestComponent: true } : {}),
    ...(small !== undefined && { minimumSize: Number(small) }),
    ...(holes ? { fillHoles: true } : {}),
  };
}

/** A stroke along places as text, `61,40`; undefined where it is none. */
function strokeAlong(
  label: 0 | 1,
  radius: string,
  places: readonly string[],
  choices: Choices,
): Picked | undefined {
  const pairs = places.map((place) =>
    /^(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)$/.exec(place)?.slice(1).map(Number)
  );
  if (pairs.includes(undefined)) return undefined;
  const path = pairs.map((pair) => ({ x: pair![0], y: pair![1] }));
  return among({ kind: "paint", label, radius: Number(radius), path }, choices);
}

/** A click at a place, in pixels of the image. */
function clickAt(x: number, y: number, label: 0 | 1): Action {
  return { kind: "click", point: { x, y, label } };
}

/** A look at a box, whose edges are told as pixels that end before them. */
function lookOf(edges: readonly string[]): Action {
  const [left, top, right, bottom] = edges.map((edge) => Number(edge) - 0.5);
  return { kind: "look", region: { left, top, right, bottom } };
}

/** One step of zoom. */
function zoomOf(way: "closer" | "wider"): Action {
  return { kind: "zoom", factor: way === "closer" ? ZOOM : 1 / ZOOM };
}

/**
 * The pick of a typed line, as `2`, `a`, `a2 holes`, `+` or `61,40`; undefined
 * where it is none.
 */
export function pickedFromLine(
  line: string,
  choices: Choices,
): Picked | undefined {
  const text = line.trim().toLowerCase();
  const point = /^([+-]?)\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)$/.exec(text);
  if (point) {
    const label = point[1] === "-" ? 0 : 1;
    const [x, y] = [Number(point[2]), Number(point[3])];
    return among(clickAt(x, y, label), choices);
  }
  const box = /^box\s+(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)$/.exec(text);
  if (box) return among(lookOf(box.slice(1)), choices);
  if (/^\d+$/.test(text)) {
    return among({ kind: "choose", candidate: Number(text) - 1 }, choices);
  }
  if (text === "+" || text === "-") {
    return among(zoomOf(text === "+" ? "closer" : "wider"), choices);
  }
  const accept =
    /^a(?:ccept)?\s*(\d+)?(\s+largest)?(?:\s+small[-\s](\d+))?(\s+holes)?$/
      .exec(text);
  if (accept) {
    const [, number, largest, small, holes] = accept;
    const index = number === undefined ? undefined : String(Number(number) - 1);
    return among(acceptance(index, largest, small, holes), choices);
  }
  const paint = /^(brush|erase)\s+(\d+(?:\.\d+)?)\s+(.+)$/.exec(text);
  if (paint) {
    const [, tool, radius, places] = paint;
    const label = tool === "brush" ? 1 : 0;
    return strokeAlong(label, radius, places.split(/\s+/), choices);
  }
  const slice = /^slice\s+(\d+)(?:\s+(\d+)(?:\s*,\s*|\s+)(\d+)(?:\s+([01]))?)?$/
    .exec(text);
  if (slice) return among(sliceOf(slice), choices);
  if (text === "absent" || text === "walk" || text === "finish") {
    return among({ kind: text }, choices);
  }
  const jump = /^jump\s+(\d+)$/.exec(text);
  if (jump) return among({ kind: "jump", step: Number(jump[1]) }, choices);
  if (text === "u" || text === "undo") return among({ kind: "undo" }, choices);
  if (text === "r" || text === "redo") return among({ kind: "redo" }, choices);
  if (text === "n" || text === "none") return among({ kind: "again" }, choices);
  return undefined;
}

/** What can be typed, for a question. */
export function typedKeys({ candidates, offered }: Choices): string {
  const keys = [];
  if (candidates > 0) {
    keys.push(`${candidates === 1 ? "1" : `1 to ${candidates}`} picks`);
  }
  if (offered.has("accept")) {
    keys.push(
      candidates > 0
        ? "a accepts (a2 candidate 2; a largest, a small 9, a holes repair)"
        : "a accepts",
    );
  }
  for (const word of ["none", "undo", "redo"] as const) {
    if (offered.has(word)) keys.push(`${word[0]} ${WORDS[word]}`);
  }
  const zooms = [
    ...(offered.has("closer") ? ["+ looks closer"] : []),
    ...(offered.has("wider") ? ["- wider"] : []),
  ];
  if (zooms.length > 0) keys.push(zooms.join(", "));
  keys.push("x,y clicks inside");
  if (offered.has("outside")) keys.push("-x,y outside");
  if (offered.has("box")) {
    keys.push(
      candidates > 0
        ? "box left,top,right,bottom looks there"
        : "box left,top,right,bottom goes around it",
    );
  }
  if (offered.has("paint")) {
    keys.push("brush radius x,y x,y paints a stroke, erase erases one");
  }
  if (offered.has("go")) {
    keys.push("slice 12 opens slice 12, slice 12 x,y with a click");
  }
  if (offered.has("absent")) keys.push("absent says it is not here");
  if (offered.has("walk")) keys.push("walk carries it to the other slices");
  if (offered.has("finish")) keys.push("finish ends the volume");
  return keys.join(", ");
}

const WORDS = { none: "none of these", undo: "undoes", redo: "redoes" };

/** An action in words, as for a caption. */
export function describePicked(picked: Picked): string {
  switch (picked.kind) {
    case "choose":
      return `Candidate ${picked.candidate + 1} picked`;
    case "accept":
      return [
        `${
          picked.candidate === undefined
            ? "Recommendation"
            : `Candidate ${picked.candidate + 1}`
        } accepted`,
        ...(picked.largestComponent ? ["largest part only"] : []),
        ...(picked.minimumSize
          ? [`no parts under ${picked.minimumSize} pixels`]
          : []),
        ...(picked.fillHoles ? ["holes filled"] : []),
      ].join(", ");
    case "zoom":
      return picked.factor > 1 ? "A closer look" : "A wider look";
    case "look":
      return `Box (${describeBox(picked.region)})`;
    case "undo":
      return "One step back";
    case "again":
      return "None of these";
    case "redo":
      return "One step forth";
    case "jump":
      return picked.step === 0
        ? "Back to the start"
        : `To step ${picked.step} of the history`;
    case "paint": {
      const { label, radius, path: [{ x, y }] } = picked;
      const tool = label === 1 ? "Brush" : "Eraser";
      return `${tool} of radius ${radius} from (${x}, ${y})`;
    }
    case "stop":
      return "Stopped";
    case "absent":
      return "The object is not here";
    case "go":
      return `Slice ${picked.slice}${
        picked.point
          ? `, ${
            describePicked({ kind: "click", point: picked.point }).toLowerCase()
          }`
          : ""
      }`;
    case "walk":
      return "A walk through the other slices";
    case "finish":
      return "The volume is done";
    case "click": {
      const { x, y, label } = picked.point;
      return `Click ${label === 0 ? "outside" : "inside"} at (${x}, ${y})`;
    }
  }
}

/** A step of a history in words. */
export function describeStep(step: Picked): string {
  return step.kind === "look" ? "Another region" : describePicked(step);
}

/** What was picked so far, to go back and forth in. */
export interface PickHistory {
  /** In words, oldest first; what was undone stands last. */
  readonly steps: readonly string[];
  /** How many of them are done. */
  readonly done: number;
}

/** The first and the last pixel of a box, in columns and rows. */
function describeBox({ left, top, right, bottom }: Box): string {
  return `${left + 0.5}, ${top + 0.5}) to (${right - 0.5}, ${bottom - 0.5}`;
}

/** Whether a pick is one of the choices. */
export function isAmong(picked: Picked, choices: Choices): boolean {
  const { candidates, width, height, offered } = choices;
  switch (picked.kind) {
    case "choose":
      return Number.isInteger(picked.candidate) && picked.candidate >= 0 &&
        picked.candidate < candidates;
    case "click": {
      const { x, y, label = 1 } = picked.point;
      return x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1 &&
        (label === 1 || label === 0 && offered.has("outside"));
    }
    case "accept":
      return offered.has("accept") && (picked.candidate === undefined ||
        Number.isInteger(picked.candidate) && picked.candidate >= 0 &&
          picked.candidate < candidates);
    case "zoom":
      return picked.factor > 0 && Number.isFinite(picked.factor) &&
        offered.has(picked.factor > 1 ? "closer" : "wider");
    case "look": {
      const { left, top, right, bottom } = picked.region;
      return offered.has("box") && left < right && top < bottom &&
        left >= -0.5 && top >= -0.5 && right <= width - 0.5 &&
        bottom <= height - 0.5;
    }
    case "again":
      return offered.has("none");
    case "go": {
      const { slice, point } = picked;
      return offered.has("go") && Number.isInteger(slice) && slice >= 0 &&
        slice < (choices.slices ?? 0) &&
        (!point || isAmong({ kind: "click", point }, choices));
    }
    case "absent":
    case "walk":
    case "finish":
      return offered.has(picked.kind);
    case "undo":
    case "redo":
      return offered.has(picked.kind);
    case "jump":
      return Number.isInteger(picked.step) && picked.step >= 0 &&
        picked.step <= (choices.steps ?? -1);
    case "paint":
      return offered.has("paint") && isStroke(picked, height, width);
    default:
      return false;
  }
}

function isStroke(stroke: Stroke, height: number, width: number): boolean {
  try {
    checkStroke(stroke, height, width);
    return true;
  } catch {
    return false;
  }
}

function among(picked: Picked, choices: Choices): Picked | undefined {
  return isAmong(picked, choices) ? picked : undefined;
}
