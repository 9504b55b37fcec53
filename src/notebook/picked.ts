/** What a user can do with a proposal, and its forms as text. */

/**
 * What a user did with a proposal, told apart by `kind`. A click has x and y in
 * pixels of the image and its label, 1 inside and 0 outside: it is a `Point`.
 */
export type Picked =
  | { readonly kind: "candidate"; readonly index: number }
  | { readonly kind: "accept" }
  | { readonly kind: "undo" }
  | { readonly kind: "none" }
  | {
    readonly kind: "point";
    readonly x: number;
    readonly y: number;
    readonly label: 0 | 1;
  };

/** What there is to pick. */
export interface Choices {
  /** How many candidates. */
  readonly candidates: number;
  /** Columns of the image, in which a click must lie. */
  readonly width: number;
  /** Rows of the image. */
  readonly height: number;
  /** What else is offered. */
  readonly offered: ReadonlySet<"accept" | "undo" | "none" | "outside">;
}

/**
 * The pick of a link's path (`candidate/2`, `accept`, `point/61/40/1`);
 * undefined where it is none, or none of the choices.
 */
export function pickedFromPath(
  path: string,
  choices: Choices,
): Picked | undefined {
  if (path.length > 60) return undefined;
  const candidate = /^candidate\/(\d+)$/.exec(path);
  if (candidate) {
    return among({ kind: "candidate", index: Number(candidate[1]) }, choices);
  }
  const point = /^point\/(\d+)\/(\d+)\/([01])$/.exec(path);
  if (point) {
    const [x, y, label] = point.slice(1).map(Number);
    return among({ kind: "point", x, y, label: label as 0 | 1 }, choices);
  }
  if (path === "accept" || path === "undo" || path === "none") {
    return among({ kind: path }, choices);
  }
  return undefined;
}

/** The pick of a typed line, as `2`, `a` or `+61,40`; undefined where it is none. */
export function pickedFromLine(
  line: string,
  choices: Choices,
): Picked | undefined {
  const text = line.trim().toLowerCase();
  const point = /^([+-]?)\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)$/.exec(text);
  if (point) {
    const label = point[1] === "-" ? 0 : 1;
    const [x, y] = [Number(point[2]), Number(point[3])];
    return among({ kind: "point", x, y, label }, choices);
  }
  if (/^\d+$/.test(text)) {
    return among({ kind: "candidate", index: Number(text) - 1 }, choices);
  }
  const word = (["accept", "undo", "none"] as const)
    .find((word) => text === word || text === word[0]);
  return word && among({ kind: word }, choices);
}

/** What can be typed, for a question. */
export function typedKeys({ candidates, offered }: Choices): string {
  const keys = [];
  if (candidates > 0) {
    keys.push(`${candidates === 1 ? "1" : `1 to ${candidates}`} picks`);
  }
  for (const word of ["accept", "none", "undo"] as const) {
    if (offered.has(word)) keys.push(`${word[0]} ${WORDS[word]}`);
  }
  keys.push("x,y clicks inside");
  if (offered.has("outside")) keys.push("-x,y outside");
  return keys.join(", ");
}

const WORDS = { accept: "accepts", none: "none of these", undo: "undoes" };

/** A pick in words, as for a caption. */
export function describePicked(picked: Picked): string {
  switch (picked.kind) {
    case "candidate":
      return `Candidate ${picked.index + 1} picked`;
    case "accept":
      return "Recommendation accepted";
    case "undo":
      return "One step back";
    case "none":
      return "None of these";
    case "point":
      return `Click ${picked.label === 1 ? "inside" : "outside"} ` +
        `at (${picked.x}, ${picked.y})`;
  }
}

/** Whether a pick is one of the choices. */
export function isAmong(picked: Picked, choices: Choices): boolean {
  const { candidates, width, height, offered } = choices;
  switch (picked.kind) {
    case "candidate":
      return Number.isInteger(picked.index) && picked.index >= 0 &&
        picked.index < candidates;
    case "point":
      return picked.x >= 0 && picked.y >= 0 && picked.x <= width - 1 &&
        picked.y <= height - 1 &&
        (picked.label === 1 || picked.label === 0 && offered.has("outside"));
    default:
      return offered.has(picked.kind);
  }
}

function among(picked: Picked, choices: Choices): Picked | undefined {
  return isAmong(picked, choices) ? picked : undefined;
}
