/** The web page: its parts here, and all of it in a browser, as a folder. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { createHash as createHashInPage } from "../../src/commands/web/doors/crypto.ts";
import { writeWebPage } from "../../src/commands/web/write_web_page.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { dice } from "../../src/metrics/overlap.ts";
import { phantom } from "../../src/phantoms/phantom.ts";
import { Session, type SessionJSON } from "../../src/spa/session.ts";
import { findChromium, findPython } from "../helpers/python.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const python = await findPython("playwright");
const chromium = await findChromium();
if (!python || !chromium) {
  console.log(
    "skipped: no python3 with playwright (or name one in SPA_PYTHON), or no chromium; the web page is not opened",
  );
}

/** What `web_page.py` notes of the page. */
interface Note {
  readonly status: string;
  readonly facts: string;
  readonly candidates: readonly string[];
}

Deno.test("a browser's SHA-256 is the one that digests have elsewhere", () => {
  for (const length of [0, 1, 47, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => 37 * i + length);
    const floats = Float32Array.of(length, -0.5, NaN);
    const [one, other] = [createHash, createHashInPage].map((create) =>
      create("sha256").update("a é 𝄞").update(bytes).update(floats.subarray(1))
        .digest("hex")
    );
    assert.equal(other, one, `${length} bytes`);
  }
});

Deno.test({
  name:
    "the web page runs the whole loop from a folder, without any server or network",
  ignore: !python || !chromium,
  fn: async (t) => {
    const folder = await temporaryFolder();
    using model = await loadModel("tiny");
    const sizes = await writeWebPage(folder, model);
    const { image, masks } = phantom({ kind: "kidney", seed: 9 });
    const work = Deno.env.get("SPA_SCREENSHOTS") ?? await temporaryFolder();
    await writeImage(image, join(work, "image.png"));
    await writeMask(masks.strict, join(work, "reference.png"));
    const { code, stdout } = await new Deno.Command(python!, {
      args: [
        "tests/commands/web_page.py",
        chromium!,
        pathToFileURL(join(folder, "index.html")).href,
        work,
      ],
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    const happened = JSON.parse(new TextDecoder().decode(stdout));
    const { first, chosen, undone, outside, closer, accepted, keyboard } =
      happened as Record<string, Note>;
    const diceOf = ({ facts }: Note) =>
      Number(/Dice (\d\.\d{3})/.exec(facts)?.[1]);

    await t.step("it is 12 MB at most", () => {
      const total = sizes.values().reduce((sum, size) => sum + size, 0);
      for (const [name, size] of sizes) {
        console.log(`${(size / 1e6).toFixed(2).padStart(6)} MB  ${name}`);
      }
      console.log(`${(total / 1e6).toFixed(2).padStart(6)} MB  together`);
      assert(total < 12e6, `${total}`);
    });
    await t.step("nothing is fetched but the folder's own files", () => {
      const own = pathToFileURL(folder).href;
      const foreign = happened.requests.filter((url: string) =>
        !url.startsWith(own) && !/^(blob|data):/.test(url)
      );
      assert.deepEqual(foreign, []);
      assert(happened.requests.length >= sizes.size);
      assert.deepEqual(happened.errors, []);
    });
    await t.step(
      "a click before all is loaded is answered, after seconds of computing",
      () => {
        for (const [what, seconds] of Object.entries(happened.seconds)) {
          console.log(`${what}: ${(seconds as number).toFixed(1)} s`);
        }
        const what = "first proposal after opening";
        const computed = happened.seconds[`${what}, of computing`];
        assert(computed < 60, `${computed}`); // of the processor, not the clock
        assert.equal(first.candidates.length, 4);
        assert.match(
          first.candidates[0],
          /^Candidate 1: \d+ % of samples, adds /,
        );
        assert.match(first.status, /^Proposed in/);
      },
    );
    await t.step("a choice moves the mixture, and undo brings back", () => {
      const [before, after]: number[][][] = happened.circles;
      assert.equal(before.length, model.config.components);
      const moved = before.filter(([, , r], m) =>
        Math.abs(r - after[m][2]) > 1
      );
      assert(moved.length > 0);
      assert.notDeepEqual(chosen.candidates, first.candidates);
      assert.deepEqual(undone.candidates, first.candidates);
      assert.equal(undone.facts, first.facts);
    });
    await t.step("picking as the rater does raises Dice", () => {
      const [start, ...rest]: number[] = happened.dice;
      assert.equal(rest.length, 3);
      assert.equal(start, diceOf(first));
      assert(rest[2] > start + 0.02, `${happened.dice}`);
      assert(rest[2] > 0.85, `${happened.dice}`);
    });
    await t.step("clicks, looks and other draws propose anew", () => {
      assert.notEqual(outside.facts, closer.facts);
      assert.match(
        accepted.status,
        /^Accepted after 3 choices, Dice 0\.\d{3}\.$/,
      );
    });
    await t.step(
      "the saved session gives the saved mask here as well",
      async () => {
        const saved: SessionJSON = JSON.parse(
          await Deno.readTextFile(join(work, "session.json")),
        );
        assert.deepEqual(
          saved.actions.map(({ kind }) => kind),
          ["choose", "choose", "choose", "click", "look", "look", "again"],
        );
        const { points, region, seed, samples, variations, update } = saved;
        using session = await Session.start(model, image, {
          ...{ points, region, seed, samples, variations, update },
        });
        assert.equal(session.toJSON().model, saved.model);
        for (const action of saved.actions) await session.apply(action);
        const mask = await readMask(join(work, "mask.png"));
        const agreement = dice(session.mask, mask);
        console.log(`Dice of the page's mask and this engine's: ${agreement}`);
        assert(agreement > 0.98, `${agreement}`);
        assert.equal(
          dice(mask, masks.generous).toFixed(3),
          diceOf(accepted).toFixed(3),
        );
      },
    );
    await t.step("the keyboard alone suffices, and all has a name", () => {
      assert.match(happened.title, /^Fundus photograph/);
      assert.equal(keyboard.candidates.length, 4);
      assert.deepEqual(happened.nameless, []);
    });
    await t.step("an image and a reference of one's own are opened", () => {
      assert.equal(happened.opened.candidates.length, 4);
      assert.match(happened.opened.facts, / px of 128 × 128 · Dice 0\.\d{3}/);
    });
    await t.step("all text is readable, light and dark", () => {
      for (
        const [theme, [ratio, which]] of Object.entries<[number, string]>(
          happened.contrast,
        )
      ) assert(ratio > 4.5, `${theme}: ${ratio} of ${which}`);
    });
    await t.step("nothing overflows from 320 to 2000 pixels", () => {
      for (const [width, found] of Object.entries(happened.beyond)) {
        assert.deepEqual(found, [], width);
      }
    });
  },
});
