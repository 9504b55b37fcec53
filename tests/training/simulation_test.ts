import assert from "node:assert/strict";
import { createRandom } from "../../src/random.ts";
import { drawGroup } from "../../src/training/groups.ts";
import { orderCases } from "../../src/training/training_case.ts";
import {
  advanceTrainee,
  mapDice,
  startTrainee,
} from "../../src/training/simulation.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import { smallConfig } from "../helpers/small_model.ts"; // maps of 16 x 16, M = 5
import { discs } from "../helpers/small_training.ts";

const area = 16 * 16;

/** The leftmost columns as a soft map. */
function columns(count: number, high = 0.95, low = 0.05): Float32Array {
  return Float32Array.from(
    { length: area },
    (_, i) => i % 16 < count ? high : low,
  );
}

/** One sample per component: 2, 4, 6, 8 and 10 columns wide. */
const samples = Float32Array.from(
  [2, 4, 6, 8, 10].flatMap((count) => [...columns(count)]),
);
const uniform = new Float64Array(5).fill(0.2);

Deno.test("mapDice() is the Dice of two maps thresholded at one half", () => {
  assertClose([mapDice(columns(4), columns(8))], [2 * 4 / 12], 1e-9);
  assert.equal(mapDice(columns(4), columns(4, 1, 0.4)), 1);
  assert.equal(mapDice(columns(0), columns(0)), 1);
  assert.equal(mapDice(columns(0), columns(1)), 0);
});

Deno.test("startTrainee() clicks inside the mask in mind", () => {
  const random = createRandom(1);
  const target = columns(3, 1, 0);
  for (let i = 0; i < 200; i++) {
    const { feedback, evidence } = startTrainee(target, smallConfig, random);
    const [{ x, y }] = feedback.points;
    // three columns of the map are six pixels of the square
    assert.ok(x >= -0.5 && x <= 5.5, `${x}`);
    assert.ok(y >= -0.5 && y <= 31.5, `${y}`);
    assert.deepEqual(feedback.choices, []);
    assert.deepEqual([...evidence], [0, 0, 0, 0, 0]);
  }
});

Deno.test("advanceTrainee() picks the nearest candidate, and the evidence follows", async () => {
  const random = createRandom(2);
  const trainee = startTrainee(columns(8, 1, 0), smallConfig, random);
  const first = await advanceTrainee(
    trainee,
    samples,
    uniform,
    smallConfig,
    random,
    0,
  );
  assert.equal(first.iteration, 0);
  assert.ok(first.best >= first.dice);
  assert.equal(first.best, 1); // five samples, four clusters: 8 is among them
  assert.ok(first.spread > 0.05);
  const { choices } = trainee.feedback;
  assert.equal(choices.length, 1);
  const { candidates, chosen, recommended } = choices[0];
  assert.ok(candidates.length >= 3 && candidates.length <= 4);
  const best = mapDice(candidates[chosen].data as Float32Array, trainee.target);
  assert.equal(best, first.best);
  for (const { data } of candidates) {
    assert.ok(mapDice(data as Float32Array, trainee.target) <= best);
  }
  // the recommendation is the mean weighted by pi: 6 of 10 columns
  assertClose([mapDice(recommended.data as Float32Array, columns(6))], [1], 0);
  const weights = trainee.evidence.map(Math.exp);
  assert.equal(weights.indexOf(Math.max(...weights)), 3);
  assertClose([weights.reduce((a, b) => a + b)], [1], 1e-9);
});

Deno.test("advanceTrainee() weighs the samples by pi", async () => {
  const random = createRandom(4);
  const trainee = startTrainee(columns(8, 1, 0), smallConfig, random);
  const weights = Float64Array.of(0.8, 0.05, 0.05, 0.05, 0.05);
  const { dice } = await advanceTrainee(
    trainee,
    samples,
    weights,
    smallConfig,
    random,
    0,
  );
  assertClose([dice], [mapDice(columns(2), columns(8))], 1e-9);
});

Deno.test("advanceTrainee() keeps the chosen cluster's samples for the next iteration", async () => {
  const random = createRandom(3);
  const trainee = startTrainee(columns(8, 1, 0), smallConfig, random);
  await advanceTrainee(trainee, samples, uniform, smallConfig, random, 0);
  const kept = trainee.keptComponents.length;
  assert.ok(kept >= 1 && kept <= 2);
  assert.equal(trainee.kept.length, kept * area);
  trainee.keptComponents.forEach((m, k) =>
    assert.deepEqual(
      trainee.kept.subarray(k * area, (k + 1) * area),
      samples.subarray(m * area, (m + 1) * area),
    )
  );
  // the new samples are all wrong: what was chosen before is still on offer
  const wrong = Float32Array.from(
    new Array(5).fill([...columns(16, 0.95, 0.95)]).flat(),
  );
  const next = await advanceTrainee(
    trainee,
    wrong,
    uniform,
    smallConfig,
    random,
    0,
  );
  assert.equal(next.iteration, 1);
  assert.equal(next.best, 1);
  assert.equal(trainee.feedback.choices.length, 2);
});

Deno.test("advanceTrainee() has clicks correct what is shown, which is no pick", async () => {
  const random = createRandom(4);
  const target = columns(8, 1, 0);
  const trainee = startTrainee(target, smallConfig, random, {}, undefined, {
    clickShare: 1,
  });
  const weights = Float64Array.of(0.8, 0.05, 0.05, 0.05, 0.05);
  await advanceTrainee(trainee, samples, weights, smallConfig, random, 0);
  assert.equal(trainee.picks, 0);
  const { points, choices } = trainee.feedback;
  assert.deepEqual(points.map(({ label }) => label), [undefined, 1]);
  const [{ recommended, candidates, chosen }] = choices;
  assert.deepEqual(candidates, [recommended]);
  assert.equal(chosen, 0);
  // two of eight columns were right: the click is in one of the other six, and
  // what goes on has it
  const { x, y } = points[1];
  const [column, row] = [x, y].map((at) => (at + 0.5) / 2);
  assert.ok(column > 2 && column < 8, `${column}`);
  assert.ok(recommended.get(Math.floor(row), Math.floor(column)) > 0.5);
});

/** How examples are drawn, but for what a test is about. */
const plainly = {
  phantomShare: 0,
  syntheticShare: 0,
  regionShare: 0.5,
  placements: 0,
  clickShare: 0,
  boxShare: 0,
  maskShare: 0,
  neighborShare: 0,
  styleShare: 0.5,
  usersPerImage: 1,
  carryShare: 0,
};

Deno.test("drawGroup() draws users of one image, each with a mask worth the name", () => {
  const options = { ...plainly, usersPerImage: 3 };
  for (let seed = 0; seed < 20; seed++) {
    const group = drawGroup(discs, smallConfig, options, createRandom(seed), 4);
    assert.equal(group.left, 4);
    assert.equal(group.pixels.length, 32 * 32 * 3);
    assert.equal(group.users.length, 3);
    for (const { target, feedback } of group.users) {
      const pixels = target.filter((value) => value >= 0.5).length;
      assert.ok(pixels >= 8, `${pixels} pixels`);
      const [{ x, y }] = feedback.points;
      const at = Math.floor((y + 0.5) / 2) * 16 + Math.floor((x + 0.5) / 2);
      assert.ok(target[at] >= 0.5);
    }
  }
  const one = drawGroup(discs, smallConfig, options, createRandom(3), 4);
  const same = drawGroup(discs, smallConfig, options, createRandom(3), 4);
  assert.deepEqual(one, same);
});

/** Users of two images, the first of whom leave the first one. */
function moveOn(cases: typeof discs, carryShare: number, seed: number) {
  const options = {
    ...plainly,
    phantomShare: 0.5,
    usersPerImage: 2,
    carryShare,
  };
  const random = createRandom(seed);
  const before = drawGroup(cases, smallConfig, options, random, 4);
  for (const user of before.users) {
    user.habit = { evidence: Float64Array.of(seed) };
  }
  return {
    before,
    after: drawGroup(cases, smallConfig, options, random, 4, before),
  };
}

Deno.test("drawGroup() takes users and their profiles to another image", () => {
  const named = discs.map((disc) => ({ ...disc, raters: ["a", "b", "c"] }));
  for (let seed = 1; seed <= 10; seed++) {
    const { before, after } = moveOn(named, 1, seed);
    assert.equal(after.source, before.source);
    assert.notDeepEqual(after.pixels, before.pixels);
    after.users.forEach((user, i) => {
      const { taste, habit } = before.users[i];
      assert.ok(taste.raters);
      assert.deepEqual(user.taste, taste);
      assert.equal(user.profile, habit);
      assert.ok(user.evidence.every((value) => value === 0));
      assert.equal(user.feedback.choices.length, 0);
    });
    const { users } = moveOn(named, 0, seed).after;
    assert.ok(users.every(({ profile }) => profile === undefined));
  }
});

Deno.test("drawGroup() takes nobody on whose taste is of one image alone", () => {
  let styled = 0, plain = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { before, after } = moveOn(discs, 1, seed);
    if (before.source === "phantom") continue; // phantoms' raters have names
    before.users.forEach(({ taste, habit }, i) => {
      assert.equal(taste.raters, undefined);
      const { profile } = after.users[i];
      if (taste.style) styled++;
      else plain++;
      assert.equal(profile, taste.style && habit);
    });
  }
  assert.ok(styled > 0 && plain > 0);
});

Deno.test("drawGroup() begins with what was marked in the slice beside, clicked in its middle", () => {
  const options = {
    ...plainly,
    boxShare: 0.5,
    maskShare: 0.5,
    neighborShare: 1,
    styleShare: 0,
  };
  const [{ image, masks, raters }, { masks: other }] = discs;
  const cases = [{ image, masks, raters, neighbors: [{ masks, raters }] }];
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(seed);
    const { users: [user] } = drawGroup(cases, smallConfig, options, random, 4);
    const { points, box, choices: [{ recommended }] } = user.feedback;
    assert.equal(box, undefined);
    assert.equal(points.length, 1);
    // the same masks: what it begins with is nearly the target
    const started = recommended.data as Float32Array;
    assert.ok(mapDice(started, user.target) > 0.4);
    const [{ x, y }] = points;
    const at = Math.floor((y + 0.5) / 2) * 16 + Math.floor((x + 0.5) / 2);
    assert.ok(started[at] >= 0.5);
  }
  const wrong = [{ image, masks, neighbors: [{ masks: [other[0].hi(8, 8)] }] }];
  assert.throws(
    () => orderCases(wrong),
    /cases\[0\]\.neighbors\[0\]\.masks\[0\] must be of its image's size/,
  );
});
