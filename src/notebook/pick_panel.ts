// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Proposal } from "../spa/cluster.ts";
import type { Point } from "../spa/feedback.ts";
import type { LegendItem } from "../figures/legend.ts";
import type { Choices } from "./picked.ts";
import {
  candidateCaption,
  candidateLabel,
  clickMode,
  hint,
  keyMark,
  KEYS,
  recommendedCaption,
} from "./pick_captions.ts";
import {
  drawPickPictures,
  type PickPictures,
  svgElement,
} from "./pick_pictures.ts";
import { pickScript } from "./pick_script.ts";
import { PICK_STYLE } from "./pick_style.ts";
import { escapeXML } from "../figures/svg.ts";

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
