import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { pickNextAt } from "../../src/notebook/pick.ts";
import { Session } from "../../src/spa/session.ts";
import { playHost, posts } from "../helpers/pick_host.ts";
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

  assert.equal(await next(), "candidate"); // "u" is not offered yet
  assert.match(host.asked[0], /a accepts, n none of these, x,y/);
  assert.match(host.asked[1], /^Not understood: u\./);
  assert.equal(session.iteration, 1);
  const chosen = session.proposal;

  assert.equal(await next(), "none");
  assert.equal(session.iteration, 1);
  assert.notEqual(session.proposal, chosen);
  assert.equal(await next(), "point");
  assert.deepEqual(session.preference.feedback.points.at(-1), {
    x: 3,
    y: 4,
    label: 0,
  });

  for (const _ of [1, 2, 3]) assert.equal(await next(), "undo");
  assert.equal(session.proposal, first);
  assert.equal(await next(), "accept"); // a fourth "u" is not offered
  assert.equal(session.accept(), first.recommended.mask);
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
