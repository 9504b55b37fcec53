import { COLOR } from "../figures/theme.ts";

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
