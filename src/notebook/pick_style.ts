import { COLOR } from "../figures/svg.ts";

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
.spa-pick-brush { display: none; color: var(--spa-muted); }
.spa-pick-paints .spa-pick-brush { display: flex; }
.spa-pick-paints .spa-pick-main > svg { cursor: none; touch-action: none; }
.spa-pick-stroke { fill: none; stroke-linecap: round; stroke-linejoin: round; opacity: 0.6; pointer-events: none; }
.spa-pick-adds { stroke: ${
  COLOR.added ?? COLOR.recommended
}; } .spa-pick-erases { stroke: #fff; }
.spa-pick-history { margin-top: 12px; font-size: 13px; color: var(--spa-muted); }
.spa-pick-history summary { cursor: pointer; width: fit-content; }
.spa-pick-history ol { margin: 6px 0 0; padding-left: 2.6em; max-height: 12em; overflow-y: auto; }
.spa-pick .spa-pick-step { color: var(--spa-ink); text-decoration: underline; }
.spa-pick .spa-pick-undone { color: var(--spa-muted); }
.spa-pick-history strong { color: var(--spa-ink); }
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
