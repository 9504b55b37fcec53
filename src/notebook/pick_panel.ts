// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { NOTICE_MARK } from "../figures/candidates_figure.ts";
import { percent } from "../figures/describe.ts";
import { countPixels } from "../figures/describe.ts";
import {
  areaSwatch,
  boxMark,
  type LegendItem,
  pointMark,
} from "../figures/panel.ts";
import { escapeXML } from "../figures/svg.ts";
import { dice } from "../metrics/overlap.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import {
  drawPickPictures,
  keyMark,
  type OtherObject,
  type PickPictures,
  readProposal,
  type ShownProposal,
  svgElement,
} from "./pick_pictures.ts";
import { pickScript } from "./pick_script.ts";
import { drawSlices, SLICES_STYLE, slicesGiven } from "./pick_slices.ts";
import { PICK_STYLE } from "./pick_style.ts";
import type { Choices, Offered, PickHistory } from "./picked.ts";
import type { PanelVolume } from "./slice_views.ts";

/** What a panel shows, from which a user picks. */
export interface PickPanelOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The recommendation and its candidates; without them, the image alone. */
  proposal?:
    & Pick<Proposal, "recommended" | "candidates">
    & Partial<Pick<Proposal, "region" | "notice">>;
  /** The clicks so far, which default to none. */
  points?: readonly Point[];
  /** The box around the object; none by default. */
  box?: Box;
  /** A reference mask, [H, W], with which Dice is given. */
  truth?: NdArray<Uint8Array>;
  /** The recommendation before, [H, W], to compare with; none by default. */
  before?: NdArray<Uint8Array>;
  /** The volume of which the image is a slice; none by default. */
  volume?: PanelVolume;
  /** Objects that were done before, [H, W] each; none by default. */
  others?: readonly OtherObject[];
  /** The session's steps; none by default. */
  history?: PickHistory;
  /** Why it is asked again, above all else; nothing by default. */
  excuse?: string;
  /** The first line. */
  title: string;
  /** What can be picked. */
  choices: Choices;
}

/**
 * Makes an interactive panel for the address of its server. Until the time that
 * is given, in milliseconds of `Date.now`, the kernel waits for a browser to show
 * it.
 */
export type PickPanel = (url: string, until: number) => {
  /** For a notebook's output. Its links work where scripts do not. */
  readonly fragment: string;
  /** The same as a page of its own. */
  readonly page: string;
};

/** Draws the panel from which a user picks. */
export async function pickPanel(options: PickPanelOptions): Promise<PickPanel> {
  const id = `spa-pick-${crypto.randomUUID().slice(0, 8)}`;
  const { image, points = [], box, truth, before } = options;
  const proposal = options.proposal && readProposal(options.proposal);
  const pictures = await drawPickPictures(id, {
    ...{ image, proposal, points, box, truth, before },
    others: options.others,
    slices: options.volume !== undefined,
  });
  const drawn = new Map<string, string>(); // it may be asked for again and again
  return (url, until) => {
    const key = `${url} ${until}`;
    const fragment = drawn.get(key) ??
      drawPanel({ id, url, until }, pictures, { ...options, proposal });
    drawn.set(key, fragment);
    return {
      fragment,
      page: `<!doctype html><html lang="en"><meta charset="utf-8">` +
        `<meta name="viewport" content="width=device-width"><title>${
          escapeXML(options.title)
        }</title><body class="spa-pick-page">${fragment}`,
    };
  };
}

function drawPanel(
  { id, url, until }: { id: string; url: string; until: number },
  pictures: PickPictures,
  { image, proposal, truth, before, history, excuse, title, choices, volume }:
    & Omit<PickPanelOptions, "proposal">
    & { proposal?: ShownProposal },
): string {
  const [height, width] = image.shape;
  const { offered } = choices;
  const link = (path: string, css: string, content: string, rest: string) =>
    `<a class="${css}" role="button" href="${url}/${path}" data-path="${path}" ` +
    `${rest} target="_blank" rel="noopener noreferrer">${content}</a>`;
  const button = (word: Offered, key: string, label: string) =>
    offered.has(word)
      ? link(
        word,
        `spa-pick-button${word === "accept" ? " spa-pick-primary" : ""}`,
        `${keyMark(key.toUpperCase())} <span>${label}</span>`,
        `aria-keyshortcuts="${key === "+" ? "Plus" : key}" data-key="${key}"`,
      )
      : "";
  const candidates = pictures.candidates.map((picture, k) => {
    const candidate = proposal!.candidates[k];
    const pick = link(
      `candidate/${k}`,
      "spa-pick-choice",
      picture + candidateCaption(candidate, k, id, truth),
      `aria-label="${candidateLabel(candidate, k, truth)}" ` +
        `${k < KEYS ? `data-key="${k + 1}" ` : ""}data-candidate="${k}"`,
    );
    const accept = offered.has("accept")
      ? link(
        `accept/${k}`,
        "spa-pick-accept",
        "accept",
        `aria-label="Accept candidate ${k + 1} as it is" data-accepts="${k}"${
          k < KEYS
            ? ` title="Shift+${k + 1}" aria-keyshortcuts="Shift+${k + 1}"`
            : ""
        }`,
      )
      : "";
    return `<div class="spa-pick-candidate">${pick}${accept}</div>`;
  });
  const many = candidates.length > 4; // more than fit beside the main picture
  const accept = volume ? "This slice is right" : "Accept the recommendation";
  const actions = button("accept", "a", accept) +
    (proposal && offered.has("accept") ? repairChoices(proposal) : "") +
    button("none", "n", "None of these") + button("undo", "u", "Undo") +
    button("redo", "r", "Redo") +
    button("closer", "+", "Look closer") + button("wider", "-", "Look wider") +
    button("absent", "e", volume ? "Not in this slice" : "Not in this image") +
    button("walk", "w", "Carry it to the other slices") +
    button("finish", "d", "The volume is done");
  const bar = actions && `<div class="spa-pick-actions">${actions}</div>`;
  return [
    `<style>${PICK_STYLE}${volume ? SLICES_STYLE : ""}</style>`,
    `<div class="spa-pick${proposal ? "" : " spa-pick-alone"}${
      many ? " spa-pick-many" : ""
    }" id="${id}" tabindex="-1" role="group" aria-label="${escapeXML(title)}">`,
    `<div class="spa-pick-card">${pictures.definitions}`,
    `<div class="spa-pick-title">${escapeXML(title)}</div>`,
    `<div class="spa-pick-hint">${hint(choices)}</div>`,
    excuse ? noticeLine(excuse) : "",
    proposal?.notice ? noticeLine(proposal.notice.text) : "",
    many ? bar : "",
    `<div class="spa-pick-grid">`,
    `<div class="spa-pick-main">${pictures.main}`,
    proposal ? recommendedCaption(proposal.recommended.mask, truth) : "",
    clickMode(id, choices),
    choices.offered.has("paint") ? brushSize(Math.max(height, width)) : "",
    viewTools(proposal !== undefined, before !== undefined),
    `</div>`,
    proposal
      ? `<div class="spa-pick-candidates">${candidates.join("\n")}</div>`
      : "",
    `</div>`,
    volume ? drawSlices(volume, url) : "",
    many ? "" : bar,
    history && history.steps.length > 0 ? historyList(history, link) : "",
    pictures.legend.length > 0
      ? `<div class="spa-pick-legend">${
        pictures.legend.map(legendItem).join("")
      }</div>`
      : "",
    `<div class="spa-pick-status" role="status">`,
    `No pictures here, or clicks do nothing? <a href="${url}" target="_blank" rel="noopener noreferrer">Open this in a tab of its own</a>.`,
    `</div>`,
    `<img data-shown src="${url}/shown" width="1" height="1" alt="" aria-hidden="true" style="position:absolute;opacity:0">`,
    `</div></div>`,
    `<script>${
      pickScript({
        ...{ id, url, until, width, height },
        image: volume?.id ?? pictures.image,
        slices: volume && slicesGiven(volume),
      })
    }</script>`,
  ].join("\n");
}

function legendItem({ label, mark }: LegendItem): string {
  const box = { x: 0, y: 0, width: 26, height: 16 };
  return `<span>${svgElement(box, mark)}${escapeXML(label)}</span>`;
}

/** How many candidates have a key: one character each. */
export const KEYS = 9;

/** What is wrong with the recommendation; a screen reader says it at once. */
function noticeLine(text: string): string {
  const mark = svgElement({ x: 0, y: 0, width: 18, height: 16 }, NOTICE_MARK);
  return `<div class="spa-pick-notice" role="alert">${mark}<span>${
    escapeXML(text)
  }</span></div>`;
}

/**
 * The repairs before a mask is accepted: those that change any of the masks. What
 * they do to the recommendation is said in pixels.
 */
function repairChoices(
  { recommended, candidates, least }: ShownProposal,
): string {
  const masks = [recommended, ...candidates];
  const box = (repair: string, label: string) => {
    if (!masks.some(({ repairs }) => repairs.has(repair))) return "";
    const repaired = recommended.repairs.get(repair);
    const change = repaired
      ? countPixels(repaired) - countPixels(recommended.mask)
      : 0;
    const pixels = change === 0
      ? ""
      : ` (${change < 0 ? "−" : "+"}${Math.abs(change)} px)`;
    return `<label><input type="checkbox" data-repair="${repair}">` +
      `<span>${label}${pixels}</span></label>`;
  };
  const boxes = box("largest", "largest part only") +
    box(`small-${least}`, `no parts under ${least} px`) +
    box("holes", "fill holes");
  return boxes && `<span class="spa-pick-repairs" role="group" ` +
      `aria-label="Repairs before it is accepted">${boxes}</span>`;
}

/** A candidate as its picture and caption say it, for those who cannot see. */
export function candidateLabel(
  { share, mask, added, removed }: ShownProposal["candidates"][number],
  k: number,
  truth?: NdArray<Uint8Array>,
): string {
  const score = truth ? `, Dice ${dice(mask, truth).toFixed(3)}` : "";
  return `Candidate ${k + 1}, ${percent(share)} of samples, ` +
    `adds ${countPixels(added)}, removes ${
      countPixels(removed)
    } pixels${score}`;
}

/** What to do, in one line, and by which keys. */
export function hint({ candidates, offered }: Choices): string {
  const view = "The wheel zooms the picture, a drag moves it.";
  if (candidates === 0 && offered.has("accept")) {
    return `Click on the image where the mask is wrong: inside the object, with Shift outside; then accept it. ${view}`;
  }
  if (candidates === 0) {
    return `Click on the image, inside the object${
      offered.has("box") ? ", or draw a box around it" : ""
    }. ${view}`;
  }
  const key = (k: number) => `<span class="spa-pick-key">${k}</span>`;
  const last = Math.min(candidates, KEYS);
  const keys = last === 1 ? key(1) : `${key(1)} to ${key(last)}`;
  const rest = candidates > last ? `; those after ${last} have no key` : "";
  return `Click the nearest candidate, or click here and press ${keys}${rest}.${
    offered.has("outside")
      ? " A click on the image adds a point: inside the object, with Shift outside."
      : ""
  } ${view}`;
}

/** What stands under a candidate's picture. */
export function candidateCaption(
  { share, mask, added, removed }: ShownProposal["candidates"][number],
  k: number,
  id: string,
  truth?: NdArray<Uint8Array>,
): string {
  const change = (kind: "added" | "removed", text: string) =>
    `<span class="spa-pick-change">${
      svgElement(
        { x: 0, y: 0, width: 12, height: 10 },
        areaSwatch(kind, `${id}-${kind}-${k}`, 12, 10),
      )
    }${text} px</span>`;
  return `<span class="spa-pick-bar"><span style="width:${
    (100 * share).toFixed(1)
  }%"></span></span>` +
    `<span class="spa-pick-line">${
      k < KEYS ? keyMark(String(k + 1)) : `<strong>${k + 1}</strong>`
    } <span>${percent(share)} of samples</span></span>` +
    `<span class="spa-pick-line">${change("added", `+${countPixels(added)}`)} ${
      change("removed", `−${countPixels(removed)}`)
    } ${score(mask, truth)}</span>`;
}

/** What stands under the main picture. */
export function recommendedCaption(
  mask: NdArray<Uint8Array>,
  truth?: NdArray<Uint8Array>,
): string {
  return `<div class="spa-pick-line" style="margin-top:6px"><strong>Recommendation</strong> ` +
    `<span class="spa-pick-small">mean of all samples · ${
      countPixels(mask)
    } px</span> ${score(mask, truth)}</div>`;
}

function score(mask: NdArray<Uint8Array>, truth?: NdArray<Uint8Array>): string {
  if (!truth) return "";
  return `<span class="spa-pick-small">Dice ${
    dice(mask, truth).toFixed(3)
  }</span>`;
}

/** The choice of what a click or a drag on the image says. */
export function clickMode(
  id: string,
  { candidates, offered }: Choices,
): string {
  if (!offered.has("outside") && !offered.has("box")) return "";
  const tool = (mark: string) =>
    `<path d="${mark}" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/>`;
  const mode = (value: string, mark: string, text: string) =>
    `<label><input type="radio" name="${id}-mode" value="${value}"${
      value === "1" ? " checked" : ""
    }>${
      svgElement({ x: 0, y: 0, width: 18, height: 18 }, mark)
    }${text}</label>`;
  const point = (label: 0 | 1) =>
    `<g transform="translate(9 9)">${pointMark(label, 6)}</g>`;
  return [
    `<div class="spa-pick-mode" role="group" aria-label="What a click or a drag on the image does">`,
    mode("1", point(1), "inside"),
    offered.has("outside") ? mode("0", point(0), "outside") : "",
    offered.has("box")
      ? mode(
        "box",
        boxMark(3, 4, 12, 10),
        candidates > 0 || offered.has("accept")
          ? "box to look at"
          : "box around it",
      )
      : "",
    offered.has("paint")
      ? mode("brush", tool(BRUSH), "brush") +
        mode("eraser", tool(ERASER), "eraser")
      : "",
    `</div>`,
  ].join("");
}

const BRUSH = "M3 15 C3 11 6 10 8 12 C9 14 7 16 3 15 Z M9 10 L15 3";
const ERASER = "M3 12 L9 5 L14 9 L9 15 L6 15 Z";

/** The diameter of brush and eraser, shown while one is chosen. */
function brushSize(side: number): string {
  const most = Math.max(10, Math.round(side / 6));
  const first = Math.min(Math.max(3, Math.round(side / 32)), most);
  return `<div class="spa-pick-mode spa-pick-brush"><label>size` +
    `<input type="range" data-view="size" min="1" max="${most}" value="${first}" ` +
    `aria-label="Diameter of brush and eraser in pixels of the image" title="[ and ]"></label>` +
    `<span class="spa-pick-small">The middle button moves the picture.</span></div>`;
}

/** The states of a session, to jump to. */
function historyList(
  { steps, done }: PickHistory,
  link: (path: string, css: string, content: string, rest: string) => string,
): string {
  const items = ["Start", ...steps].map((words, k) => {
    const content = escapeXML(words);
    if (k === done) {
      return `<li><strong aria-current="step">${content}</strong></li>`;
    }
    const css = `spa-pick-step${k > done ? " spa-pick-undone" : ""}`;
    return `<li>${link(`jump/${k}`, css, content, "")}</li>`;
  });
  return `<details class="spa-pick-history"><summary>History, step ${done} of ${steps.length}</summary>` +
    `<ol start="0">${items.join("")}</ol></details>`;
}

/** How the picture is shown: nothing here is an answer. */
function viewTools(proposal: boolean, before: boolean): string {
  const toggle = (name: string, label: string, checked: boolean, key: string) =>
    `<label title="${key}"><input type="checkbox" data-view="${name}"${
      checked ? " checked" : ""
    }>${label}</label>`;
  return [
    `<div class="spa-pick-mode spa-pick-view">`,
    proposal
      ? toggle("outlines", "outlines", true, "O") +
        `<label>fill<input type="range" data-view="fill" min="0" max="100" value="100" aria-label="Opacity of added and removed pixels"></label>`
      : "",
    before ? toggle("before", "before", false, "B") : "",
    `<button type="button" data-reset disabled title="0, or a double click">whole image</button>`,
    `</div>`,
  ].join("");
}
