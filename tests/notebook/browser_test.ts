/** A reader's first notebook, in JupyterLab in a browser. */
import assert from "node:assert/strict";
import { canImport, PYTHON } from "../helpers/kernel_helpers.ts";

/** A Chromium on this machine; SPA_CHROMIUM names another. */
async function findChromium(): Promise<string | undefined> {
  const named = Deno.env.get("SPA_CHROMIUM");
  const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
  for (const path of named ? [named] : usual) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
}

const chromium = await findChromium();
const ready = chromium !== undefined &&
  await canImport("jupyterlab, playwright.sync_api");
if (!ready) {
  console.log(
    `skipped: the notebook in a browser, as ${
      chromium
        ? `${PYTHON} has no jupyterlab or playwright`
        : "there is no chromium"
    }`,
  );
}

Deno.test({
  name: "in JupyterLab a click picks, and an interrupt leaves the kernel alive",
  ignore: !ready,
  fn: async (t) => {
    const shots = Deno.env.get("SPA_SCREENSHOTS") ??
      await Deno.makeTempDir({ prefix: "spa_browser_" });
    const { stdout, code } = await new Deno.Command(PYTHON, {
      args: [
        "tests/helpers/notebook_browser.py",
        Deno.execPath(),
        chromium!,
        shots,
      ],
      stderr: "inherit",
    }).output();
    if (!Deno.env.has("SPA_SCREENSHOTS")) {
      await Deno.remove(shots, { recursive: true });
    }
    assert.equal(code, 0);
    const happened = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(happened.error, undefined);

    await t.step("the session shows itself as one picture", () => {
      assert.equal(happened.first, 1);
    });
    await t.step("a click brings the next proposal and a longer curve", () => {
      assert.equal(happened.candidates, 4);
      assert.equal(happened.curves, 2);
    });
    await t.step("the nearest candidate raises Dice; accepting ends it", () => {
      const [, first, last] = /^Dice (\d\.\d{3}) → (\d\.\d{3})$/
        .exec(happened.printed.trim())!;
      assert(Number(last) > Number(first), happened.printed);
    });
    await t.step("an interrupt rejects, and the next cell is answered", () => {
      assert.match(happened.interrupted.join(""), /must not be interrupted/);
      const [before, after] = happened.after;
      assert(/^\[\d+\]/.test(after) && after !== before, `${before} ${after}`);
    });
  },
});
