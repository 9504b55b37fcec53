// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { NOTICE_MARK, percent } from "../figures/candidates_figure.ts";
import { countPixels } from "../figures/describe.ts";
import {
  areaSwatch,
  boxMark,
  type LegendItem,
  pointMark,
} from "../figures/panel.ts";
import { escapeXML } from "../figures/svg.ts";
import { COLOR } from "../figures/theme.ts";
import { dice } from "../metrics/overlap.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import {
  drawPickPictures,
  type PickPictures,
  readProposal,
  type ShownProposal,
  svgElement,
} from "./pick_pictures.ts";
import { pickScript } from "./pick_script.ts";
import type { Choices, Offered } from "./picked.ts";

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
  /** Why it is asked again, above all else; nothing by default. */
  excuse?: string;
  /** The first line. */
  title: string;
  /** What can be picked. */
  choices: Choices;
}

/**
 * An interactive panel, made for the address of its server, and for the time by
 * `Date.now` until which whoever asks waits for a browser to show it.
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
  { image, proposal, truth, before, excuse, title, choices }:
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
  const actions = button("accept", "a", "Accept the recommendation") +
    (proposal && offered.has("accept") ? repairChoices(proposal) : "") +
    button("none", "n", "None of these") + button("undo", "u", "Undo") +
    button("closer", "+", "Look closer") + button("wider", "-", "Look wider");
  const bar = actions && `<div class="spa-pick-actions">${actions}</div>`;
  return [
    `<style>${PICK_STYLE}</style>`,
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
    viewTools(proposal !== undefined, before !== undefined),
    `</div>`,
    proposal
      ? `<div class="spa-pick-candidates">${candidates.join("\n")}</div>`
      : "",
    `</div>`,
    many ? "" : bar,
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
      pickScript({ id, url, until, width, height, image: pictures.image })
    }</script>`,
  ].join("\n");
}

function legendItem({ label, mark }: LegendItem): string {
  const box = { x: 0, y: 0, width: 26, height: 16 };
  return `<span>${svgElement(box, mark)}${escapeXML(label)}</span>`;
}

/** What the panel from which a user picks says in words. */

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
function repairChoices({ recommended, candidates }: ShownProposal): string {
  const masks = [recommended, ...candidates];
  const box = (repair: "largest" | "holes", label: string) => {
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

/** A key as it is drawn on a button, whose name does not need it. */
export function keyMark(text: string): string {
  return `<span class="spa-pick-key" aria-hidden="true">${text}</span>`;
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
        candidates > 0 ? "box to look at" : "box around it",
      )
      : "",
    `</div>`,
  ].join("");
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

/** The panel's own colors, by the theme of the page it stands in. */
const LIGHT = {
  selectors: ".spa-pick, .spa-pick-page",
  colors: {
    ink: COLOR.ink,
    paper: COLOR.paper,
    rule: COLOR.rule,
    muted: COLOR.muted,
  },
};
const DARK = {
  // JupyterLab and Notebook 7, VS Code
  selectors:
    '[data-jp-theme-light="false"] .spa-pick, .vscode-dark .spa-pick, ' +
    ".vscode-high-contrast .spa-pick",
  colors: {
    ink: "#E6EAEF",
    paper: "#15191E",
    rule: "#3A434E",
    muted: "#A3AEBB",
  },
};

function variables(colors: Readonly<Record<string, string>>): string {
  return Object.entries(colors).map(([name, color]) =>
    `--spa-${name}: ${color};`
  ).join(" ");
}

/**
 * Style of the panel from which a user picks; every class begins `spa-pick`. Of
 * many candidates the list scrolls, and the main picture stays beside it: in
 * JupyterLab's outputs, which clip, `position: sticky` does nothing.
 */
export const PICK_STYLE = `
${LIGHT.selectors} { ${variables(LIGHT.colors)} color-scheme: light; }
${DARK.selectors} { ${variables(DARK.colors)} color-scheme: dark; }
@media (prefers-color-scheme: dark) { .spa-pick-page, .spa-pick-page .spa-pick { ${
  variables(DARK.colors)
} color-scheme: dark; } }
.spa-pick-page { margin: 1rem auto; max-width: 900px; padding: 0 8px; background: var(--spa-paper); }
.spa-pick { container-type: inline-size; max-width: 900px; color: var(--spa-ink);
  background: var(--spa-paper); border: 1px solid var(--spa-rule); border-radius: 10px;
  font: 14px/1.45 "DejaVu Sans", Verdana, system-ui, sans-serif; margin: 2px; }
.spa-pick:focus { outline: none; border-color: var(--spa-muted); }
.spa-pick * { box-sizing: border-box; min-width: 0; overflow-wrap: anywhere; }
.spa-pick-card { padding: 16px 20px 14px; }
.spa-pick-title { font-size: 18px; font-weight: 700; line-height: 1.3; }
.spa-pick-hint { color: var(--spa-muted); margin: 2px 0 12px; }
.spa-pick-grid { display: grid; gap: 20px; grid-template-columns: minmax(0, 13fr) minmax(0, 12fr); align-items: start; }
.spa-pick-alone { max-width: 600px; }
.spa-pick-alone .spa-pick-grid { grid-template-columns: minmax(0, 1fr); }
.spa-pick svg { display: block; max-width: 100%; }
.spa-pick-main > svg, .spa-pick-choice > svg { height: auto; margin: 0 auto; }
.spa-pick-main > svg { width: min(100%, min(75vh, 620px) * var(--spa-aspect, 1000)); }
.spa-pick-choice > svg { width: min(100%, 300px * var(--spa-aspect, 1000)); }
.spa-pick-main > svg { cursor: crosshair; }
.spa-pick-candidates { display: grid; gap: 14px; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.spa-pick-many .spa-pick-grid { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.spa-pick-many .spa-pick-candidates { gap: 10px; grid-template-columns: repeat(3, minmax(0, 1fr));
  max-height: min(85vh, 760px); overflow-y: auto; padding: 2px; }
.spa-pick-many .spa-pick-actions { margin: 0 0 14px; }
.spa-pick a.spa-pick-choice, .spa-pick a.spa-pick-button, .spa-pick a.spa-pick-accept { color: var(--spa-ink); text-decoration: none; }
.spa-pick-candidate { position: relative; border-radius: 8px; border: 1px solid var(--spa-rule); }
.spa-pick-choice { display: block; padding: 5px; border-radius: 7px; cursor: pointer; }
.spa-pick-choice > svg { border-radius: 4px; }
.spa-pick-accept { position: absolute; right: 5px; top: 5px; padding: 1px 7px; border-radius: 6px; font-size: 12px;
  background: var(--spa-paper); border: 1px solid var(--spa-muted); opacity: 0.85; cursor: pointer; }
.spa-pick-accept:hover, .spa-pick-accept:focus-visible { opacity: 1; outline: 2px solid var(--spa-ink); outline-offset: -1px; }
.spa-pick-notice { display: flex; gap: 8px; align-items: center; margin: -4px 0 12px; font-weight: 700; }
.spa-pick-notice svg { flex: none; }
.spa-pick-repairs { display: inline-flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; font-size: 13px; }
.spa-pick-repairs label { display: inline-flex; gap: 5px; align-items: center; cursor: pointer; margin: 0; }
.spa-pick-repairs input { margin: 0; }
.spa-pick-choice:hover, .spa-pick-choice:focus-visible, .spa-pick-button:hover, .spa-pick-button:focus-visible {
  outline: 2px solid var(--spa-ink); outline-offset: -1px; }
.spa-pick-bar { display: block; height: 4px; background: var(--spa-rule); margin: 6px 1px 5px; }
.spa-pick-bar > span { display: block; height: 100%; background: var(--spa-ink); }
.spa-pick-line { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; font-size: 13px; padding: 0 1px; }
.spa-pick-line svg { flex: none; }
.spa-pick-small { font-size: 12px; color: var(--spa-muted); }
.spa-pick-key { display: inline-block; min-width: 20px; padding: 0 5px; text-align: center; font-weight: 700;
  border: 1.5px solid var(--spa-ink); border-radius: 4px; line-height: 18px; font-size: 13px; }
.spa-pick-change { display: inline-flex; gap: 4px; align-items: center; font-size: 12px; }
.spa-pick-mode { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: center; font-size: 13px; margin-top: 8px; }
.spa-pick-mode label { display: inline-flex; gap: 5px; align-items: center; cursor: pointer; margin: 0; }
.spa-pick-mode input { margin: 0; min-width: 0; }
.spa-pick-view { color: var(--spa-muted); }
.spa-pick-view input[type=range] { width: 84px; }
.spa-pick-view button { font: inherit; color: inherit; background: none; border: 1px solid var(--spa-rule); border-radius: 6px;
  padding: 1px 7px; cursor: pointer; }
.spa-pick-view button:disabled { visibility: hidden; }
.spa-pick-noOutlines [data-outline] { display: none; }
.spa-pick [data-areas] { opacity: var(--spa-fill, 1); }
.spa-pick-drawn { fill: none; stroke: #fff; stroke-width: 2; filter: drop-shadow(0 0 1px #000); }
.spa-pick-moving .spa-pick-main > svg { cursor: grabbing; }
.spa-pick-actions { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 14px; }
.spa-pick-button { display: inline-flex; gap: 7px; align-items: center; padding: 5px 12px 5px 7px; border-radius: 8px;
  border: 1px solid var(--spa-muted); cursor: pointer; }
.spa-pick a.spa-pick-button.spa-pick-primary { background: var(--spa-ink); color: var(--spa-paper); border-color: var(--spa-ink); }
.spa-pick-primary .spa-pick-key { border-color: var(--spa-paper); }
.spa-pick-primary:hover, .spa-pick-primary:focus-visible { outline-offset: 2px; }
.spa-pick-legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin-top: 14px; font-size: 12px; color: var(--spa-muted); }
.spa-pick-legend span { display: inline-flex; gap: 7px; align-items: center; }
.spa-pick .spa-pick-status a { color: var(--spa-ink); text-decoration: underline; }
.spa-pick-status { margin-top: 10px; font-size: 13px; color: var(--spa-muted); min-height: 1.45em; }
.spa-pick-done .spa-pick-status { color: var(--spa-ink); font-weight: 700; }
.spa-pick-done .spa-pick-grid, .spa-pick-done .spa-pick-actions { opacity: 0.45; pointer-events: none; }
@container (max-width: 620px) {
  .spa-pick-card { padding: 12px; }
  .spa-pick .spa-pick-grid { grid-template-columns: minmax(0, 1fr); gap: 14px; }
  .spa-pick-many .spa-pick-candidates { max-height: none; }
  .spa-pick:not(.spa-pick-alone) .spa-pick-main { max-width: 420px; }
}
@container (max-width: 420px) { .spa-pick-many .spa-pick-candidates { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@container (max-width: 300px) { .spa-pick .spa-pick-candidates { grid-template-columns: minmax(0, 1fr); } }
`;
