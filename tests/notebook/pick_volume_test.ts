/** Picks in a volume: what is typed or clicked, and what the session does then. */
import assert from "node:assert/strict";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { pickNextInVolumeAt } from "../../src/notebook/pick_next.ts";
import { pickVolumeStartAt } from "../../src/notebook/pick_start.ts";
import { sliceViews } from "../../src/notebook/slice_views.ts";
import { VolumeSession } from "../../src/volumes/volume_session.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";
import { playHost, posts } from "../helpers/pick_host.ts";

await useEngine("auto", { threads: 1 });
const model = await loadModel("tiny");
const { volume, mask } = ellipsoidVolume();
const start = () =>
  VolumeSession.start(model, volume, {
    slice: 6,
    points: [{ x: 27, y: 28 }],
    samples: 12,
    variations: 0,
  });

Deno.test("the start in a volume is a click in the middle slice, or in another one", async () => {
  const startOf = async (lines: string[]) => {
    const host = playHost({ lines, notebook: false });
    const { start } = await pickVolumeStartAt(host, volume, {});
    return { start, asked: host.asked };
  };
  const middle = await startOf(["27,28"]);
  assert.deepEqual(middle.start, {
    points: [{ x: 27, y: 28, label: 1 }],
    ...{ slice: 6, axis: 0 },
  });
  assert.match(middle.asked[0], /^What is to be segmented\? Slice 6 of 12 \(/);
  assert.match(middle.asked[0], /slice 12 opens slice 12/);
  const other = await startOf(["slice 12", "slice 4", "box 3,4,40,41"]);
  assert.deepEqual(other.start, {
    box: { left: 2.5, top: 3.5, right: 39.5, bottom: 40.5 },
    ...{ slice: 4, axis: 0 },
  });
  assert.equal(other.asked.length, 3); // there is no slice 12
  const at = await startOf(["slice 5 20,21"]);
  assert.deepEqual(at.start, {
    points: [{ x: 20, y: 21, label: 1 }],
    ...{ slice: 5, axis: 0 },
  });
});

Deno.test("a slice that is accepted is carried to the others, the next look opens, and one undo takes all back", async () => {
  using session = await start();
  const lines = ["1", "a", "u", "a", "absent", "slice 0", "3,3", "finish"];
  const host = playHost({ lines, notebook: false });
  const next = async () => (await pickNextInVolumeAt(host, session)).kind;
  const kinds = [await next()];
  const before = JSON.stringify(session);
  kinds.push(await next());
  assert.notEqual(session.slice, 6); // where a look helps
  assert.ok(session.areas[5] > 50 && session.areas[7] > 50);
  kinds.push(await next());
  assert.equal(JSON.stringify(session), before);
  kinds.push(await next());
  const { slice } = session;
  kinds.push(await next());
  assert.ok(session.aligned.includes(slice));
  assert.equal(session.areas[slice], 0);
  kinds.push(await next());
  assert.equal(session.slice, 0);
  assert.equal(session.proposal, undefined);
  kinds.push(await next());
  assert.ok(session.aligned.includes(0));
  kinds.push(await next());
  assert.deepEqual(
    kinds,
    ["choose", "accept", "undo", "accept", "absent", "go", "click", "finish"],
  );
  assert.equal(session.slicesLeft, 0);
  assert.match(host.asked[0], /^Slice 6 of 12: which is nearest/);
  assert.match(host.asked[0], /absent says it is not here/);
  assert.match(host.asked[2], /A look helps here: /);
  assert.match(host.asked[6], /^Slice 0 of 12: nothing was found here/);
});

Deno.test("what was undone in a volume is done again, and the history of picks jumps", async () => {
  using session = await start();
  const paths = [
    ...["candidate/0", "accept", "slice/4/20/28/1"],
    ...["undo", "undo", "redo", "jump/3", "jump/0"],
  ];
  const htmls: string[] = [];
  const host = playHost({
    browser: async (url) => {
      htmls.push(await (await fetch(url)).text());
      await posts(paths[htmls.length - 1])(url);
    },
  });
  const seen: string[] = [];
  for (let k = 0; k < paths.length; k++) {
    await pickNextInVolumeAt(host, session);
    seen.push(JSON.stringify([session.slice, session.aligned, session.areas]));
  }
  const [choose, accept, click, undo, twice, redo, third, first] = seen;
  assert.deepEqual([undo, twice, redo, third], [accept, choose, accept, click]);
  assert.deepEqual(JSON.parse(first)[1], [6]);
  // one entry for a pick with its walk, one for a slice with its click
  const list = (html: string) =>
    [...html.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) =>
      item.replace(/<[^>]+>/g, "")
    );
  assert.deepEqual(list(htmls[5]), [
    "Start",
    "Slice 6: candidate 1 picked",
    "Slice 6: recommendation accepted",
    "Slice 4, click inside at (20, 28)",
  ]);
  assert.match(htmls[5], /<strong aria-current="step">Slice 6: candidate 1/);
  assert.match(htmls[5], /data-path="redo"/);
  assert.doesNotMatch(htmls[2], /data-path="redo"/);
});

Deno.test("the panel of a volume has a strip of slices, and its server draws them in three planes", async () => {
  using session = await start();
  await session.propagate();
  const views: Promise<[number, string]>[] = [];
  const host = playHost({
    browser: async (url) => {
      for (
        const path of [
          "view/0/6",
          "view/1/30/200/600",
          "image/2/0",
          "view/0/12",
          "view/3/0",
          "view/0/1/a/b",
        ]
      ) {
        const answer = await fetch(`${url}/${path}`);
        views.push(answer.text().then((text) => [answer.status, text]));
      }
      await posts("slice/4/20/28/1")(url);
    },
  });
  const picked = await pickNextInVolumeAt(host, session);
  assert.deepEqual(picked, {
    ...{ kind: "go", slice: 4, point: { x: 20, y: 28, label: 1 } },
  });
  assert.deepEqual(session.aligned, [4, 6]);
  const html = String(host.shown[0]["text/html"]);
  assert.equal(html.match(/data-path="slice\/\d+"/g)?.length, 12);
  assert.match(html, /title="slice 6, \d+ px, aligned"/);
  assert.match(html, /a look helps: /);
  const answers = await Promise.all(views);
  assert.deepEqual(
    answers.map(([status]) => status),
    [200, 200, 200, 404, 404, 404],
  );
  assert.match(answers[0][1], /viewBox="0 0 56 56".*<path d="M/);
  assert.match(answers[1][1], /viewBox="0 0 56 12"/);
  assert.doesNotMatch(answers[2][1], /<path/); // without outlines
});

Deno.test("sliceViews() outlines the mask of the slice that is asked for", async () => {
  const views = sliceViews({ volume, masks: [{ mask, color: "#123456" }] });
  assert.match((await views("view/0/6"))!, /stroke="#123456"/);
  assert.doesNotMatch((await views("view/0/0"))!, /#123456/); // not there
});
