/** The panel of a volume in a real browser: slices, planes, window. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { choicesOf } from "../../src/notebook/pick.ts";
import { pickPanel } from "../../src/notebook/pick_panel.ts";
import { openPickServer } from "../../src/notebook/pick_server.ts";
import {
  panelOfVolume,
  sliceImage,
  sliceViews,
} from "../../src/notebook/slice_views.ts";
import type { Proposal } from "../../src/spa/cluster.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";
import { findChromium, findPython } from "../helpers/python.ts";

const python = await findPython("playwright");
const chromium = await findChromium();
if (!python || !chromium) {
  console.log(
    "skipped: no python3 with playwright (or name one in SPA_PYTHON), or no chromium; no volume in a browser",
  );
}

Deno.test({
  name:
    "in a browser arrow keys look at other slices in three planes, the window changes, a click opens a slice, and the history goes back",
  ignore: !python || !chromium,
  fn: async () => {
    const { volume, mask } = ellipsoidVolume();
    const image = sliceImage(volume, { axis: 0, slice: 6 });
    const depth = 12;
    const areas = Array.from(
      { length: depth },
      (_, z) =>
        mask.data.subarray(z * 56 * 56, (z + 1) * 56 * 56)
          .reduce((sum, value) => sum + value, 0),
    );
    const shown = {
      ...panelOfVolume(volume, { axis: 0, slice: 6, masks: [] }),
      ...{ areas, aligned: [6], masks: [{ mask }] },
      looks: [{ slice: 9, doubts: ["unsure"] }, { slice: 4, doubts: [] }],
    };
    const offers = [
      ...[
        "accept",
        "none",
        "outside",
        "undo",
        "redo",
        "go",
        "absent",
        "finish",
      ] as const,
      "walk" as const,
    ];
    const inside = ndarray(mask.data.slice(6 * 56 * 56, 7 * 56 * 56), [56, 56]);
    const nothing = ndarray(new Uint8Array(56 * 56), [56, 56]);
    const proposal = {
      recommended: { mask: inside } as Proposal["recommended"],
      candidates: [0.6, 0.4].map((share) => ({
        ...{ share, mask: inside, added: nothing, removed: nothing },
      })) as unknown as Proposal["candidates"],
    };
    const choices = choicesOf(image, 2, offers, { slices: depth, steps: 2 });
    const history = {
      steps: [
        "Slice 6: candidate 1 picked",
        "Slice 6: recommendation accepted",
      ],
      done: 1,
    };
    const panel = await pickPanel({
      ...{ image, proposal, choices, history },
      ...{ volume: shown, title: "Slice 6 of 12" },
      points: [{ x: 27, y: 28 }],
    });
    const until = Date.now() + 600_000;
    const serve = () =>
      openPickServer(
        choices,
        (url) => panel(url, until).page,
        600_000,
        sliceViews(shown),
      );
    const [work, other, back, forth] = [serve(), serve(), serve(), serve()];
    const folder = Deno.env.get("SPA_SCREENSHOTS");
    const { code, stdout } = await new Deno.Command(python!, {
      args: [
        ...["tests/notebook/volume_panel.py", chromium!],
        ...[work, other, back, forth].map(({ url }) => url),
        ...(folder ? [folder] : []),
      ],
      stderr: "inherit",
    }).output();
    const nothingYet = Promise.resolve(undefined);
    const [picked, jumped, redone] = await Promise.all(
      [work, back, forth].map(({ picked }) =>
        Promise.race([picked, nothingYet])
      ),
    );
    await Promise.all([work, other, back, forth].map((one) => one.close()));
    assert.equal(code, 0);
    const { steps, errors, widths } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    assert.deepEqual(errors, []);
    assert.equal(steps.start.where, "Slice 6 of 12");
    assert.deepEqual(steps.start.planes.map((side: number) => side > 0), [
      true,
      true,
    ]);
    assert.deepEqual(steps.start.seen, ["6"]);
    // two to the right, with the mask that the walk found there
    assert.equal(steps.right.where, "Slice 8 of 12, slice 6 is open");
    assert.deepEqual(
      [steps.right.elsewhere, steps.right.outlined, steps.right.seen],
      [true, true, ["8"]],
    );
    assert.notDeepEqual(steps.right.cuts, steps.start.cuts);
    assert.match(
      steps.blocked.status,
      /Enter opens slice 8, Esc goes back to slice 6/,
    );
    assert.equal(steps.back.where, "Slice 6 of 12");
    assert.equal(steps.strip.where, "Slice 4 of 12, slice 6 is open");
    // brighter by keys, more contrast by the right button, and back
    const [before, brighter] = steps.brighter.means;
    assert.ok(brighter > before + 5, `${before} to ${brighter}`);
    assert.notEqual(steps.contrast.window, steps.brighter.window);
    assert.equal(steps.reset.window, steps.start.window);
    assert.equal(steps.reset.windowed, false);
    // the first plane cuts at a row: the last slice is on top of it
    assert.equal(steps.plane.where, "Slice 3 of 12, slice 6 is open");
    assert.deepEqual(picked, {
      ...{ kind: "go", slice: 3, point: { x: 20, y: 28, label: 1 } },
    });
    // the history goes back, also from another slice, and R goes forth
    assert.deepEqual(jumped, { kind: "jump", step: 0 });
    assert.deepEqual(redone, { kind: "redo" });
    for (const [width, found] of Object.entries(widths)) {
      assert.deepEqual(found, [0, 0], width);
    }
  },
});
