/** What the panel from which a user picks says in words. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { dice } from "../metrics/overlap.ts";
import type { Proposal } from "../spa/cluster.ts";
import { percent } from "../figures/candidates_caption.ts";
import { countPixels } from "../figures/describe.ts";
import { areaSwatch } from "../figures/legend.ts";
import { pointMark } from "../figures/panel.ts";
import type { Choices } from "./picked.ts";
import { svgElement } from "./pick_pictures.ts";

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
