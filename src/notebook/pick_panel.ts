// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { percent } from "../figures/candidates_figure.ts";
import { countPixels } from "../figures/describe.ts";
import { areaSwatch, type LegendItem, pointMark } from "../figures/panel.ts";
import { escapeXML } from "../figures/svg.ts";
import { COLOR } from "../figures/theme.ts";
import { dice } from "../metrics/overlap.ts";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import {
  drawPickPictures,
  type PickPictures,
  svgElement,
} from "./pick_pictures.ts";
import { pickScript } from "./pick_script.ts";
import type { Choices } from "./picked.ts";

/** What a panel shows, from which a user picks. */
export interface PickPanelOptions {
  /** [H, W, 1 or 3], values 0..1. */
  image: NdArray<Float32Array>;
  /** The recommendation and its candidates; without them, the image alone. */
  proposal?: Pick<Proposal, "recommended" | "candidates">;
  /** The clicks so far, which default to none. */
  points?: readonly Point[];
  /** A reference mask, [H, W], with which Dice is given. */
  truth?: NdArray<Uint8Array>;
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
  const { image, proposal, points = [], truth } = options;
  const pictures = await drawPickPictures(id, {
    ...{ image, proposal, points, truth },
  });
  return (url, until) => {
    const fragment = drawPanel({ id, url, until }, pictures, options);
    return {
      fragment,
      page: `<!doctype html><html lang="en"><meta charset="utf-8">` +
        `<meta name="viewport" content="width=device-width"><title>${
          escapeXML(options.title)
        }</title><body style="margin:1rem auto;max-width:900px">${fragment}`,
    };
  };
}

function drawPanel(
  { id, url, until }: { id: string; url: string; until: number },
  pictures: PickPictures,
  { image, proposal, truth, title, choices }: PickPanelOptions,
): string {
  const [height, width] = image.shape;
  const { offered } = choices;
  const link = (path: string, css: string, content: string, rest: string) =>
    `<a class="${css}" role="button" href="${url}/${path}" data-path="${path}" ` +
    `${rest} target="_blank" rel="noopener noreferrer">${content}</a>`;
  const button = (word: "accept" | "none" | "undo", label: string) =>
    offered.has(word)
      ? link(
        word,
        `spa-pick-button${word === "accept" ? " spa-pick-primary" : ""}`,
        `${keyMark(word[0].toUpperCase())} <span>${label}</span>`,
        `aria-keyshortcuts="${word[0]}" data-key="${word[0]}"`,
      )
      : "";
  const candidates = pictures.candidates.map((picture, k) =>
    link(
      `candidate/${k}`,
      "spa-pick-candidate",
      picture + candidateCaption(proposal!.candidates[k], k, id, truth),
      `aria-label="${candidateLabel(proposal!.candidates[k], k, truth)}" ` +
        `${k < KEYS ? `data-key="${k + 1}" ` : ""}data-candidate="${k}"`,
    )
  );
  const many = candidates.length > 4; // more than fit beside the main picture
  const actions = button("accept", "Accept the recommendation") +
    button("none", "None of these") + button("undo", "Undo");
  const bar = actions && `<div class="spa-pick-actions">${actions}</div>`;
  return [
    `<style>${PICK_STYLE}</style>`,
    `<div class="spa-pick${proposal ? "" : " spa-pick-alone"}${
      many ? " spa-pick-many" : ""
    }" id="${id}" tabindex="-1" role="group" aria-label="${escapeXML(title)}">`,
    `<div class="spa-pick-card">${pictures.definitions}`,
    `<div class="spa-pick-title">${escapeXML(title)}</div>`,
    `<div class="spa-pick-hint">${hint(choices)}</div>`,
    many ? bar : "",
    `<div class="spa-pick-grid">`,
    `<div class="spa-pick-main">${pictures.main}`,
    proposal ? recommendedCaption(proposal.recommended.mask, truth) : "",
    offered.has("outside") ? clickMode(id) : "",
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
    `<script>${pickScript({ id, url, until, width, height })}</script>`,
  ].join("\n");
}

function legendItem({ label, mark }: LegendItem): string {
  const box = { x: 0, y: 0, width: 26, height: 16 };
  return `<span>${svgElement(box, mark)}${escapeXML(label)}</span>`;
}

/** What the panel from which a user picks says in words. */

/** How many candidates have a key: one character each. */
export const KEYS = 9;

/** A candidate as its picture and caption say it, for those who cannot see. */
export function candidateLabel(
  { share, mask, added, removed }: Proposal["candidates"][number],
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
  if (candidates === 0) return "Click on the image, inside the object.";
  const key = (k: number) => `<span class="spa-pick-key">${k}</span>`;
  const last = Math.min(candidates, KEYS);
  const keys = last === 1 ? key(1) : `${key(1)} to ${key(last)}`;
  const rest = candidates > last ? `; those after ${last} have no key` : "";
  return `Click the nearest candidate, or click here and press ${keys}${rest}.${
    offered.has("outside")
      ? " A click on the image adds a point: inside the object, with Shift outside."
      : ""
  }`;
}

/** A key as it is drawn on a button, whose name does not need it. */
export function keyMark(text: string): string {
  return `<span class="spa-pick-key" aria-hidden="true">${text}</span>`;
}

/** What stands under a candidate's picture. */
export function candidateCaption(
  { share, mask, added, removed }: Proposal["candidates"][number],
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

/** The choice of what a click on the image says. */
export function clickMode(id: string): string {
  const mode = (label: 0 | 1, text: string) =>
    `<label><input type="radio" name="${id}-mode" value="${label}"${
      label === 1 ? " checked" : ""
    }>${
      svgElement(
        { x: 0, y: 0, width: 18, height: 18 },
        `<g transform="translate(9 9)">${pointMark(label, 6)}</g>`,
      )
    }${text}</label>`;
  return `<div class="spa-pick-mode"><span class="spa-pick-small">a click adds</span>${
    mode(1, "inside")
  }${mode(0, "outside")}</div>`;
}

/**
 * Style of the panel from which a user picks; every class begins `spa-pick`. Of
 * many candidates the list scrolls, and the main picture stays beside it: in
 * JupyterLab's outputs, which clip, `position: sticky` does nothing.
 */
export const PICK_STYLE = `
.spa-pick { container-type: inline-size; max-width: 900px; color: ${COLOR.ink};
  background: ${COLOR.paper}; border: 1px solid ${COLOR.rule}; border-radius: 10px;
  font: 14px/1.45 "DejaVu Sans", Verdana, system-ui, sans-serif; margin: 2px;
  color-scheme: light; }
.spa-pick:focus { outline: none; border-color: ${COLOR.muted}; }
.spa-pick * { box-sizing: border-box; }
.spa-pick-card { padding: 16px 20px 14px; }
.spa-pick-title { font-size: 18px; font-weight: 700; line-height: 1.3; }
.spa-pick-hint { color: ${COLOR.muted}; margin: 2px 0 12px; }
.spa-pick-grid { display: grid; gap: 20px; grid-template-columns: minmax(0, 13fr) minmax(0, 12fr); align-items: start; }
.spa-pick-alone { max-width: 600px; }
.spa-pick-alone .spa-pick-grid { grid-template-columns: minmax(0, 1fr); }
.spa-pick svg { display: block; max-width: 100%; }
.spa-pick-main > svg, .spa-pick-candidate > svg { height: auto; margin: 0 auto; }
.spa-pick-main > svg { width: min(100%, min(75vh, 620px) * var(--spa-aspect, 1000)); }
.spa-pick-candidate > svg { width: min(100%, 300px * var(--spa-aspect, 1000)); }
.spa-pick-main > svg { cursor: crosshair; }
.spa-pick-candidates { display: grid; gap: 14px; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.spa-pick-many .spa-pick-grid { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.spa-pick-many .spa-pick-candidates { gap: 10px; grid-template-columns: repeat(3, minmax(0, 1fr));
  max-height: min(85vh, 760px); overflow-y: auto; padding: 2px; }
.spa-pick-many .spa-pick-actions { margin: 0 0 14px; }
.spa-pick a.spa-pick-candidate, .spa-pick a.spa-pick-button { color: ${COLOR.ink}; text-decoration: none; }
.spa-pick-candidate { display: block; border-radius: 8px; padding: 5px; border: 1px solid ${COLOR.rule}; cursor: pointer; }
.spa-pick-candidate > svg { border-radius: 4px; }
.spa-pick-candidate:hover, .spa-pick-candidate:focus-visible, .spa-pick-button:hover, .spa-pick-button:focus-visible {
  outline: 2px solid ${COLOR.ink}; outline-offset: -1px; }
.spa-pick-bar { display: block; height: 4px; background: ${COLOR.rule}; margin: 6px 1px 5px; }
.spa-pick-bar > span { display: block; height: 100%; background: ${COLOR.ink}; }
.spa-pick-line { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; font-size: 13px; padding: 0 1px; }
.spa-pick-line svg { flex: none; }
.spa-pick-small { font-size: 12px; color: ${COLOR.muted}; }
.spa-pick-key { display: inline-block; min-width: 20px; padding: 0 5px; text-align: center; font-weight: 700;
  border: 1.5px solid ${COLOR.ink}; border-radius: 4px; line-height: 18px; font-size: 13px; }
.spa-pick-change { display: inline-flex; gap: 4px; align-items: center; font-size: 12px; }
.spa-pick-mode { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: center; font-size: 13px; margin-top: 8px; }
.spa-pick-mode label { display: inline-flex; gap: 5px; align-items: center; cursor: pointer; margin: 0; }
.spa-pick-mode input { margin: 0; }
.spa-pick-actions { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 14px; }
.spa-pick-button { display: inline-flex; gap: 7px; align-items: center; padding: 5px 12px 5px 7px; border-radius: 8px;
  border: 1px solid ${COLOR.muted}; cursor: pointer; }
.spa-pick a.spa-pick-button.spa-pick-primary { background: ${COLOR.ink}; color: ${COLOR.paper}; border-color: ${COLOR.ink}; }
.spa-pick-primary .spa-pick-key { border-color: ${COLOR.paper}; }
.spa-pick-primary:hover, .spa-pick-primary:focus-visible { outline-offset: 2px; }
.spa-pick-legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin-top: 14px; font-size: 12px; color: ${COLOR.muted}; }
.spa-pick-legend span { display: inline-flex; gap: 7px; align-items: center; }
.spa-pick .spa-pick-status a { color: ${COLOR.ink}; text-decoration: underline; }
.spa-pick-status { margin-top: 10px; font-size: 13px; color: ${COLOR.muted}; min-height: 1.45em; }
.spa-pick-done .spa-pick-status { color: ${COLOR.ink}; font-weight: 700; }
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
