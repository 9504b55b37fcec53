/** The panel in a real browser: exact clicks in any view, boxes, themes, widths. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { choicesOf } from "../../src/notebook/pick.ts";
import { pickPanel } from "../../src/notebook/pick_panel.ts";
import { openPickServer } from "../../src/notebook/pick_server.ts";
import type { Offered } from "../../src/notebook/picked.ts";
import type { Proposal } from "../../src/spa/cluster.ts";
import type { Action } from "../../src/spa/feedback.ts";
import { findChromium, findPython } from "../helpers/python.ts";
import { grayImage, handProposal } from "../helpers/proposal.ts";

const python = await findPython("playwright");
const chromium = await findChromium();
if (!python || !chromium) {
  console.log(
    "skipped: no python3 with playwright (or name one in SPA_PYTHON), or no chromium; no panel in a browser",
  );
}

const SIDES = [300, 400]; // rows, columns

/** The hand-made proposal on a larger image, each of its pixels 25 x 25. */
function largeProposal(): Proposal {
  const { recommended, candidates, ...rest } = handProposal();
  const enlarge = <T extends Uint8Array>(mask: ndarray.NdArray<T>) => {
    const data = new Uint8Array(SIDES[0] * SIDES[1]);
    for (let i = 0; i < data.length; i++) {
      const [y, x] = [Math.floor(i / SIDES[1]), i % SIDES[1]];
      data[i] = mask.get(Math.floor(y / 25), Math.floor(x / 25));
    }
    return ndarray(data, SIDES);
  };
  return {
    ...rest,
    recommended: { ...recommended, mask: enlarge(recommended.mask) },
    candidates: candidates.map((one) => ({
      ...one,
      mask: enlarge(one.mask),
      added: enlarge(one.added),
      removed: enlarge(one.removed),
    })),
    region: { left: 49.5, top: 49.5, right: 249.5, bottom: 249.5 },
    notice: {
      kind: "cut",
      text: "The recommendation reaches the edge: zoom out.",
    },
  };
}

const image = ndarray(
  Float32Array.from({ length: SIDES[0] * SIDES[1] }, (_, i) => (i % 97) / 97),
  [...SIDES, 1],
);
const proposal = largeProposal();
const OFFERED = [
  ...["accept", "none", "outside", "undo", "redo", "closer", "wider", "box"],
  ..."paint".split(" "),
] as Offered[];
const history = {
  steps: [
    "Candidate 2 picked",
    "Click inside at (130, 140)",
    "None of these",
    "Candidate 1 picked",
  ],
  done: 3,
};
const panel = await pickPanel({
  image,
  proposal,
  before: proposal.candidates[0].mask,
  points: [{ x: 130, y: 140 }, { x: 20, y: 20, label: 0 }],
  history,
  title: "Which is nearest to what you want?",
  choices: choicesOf(image, 4, OFFERED, { steps: 4 }),
});
const first = await pickPanel({
  image: grayImage,
  title: "What is to be segmented?",
  choices: choicesOf(grayImage, 0, ["box"]),
});
const manyProposal = {
  ...proposal,
  candidates: [...proposal.candidates, ...proposal.candidates],
};
const many = await pickPanel({
  image,
  proposal: manyProposal,
  title: "Which of the eight is nearest to what you want?",
  choices: choicesOf(image, 8, OFFERED),
});

/** A server with a panel, as a pick has it. */
function serve(draw = panel, candidates = 4) {
  const until = Date.now() + 600_000;
  return openPickServer(
    choicesOf(image, candidates, OFFERED, { steps: 4 }),
    (url) => draw(url, until).page,
    600_000,
  );
}

Deno.test({
  name:
    "in a browser clicks hit their pixel in any view, boxes are drawn, no width overflows, dark is readable",
  ignore: !python || !chromium,
  fn: async (t) => {
    const clicks = [1, 1.5, 2].flatMap((scale) =>
      [0, 4, 30].map((wheel, i) => ({
        ...{ scale, wheel, pixel: [[7, 290], [211, 93], [399, 0]][i] },
        corner: [[0.15, 0.85], [0.85, 0.15], [0.9, 0.9]][i],
      }))
    );
    const work = [
      ...clicks,
      { scale: 1, wheel: 5, pixel: [150, 150], corner: [0.5, 0.5], pan: true },
      { scale: 2, wheel: 5, pixel: [9, 9], corner: [0.5, 0.5], reset: true },
      { scale: 1, wheel: 0, pixel: [0, 0], box: [40, 30, 120, 90] },
      { scale: 2, wheel: 5, pixel: [150, 150], box: [140, 130, 33, 27] },
      { scale: 1, wheel: 6, pixel: [150, 150], paint: ["brush", 5, 20, 10] },
      { scale: 2, wheel: 0, pixel: [80, 60], paint: ["eraser", 12, 0, 0] },
      { scale: 1, wheel: 0, pixel: [0, 0], jump: "jump/1" },
    ];
    const n = clicks.length;
    const servers = work.map(() => serve());
    const looks = [serve(), serve(first, 0), serve(many, 8)];
    const folder = Deno.env.get("SPA_SCREENSHOTS");
    const child = new Deno.Command(python!, {
      args: [
        "tests/notebook/panel_browser.py",
        chromium!,
        ...(folder ? [folder] : []),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    const asked = {
      work: work.map((one, i) => ({ ...one, url: servers[i].url })),
      look: ["panel", "first", "many"].map((name, i) => [name, looks[i].url]),
    };
    await writer.write(new TextEncoder().encode(JSON.stringify(asked)));
    await writer.close();
    const { code, stdout } = await child.output();
    const nothing = Promise.resolve(undefined);
    const picks = await Promise.all(
      servers.map(({ picked }) => Promise.race([picked, nothing])),
    );
    await Promise.all([...servers, ...looks].map((server) => server.close()));
    assert.equal(code, 0);
    const { cases, widths, contrast, dark, errors } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    assert.deepEqual(errors, []);

    await t.step("a click is told in the pixel that the browser shows", () => {
      clicks.forEach(({ pixel: [x, y] }, i) => {
        assert.deepEqual(picks[i], {
          kind: "click",
          point: { x, y, label: 1 },
        });
      });
      const seen = cases.slice(0, 3).map((one: { columns: number }) =>
        one.columns
      );
      assert.equal(seen[0], 400);
      assert(seen[1] < 200 && seen[1] > 50, `${seen}`);
      assert(seen[2] < 12, `${seen}`);
    });
    await t.step("a drag moves the view and picks nothing", () => {
      assert.deepEqual(picks[n], {
        kind: "click",
        point: { x: 150, y: 150, label: 1 },
      });
      assert.doesNotMatch(cases[n].status, /Sent|Click/);
    });
    await t.step("a double click shows all, and picks nothing", () => {
      assert.equal(cases[n + 1].after, 400);
      assert.deepEqual(picks[n + 1], {
        kind: "click",
        point: { x: 9, y: 9, label: 1 },
      });
    });
    await t.step("a box ends at pixels' edges, in any view", () => {
      assert.deepEqual(picks.slice(n + 2, n + 4), [
        {
          kind: "look",
          region: { left: 39.5, top: 29.5, right: 159.5, bottom: 119.5 },
        },
        {
          kind: "look",
          region: { left: 139.5, top: 129.5, right: 172.5, bottom: 156.5 },
        },
      ]);
    });
    await t.step("brush and eraser tell their stroke, in any view", () => {
      const [brush, eraser, jump] = picks.slice(n + 4) as Action[];
      assert(brush.kind === "paint" && eraser.kind === "paint");
      assert.equal(brush.label, 1);
      assert.equal(brush.radius, 2.5);
      assert.deepEqual(brush.path[0], { x: 150, y: 150 });
      assert.deepEqual(brush.path.at(-1), { x: 170, y: 160 });
      assert(brush.path.length > 10, `${brush.path.length} places`);
      for (const { x, y } of brush.path) { // as straight as the mouse went
        assert(Math.abs((x - 150) / 2 - (y - 150)) < 0.2, `(${x}, ${y})`);
      }
      assert.deepEqual(eraser, {
        ...{ kind: "paint", label: 0, radius: 6, path: [{ x: 80, y: 60 }] },
      });
      assert.deepEqual(jump, { kind: "jump", step: 1 });
    });
    await t.step("nothing overflows from 128 to 2000 pixels", () => {
      assert(Object.keys(widths).length > 50);
      for (const [width, found] of Object.entries(widths)) {
        assert.deepEqual(found, [0, []], width);
      }
    });
    await t.step("all text is readable, light and dark", () => {
      assert.deepEqual([...new Set(dark)], ["rgb(21, 25, 30)"]);
      for (
        const [theme, [ratio, which]] of Object.entries<[number, string]>(
          contrast,
        )
      ) {
        assert(ratio > 4.5, `${theme}: ${ratio} of ${which}`);
      }
    });
  },
});
