/** Picks in JupyterLab, by a real browser. */
import assert from "node:assert/strict";
import { findChromium, findPython } from "../helpers/python.ts";

const python = await findPython("jupyterlab", "playwright");
const chromium = await findChromium();
if (!python || !chromium) {
  console.log(
    "skipped: no python3 with jupyterlab and playwright (or name one in SPA_PYTHON), or no chromium; no pick in JupyterLab",
  );
}

Deno.test({
  name:
    "in JupyterLab clicks, keys and strokes pick, the loop goes on and leaves one picture, an interrupt ends it",
  ignore: !python || !chromium,
  fn: async () => {
    const { stdout, code } = await new Deno.Command(python!, {
      args: ["tests/notebook/pick_lab.py", Deno.execPath(), chromium!],
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    const happened = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(happened.loop.trim(), "iteration 2 3 steps, the last: paint");
    assert.equal(happened.history, "History, step 3 of 3");
    assert.ok(happened.tool); // the brush stays at hand
    assert.equal(happened.interrupt.trim(), "caught AbortError");
    assert.equal(happened.after.trim(), "the answer is 42");
    assert.equal(happened.typed, "// notes a1n"); // none went to the panel
    assert.equal(happened.waiting, 1);
    assert.ok(happened.saved); // by Ctrl+S
    assert.equal(happened.all, 6); // "x" cut no cell
    assert.equal(happened.again.trim(), "last accept");
    assert.equal(happened.panels, 0); // all are still pictures
    assert.equal(happened.cells, 0); // "1" made no heading of a cell
    assert.deepEqual(happened.errors, []);
    console.log(
      `from a click to the next panel ${happened.seconds.toFixed(2)} s`,
    );
  },
});

Deno.test({
  name:
    "a pick that waits is drawn again when JupyterLab's page is loaded anew, and is made there; the cell can be stopped and run again",
  ignore: !python || !chromium,
  fn: async () => {
    const { stdout, code } = await new Deno.Command(python!, {
      args: ["tests/notebook/pick_lab_reload.py", Deno.execPath(), chromium!],
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    const happened = JSON.parse(new TextDecoder().decode(stdout));
    assert.match(happened.status, /^Candidate 3 picked\. This page was loaded/);
    assert.deepEqual(happened.picked, [
      { kind: "choose", candidate: 2 },
      { kind: "choose", candidate: 1 },
    ]);
    assert.deepEqual(happened.errors, []);
  },
});
