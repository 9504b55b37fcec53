import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { pickNextAt } from "../../src/notebook/pick_next.ts";
import { Session } from "../../src/spa/session.ts";
import { playHost, posts, urlOf } from "../helpers/pick_host.ts";
import {
  discImage,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });

Deno.test("pickNext() does with the session what was picked", async () => {
  using session = await Session.start(model, image, {
    points: [{ x: 12, y: 9 }],
  });
  const lines = ["u", "2", "n", "-3,4", "u", "u", "u", "u", "a"];
  const host = playHost({ lines, notebook: false });
  const next = async () => (await pickNextAt(host, session, { image })).kind;
  const first = session.proposal;

  assert.equal(await next(), "choose"); // "u" is not offered yet
  assert.match(host.asked[0], /n none of these, \+ looks closer, - wider, x,y/);
  assert.match(host.asked[1], /^Not understood: u\./);
  assert.equal(session.iteration, 1);
  const chosen = session.proposal;

  assert.equal(await next(), "again");
  assert.equal(session.iteration, 1);
  assert.notEqual(session.proposal, chosen);
  assert.equal(await next(), "click");
  assert.deepEqual(session.preference.feedback.points.at(-1), {
    x: 3,
    y: 4,
    label: 0,
  });

  for (const _ of [1, 2, 3]) assert.equal(await next(), "undo");
  const { probability } = session.proposal.recommended;
  assert.deepEqual(probability.data, first.recommended.probability.data);
  assert.equal(await next(), "accept"); // a fourth "u" is not offered
  assert.deepEqual(session.mask.data, first.recommended.mask.data);
});

Deno.test("a loop over pickNext() ends with the acceptance", async () => {
  using session = await Session.start(model, image, {
    points: [{ x: 12, y: 9 }],
  });
  const paths = ["candidate/0", "point/5/6/1", "accept"];
  const host = playHost({ browser: (url) => posts(paths.shift()!)(url) });
  while ((await pickNextAt(host, session, {})).kind !== "accept"); // its own image
  assert.deepEqual(paths, []);
  assert.equal(session.iteration, 1);
  assert.equal(host.shown.length, 6);
  assert.match(String(host.shown[5]["text/plain"]), /Recommendation accepted/);
});

Deno.test("pickNext() zooms the region about its center, and names the candidate that was accepted", async () => {
  using session = await Session.start(model, image, {
    points: [{ x: 12, y: 9 }],
    region: { left: 2, top: -1, right: 22, bottom: 19 },
  });
  const lines = ["+", "-", "box 0,0,4,4", "box 5,4,17,16", "a1 holes"];
  const host = playHost({ lines, notebook: false });
  const next = async () => await pickNextAt(host, session, { image });
  const side = () => session.region.right - session.region.left;
  await next();
  assert(Math.abs(side() - 20 / 1.5) < 1e-9, `${side()}`);
  await next();
  assert(Math.abs(side() - 20) < 1e-9, `${side()}`);
  assert(Math.abs(session.region.left - 2) < 1e-9);
  assert.equal((await next()).kind, "look"); // a box without the click first
  assert.deepEqual(session.region, {
    ...{ left: 4.5, top: 3.5, right: 16.5, bottom: 15.5 },
  });
  assert.match(host.asked[3], /^A box to look at must hold every click inside/);
  const accepted = await next();
  assert.deepEqual(accepted, { kind: "accept", candidate: 0, fillHoles: true });
});

Deno.test("in a notebook a loop has one output, the next cell another", async () => {
  using session = await Session.start(model, image, {
    points: [{ x: 12, y: 9 }],
  });
  let cell = 3;
  const outputs: string[][] = [];
  const played = playHost({ browser: posts("candidate/0") });
  const host = {
    ...played,
    cell: () => cell,
    openOutput: () => {
      const output = played.openOutput();
      const own: string[] = [];
      outputs.push(own);
      return (bundle: Record<string, unknown>) => {
        own.push(urlOf(bundle) ? "panel" : "still");
        return output(bundle);
      };
    },
  };
  await pickNextAt(host, session, {});
  await pickNextAt(host, session, {});
  cell++;
  await pickNextAt(host, session, {});
  assert.deepEqual(outputs, [
    ["panel", "still", "panel", "still"],
    ["panel", "still"],
  ]);
});
