import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { describeSession } from "../../src/figures/describe.ts";
import { fingerprint } from "../../src/model/fingerprint.ts";
import { Model } from "../../src/model/model.ts";
import type { Proposal } from "../../src/spa/cluster.ts";
import { encode } from "../../src/spa/encode.ts";
import { profileFromJSON, profileToJSON } from "../../src/spa/profile.ts";
import { Session, type SessionOptions } from "../../src/spa/session.ts";
import { generateDistribution } from "../../src/spa/generate.ts";
import type { UpdateOptions } from "../../src/spa/update_preference.ts";
import { bytesHeld, collectGarbage } from "../helpers/garbage.ts";
import {
  discImage,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });
const click = { points: [{ x: 12, y: 9 }] };
const start = (options: Partial<SessionOptions> = {}) =>
  Session.start(model, image, { ...click, ...options });

/** All numbers of a proposal. */
function numbersOf({ recommended, candidates, entropy, spread }: Proposal) {
  return {
    recommended: [recommended.probability.data, recommended.mask.data],
    candidates: candidates.map(({ probability, mask, share, members }) => [
      probability.data,
      mask.data,
      share,
      members,
    ]),
    entropy: entropy.data,
    spread,
  };
}

Deno.test("a session proposes, takes choices, and accepts the recommendation", async () => {
  using session = await start();
  assert.equal(session.iteration, 0);
  assert.equal(session.proposal.predictions.components.length, 96);
  assert.equal(session.proposal.candidates.length, 4);
  const shown = session.proposal;
  const next = await session.choose(1);
  assert.equal(session.iteration, 1);
  assert.equal(session.proposal, next);
  assert.notDeepEqual(numbersOf(next), numbersOf(shown));
  const kept = shown.candidates[1].members.length;
  assert.equal(next.predictions.components.length, 96 + kept);
  const mask = session.accept();
  assert.equal(mask, next.recommended.mask);
  assert.deepEqual(mask.shape, [20, 28]);
});

Deno.test("a choice moves the proposal to the candidate that was chosen", async () => {
  for (const choice of [0, 1, 2, 3]) {
    using session = await start({ seed: 3 });
    const before = session.proposal;
    const chosen = before.candidates[choice].probability.data;
    const distance = ({ recommended }: Proposal) =>
      recommended.probability.data.reduce(
        (sum, p, i) => sum + (p - chosen[i]) ** 2,
        0,
      );
    const after = await session.choose(choice);
    assert.ok(distance(after) < distance(before));
  }
});

/** A value whose arrays compare by their numbers. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, part) => {
    if (key === "identity") return undefined;
    return ArrayBuffer.isView(part) ? [...part as Float32Array] : part;
  }));
}

Deno.test("undo() returns every state as it was, the last two themselves", async () => {
  using session = await start();
  const states = [[session.preference, session.proposal] as const];
  const keep = () => states.push([session.preference, session.proposal]);
  await session.choose(0);
  keep();
  await session.addPoint({ x: 20, y: 15, label: 0 });
  keep();
  await session.proposeAgain();
  keep();
  await session.lookAt({ left: 1, top: -2, right: 24, bottom: 20 });
  keep();
  await session.choose(1);
  for (let undone = 1; states.length > 0; undone++) {
    const [preference, proposal] = states.pop()!;
    assert.equal(await session.undo(), session.proposal);
    assert.deepEqual(numbersOf(session.proposal), numbersOf(proposal));
    assert.deepEqual(session.region, proposal.region);
    assert.deepEqual(plain(session.preference), plain(preference));
    if (undone <= 2) assert.equal(session.proposal, proposal);
  }
  await assert.rejects(
    () => session.undo(),
    new RangeError(
      "Cannot undo as there must be a step after the start: current value is 0",
    ),
  );
});

Deno.test("steps that overlap are refused, and the history stays one", async () => {
  using session = await start();
  const first = session.choose(0);
  const busy = /^TypeError: Cannot .* as the step before must be done/;
  await assert.rejects(() => session.choose(1), busy);
  await assert.rejects(() => session.addPoint({ x: 3, y: 3 }), busy);
  await assert.rejects(() => session.proposeAgain(), busy);
  await assert.rejects(() => session.undo(), busy);
  await first;
  await assert.rejects(() => session.choose(9), RangeError); // and is idle then
  await session.choose(1);
  assert.deepEqual(session.toJSON().actions, [
    { kind: "choose", candidate: 0 },
    { kind: "choose", candidate: 1 },
  ]);
});

Deno.test("a choice after undo() gives what it gave before", async () => {
  using session = await start();
  const first = await session.choose(2);
  await session.undo();
  const again = await session.choose(2);
  assert.notEqual(first, again);
  assert.deepEqual(numbersOf(again), numbersOf(first));
});

Deno.test("the same seed gives the same session, exactly", async () => {
  const run = async (seed: number) => {
    using session = await start({ seed });
    const proposals = [numbersOf(session.proposal)];
    proposals.push(numbersOf(await session.choose(0)));
    proposals.push(numbersOf(await session.addPoint({ x: 15, y: 9 })));
    proposals.push(numbersOf(await session.choose(1)));
    return proposals;
  };
  const one = await run(7);
  assert.deepEqual(await run(7), one);
  assert.notDeepEqual(await run(8), one);
});

Deno.test("no two states of a session draw the same noise", async () => {
  using session = await start();
  /** What the latents were made of: (z - mu) / sigma. */
  const noise = () => {
    const { means, deviations } = session.preference.distribution;
    const { values, components } = session.proposal.predictions.latents;
    return Array.from(components, (m, n) =>
      Math.round(
        100 * (values.get(n, 0) - means.get(m, 0)) / deviations.get(m, 0),
      ));
  };
  const drawn = [noise()];
  await session.choose(0);
  drawn.push(noise());
  await session.addPoint({ x: 3, y: 3, label: 0 });
  drawn.push(noise());
  await session.choose(0);
  drawn.push(noise());
  drawn.forEach((one, i) =>
    drawn.slice(i + 1).forEach((other) => assert.notDeepEqual(one, other))
  );
});

Deno.test("a seed as large as any gives each state noise of its own too", async () => {
  using session = await start({ seed: Number.MAX_SAFE_INTEGER });
  const seedOf = () => session.proposal.predictions.latents.seed;
  const seeds = [seedOf()];
  await session.choose(0);
  seeds.push(seedOf());
  await session.addPoint({ x: 11, y: 9 });
  seeds.push(seedOf());
  assert.equal(new Set(seeds).size, 3, `${seeds}`);
});

Deno.test("choose() refuses what is no candidate, and changes nothing", async () => {
  using session = await start();
  const { proposal } = session;
  for (const choice of [-1, 4, 1.5, NaN]) {
    await assert.rejects(
      () => session.choose(choice),
      new RangeError(
        `Cannot update as the choice must be a candidate, 0..3: current value is ${choice}`,
      ),
    );
  }
  assert.equal(session.proposal, proposal);
});

Deno.test("addPoint() adds a click, and refuses one outside the image", async () => {
  using session = await start();
  const before = session.proposal;
  for (const [x, y] of [[28, 9], [-1, 9], [5, 20], [5, -0.5], [NaN, 3]]) {
    await assert.rejects(
      () => session.addPoint({ x, y }),
      new RangeError(
        `Cannot use the point as it must lie in the image, x in 0..27 and y in 0..19: current value is (${x}, ${y})`,
      ),
    );
  }
  assert.equal(session.proposal, before);
  const after = await session.addPoint({ x: 27, y: 19, label: 0 });
  assert.notDeepEqual(numbersOf(after), numbersOf(before));
  assert.equal(session.iteration, 0);
  assert.deepEqual(session.preference.feedback.points, [
    { x: 12, y: 9 },
    { x: 27, y: 19, label: 0 },
  ]);
  // it corrects what is shown, which is no choice
  await session.addPoint({ x: 14, y: 9, label: 0 });
  assert.equal(
    session.preference.feedback.choices.at(-1)?.candidates.length,
    1,
  );
  assert.match(describeSession(session), /^Session: 3 clicks, 0 choices\n/);
});

Deno.test("a click moves those parts of the mixture that a choice may move", async () => {
  const parts = ["logWeights", "means", "deviations"] as const;
  const moved = async (update?: UpdateOptions) => {
    using session = await start({ update });
    const { distribution: before } = session.preference;
    await session.addPoint({ x: 27, y: 19, label: 0 });
    const { distribution: after } = session.preference;
    return parts.filter((part) => after[part] !== before[part]);
  };
  assert.deepEqual(await moved(), parts);
  assert.deepEqual(await moved({ moments: false }), ["logWeights"]);
  assert.deepEqual(await moved({ weights: false }), ["means", "deviations"]);
  assert.deepEqual(await moved({ rule: "m-step" }), []);
});

Deno.test("toJSON() holds what replay() runs the session again with, clicks in their place", async () => {
  const box = { left: 5, top: 2, right: 20, bottom: 16 };
  using session = await start({ seed: 5, box });
  await session.choose(3);
  await session.addPoint({ x: 27, y: 19, label: 0 });
  await session.choose(1);
  await session.choose(0);
  await session.undo();
  await session.proposeAgain();
  const json = JSON.parse(JSON.stringify(session));
  const { image: digest, mask, model: weights, region, ...rest } = json;
  assert.match(digest, /^[0-9a-f]{16}$/);
  assert.match(mask, /^[0-9a-f]{16}$/);
  assert.equal(weights, fingerprint(model));
  // three times the box's longer side, about its middle
  assert.deepEqual(region, {
    left: -10.5,
    top: -13.5,
    right: 34.5,
    bottom: 31.5,
  });
  assert.deepEqual(rest, {
    format: "spa-session",
    version: 2,
    samples: 48,
    variations: 48,
    candidates: 4,
    update: {},
    follow: true,
    points: [{ x: 12, y: 9 }],
    box,
    seed: 5,
    actions: [
      { kind: "choose", candidate: 3 },
      { kind: "click", point: { x: 27, y: 19, label: 0 } },
      { kind: "choose", candidate: 1 },
      { kind: "again" },
    ],
  });
  using again = await Session.replay(model, image, json);
  assert.deepEqual(numbersOf(again.proposal), numbersOf(session.proposal));
  assert.deepEqual(again.toJSON(), session.toJSON());
  const wrong = { ...json, actions: [{ kind: "choose", candidate: 9 }] };
  await assert.rejects(() => Session.replay(model, image, wrong), RangeError);
  await assert.rejects(
    () => Session.replay(model, image, { ...json, mask: "0" }),
    /^RangeError: Cannot replay the session as it must end with the mask/,
  );
  const other = discImage(20, 28, { x: 13, y: 9, radius: 6 });
  await assert.rejects(
    () => Session.replay(model, other, json),
    /^RangeError: Cannot replay the session as the image must be the one/,
  );
  await assert.rejects(
    () => Session.replay(model, image, { ...json, version: 1 }),
    /must be "spa-session", version 2: current value is spa-session, version 1$/,
  );
});

Deno.test("replay() tells that the weights or the mask are others", async () => {
  using session = await start();
  await session.choose(1);
  const json = session.toJSON();
  await assert.rejects(
    () => Session.replay(model, image, { ...json, model: "0" }),
    /^RangeError: Cannot replay the session as the model must have the weights/,
  );
});

Deno.test("apply() does every action, and what was accepted is saved until the next step", async () => {
  using session = await start({ seed: 2 });
  await session.apply({ kind: "choose", candidate: 2 });
  await session.apply({ kind: "click", point: { x: 4, y: 4, label: 0 } });
  await session.apply({ kind: "again" });
  await session.apply({ kind: "zoom", factor: 0.8 });
  const { region, proposal } = session;
  await session.apply({ kind: "look", region: { ...region, left: 0 } });
  assert.deepEqual(session.toJSON().actions.map(({ kind }) => kind), [
    ..."choose click again look look".split(" "),
  ]);
  assert.equal(await session.apply({ kind: "undo" }), proposal);
  assert.equal(await session.apply({ kind: "stop" }), proposal);
  assert.equal(session.toJSON().accepted, undefined);
  const accept = {
    kind: "accept",
    candidate: 1,
    largestComponent: true,
  } as const;
  assert.equal(await session.apply(accept), proposal);
  const json = session.toJSON();
  assert.deepEqual(json.accepted, accept);
  using again = await Session.replay(model, image, json);
  assert.deepEqual(again.toJSON(), json);
  await session.choose(0);
  assert.equal(session.toJSON().accepted, undefined);
  await assert.rejects(
    // deno-lint-ignore no-explicit-any
    () => session.apply({ kind: "quit" } as any),
    /^TypeError: Cannot apply the action as its kind must be one of choose, /,
  );
});

Deno.test("a session keeps the maps of its last three states, and of no others", async () => {
  using session = await start();
  const seen: WeakRef<object>[] = [];
  for (let i = 0; i < 8; i++) {
    await session.choose(i % session.proposal.candidates.length);
    seen.push(new WeakRef(session.proposal.predictions.probabilities));
  }
  await collectGarbage();
  assert.equal(seen.filter((one) => one.deref()).length, 3);
});

Deno.test("a choice costs less than 100 KB, however large the image is", async () => {
  const large = discImage(1000, 1400, { x: 600, y: 450, radius: 300 });
  using session = await Session.start(model, large, {
    points: [{ x: 600, y: 450 }],
  });
  const choose = async () => {
    await session.choose(session.iteration % 2);
    session.mask; // as it is shown
  };
  while (session.iteration < 5) await choose();
  const before = await bytesHeld();
  while (session.iteration < 15) await choose();
  const grown = (await bytesHeld() - before) / 10;
  assert.ok(grown < 100_000, `${grown} bytes per choice`);
});

Deno.test("under the rule m-step a click leaves the mixture as the choices made it", async () => {
  using session = await start({ update: { rule: "m-step" } });
  await session.choose(1);
  const { distribution } = session.preference;
  await session.addPoint({ x: 27, y: 19, label: 0 });
  assert.equal(session.preference.distribution, distribution);
  assert.equal(session.preference.feedback.points.length, 2);
});

Deno.test("a profile moves the first weights of the next image, and until a choice", async () => {
  using session = await start();
  await session.choose(1);
  const profile = profileFromJSON(profileToJSON(session.profile));
  using fresh = await start();
  using next = await start({ profile });
  const expected = profile.evidence;
  const check = (found: Float64Array) =>
    found.forEach((value, m) => {
      const lead = value - found[0];
      assert.ok(Math.abs(lead - (expected[m] - expected[0])) < 1e-5, `${lead}`);
    });
  const { logWeights: before } = fresh.preference.distribution;
  const { logWeights: after } = next.preference.distribution;
  check(after.map((value, m) => value - before[m]));
  assert.deepEqual(next.preference.evidence, fresh.preference.evidence);
  assert.deepEqual(
    next.preference.distribution.means.data,
    fresh.preference.distribution.means.data,
  );
  await next.addPoint({ x: 27, y: 19, label: 0 });
  using embedding = await encode(model, image, { region: next.region });
  const { distribution, feedback, evidence } = next.preference;
  const { logWeights } = await generateDistribution(
    model,
    embedding,
    feedback,
    evidence,
  );
  check(distribution.logWeights.map((value, m) => value - logWeights[m]));
});

Deno.test("the first choice of each image is added to a profile, later ones are not", async () => {
  using session = await start();
  assert.deepEqual(session.profile.evidence, new Float64Array(5));
  await session.choose(1);
  const first = session.profile;
  assert.notDeepEqual(first.evidence, new Float64Array(5));
  await session.choose(0);
  assert.equal(session.profile, first);
  using next = await start({ profile: first });
  assert.equal(next.profile, first);
  await next.choose(0);
  assert.notDeepEqual(next.profile.evidence, first.evidence);
});

Deno.test("a session refuses a profile of a model with another mixture", async () => {
  await assert.rejects(
    () => start({ profile: { evidence: new Float64Array(4) } }),
    new RangeError(
      "Cannot use the profile as its evidence must be of the model's 5 components: current value is of 4",
    ),
  );
});

Deno.test("a session that is disposed says so when it is used", async () => {
  const session = await start();
  session.dispose();
  session.dispose();
  await assert.rejects(
    () => session.choose(0),
    /as the session must not be disposed/,
  );
});

Deno.test("proposeAgain() draws other samples of the same preference, and undo returns", async () => {
  using session = await start();
  assert.equal(session.canUndo, false);
  const { proposal, preference } = session;
  const second = await session.proposeAgain();
  const third = await session.proposeAgain();
  assert.equal(session.preference, preference);
  assert.equal(session.iteration, 0);
  const seen = [proposal, second, third].map(numbersOf);
  assert.notDeepEqual(seen[1], seen[0]);
  assert.notDeepEqual(seen[2], seen[1]);
  assert.equal(session.canUndo, true);
  assert.equal(await session.undo(), second);
  assert.equal(await session.undo(), proposal);
  assert.equal(session.canUndo, false);
  assert.deepEqual(numbersOf(await session.proposeAgain()), seen[1]);
});
