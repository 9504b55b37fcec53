/** What a choice and a click change in a preference. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import {
  addPoint,
  mStep,
  updatePreference,
} from "../../src/spa/update_preference.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { sampleAt } from "../../src/arrays/sample_at.ts";
import { placeInMap } from "../../src/spa/frame.ts";
import { maskLogLikelihood } from "../../src/spa/evidence.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { Session, type SessionOptions } from "../../src/spa/session.ts";
import { generateDistribution } from "../../src/spa/generate.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
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

Deno.test("the ablations leave out what they say", async () => {
  for (const moments of [true, false]) {
    for (const weights of [true, false]) {
      using session = await start({ update: { moments, weights } });
      const { distribution: before } = session.preference;
      await session.choose(1);
      const { distribution: after } = session.preference;
      const kept = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a).every((value, i) => value === b[i]);
      assert.equal(kept(after.logWeights, before.logWeights), !weights);
      assert.equal(kept(after.means.data, before.means.data), !moments);
      assert.equal(
        kept(after.deviations.data, before.deviations.data),
        !moments,
      );
    }
  }
});

Deno.test("the M-step updates a session without the generator", async () => {
  using session = await start({ update: { rule: "m-step" } });
  const { distribution: before } = session.preference;
  const { predictions, candidates } = session.proposal;
  await session.choose(0);
  const { means } = session.preference.distribution;
  assert.notDeepEqual(means.data, before.means.data);
  // a component without samples stays, one with samples moves toward them
  for (let m = 0; m < 5; m++) {
    const drawn = predictions.components.includes(m);
    const moved = [0, 1, 2, 3, 4, 5].some((i) =>
      means.get(m, i) !== before.means.get(m, i)
    );
    assert.equal(moved, drawn);
  }
  assert.equal(candidates.length, 4);
});

Deno.test("the M-step counts the samples just drawn, not those kept", async () => {
  using session = await start({ update: { rule: "m-step" }, samples: 20 });
  await session.choose(0);
  const { distribution } = session.preference;
  const { predictions, candidates } = session.proposal;
  const { latents } = predictions;
  assert.ok(predictions.components.length > 20);
  const maps = predictions.probabilities.data as Float32Array;
  const likelihood = maskLogLikelihood(
    maps.subarray(0, 20 * 256),
    20,
    candidates[1].probability.data as Float32Array,
  );
  const expected = mStep(distribution, latents, likelihood);
  await session.choose(1);
  const actual = session.preference.distribution;
  assert.deepEqual(actual.means.data, expected.means.data);
  assert.deepEqual(actual.deviations.data, expected.deviations.data);
  assert.deepEqual(actual.logWeights, expected.logWeights);
});

Deno.test("the chosen cluster's samples join the next predictions, with their components", async () => {
  using session = await start();
  const { predictions: before, candidates } = session.proposal;
  const { members } = candidates[1];
  const { predictions: after } = await session.choose(1);
  assert.ok(members.length < 48);
  // fresh, kept, and as many variations as fresh
  assert.equal(after.components.length, 48 + members.length + 48);
  members.forEach((i, k) => {
    assert.equal(after.components[48 + k], before.components[i]);
    assert.deepEqual(
      after.probabilities.data.subarray((48 + k) * 256, (49 + k) * 256),
      before.probabilities.data.subarray(i * 256, (i + 1) * 256),
    );
  });
});

Deno.test("a click keeps the choices and their evidence", async () => {
  using embedding = await encode(model, image);
  const options = { samples: 16 };
  let preference = await startPreference(model, embedding, click);
  const latents = sampleGMM(preference.distribution, options);
  const proposal = cluster(
    await decode(model, embedding, preference, { latents }),
  );
  preference = await updatePreference(model, embedding, preference, {
    proposal,
    choice: 1,
  });
  const point = { x: 3, y: 4, label: 0 as const };
  const after = await addPoint(model, embedding, preference, { point });
  const { feedback, evidence, kept, iteration } = preference;
  assert.equal(after.evidence, evidence);
  assert.equal(after.kept, kept);
  assert.equal(after.iteration, iteration);
  assert.equal(after.feedback.choices, feedback.choices);
  assert.deepEqual(feedback.points.length, 1); // not changed
  const expected = await generateDistribution(
    model,
    embedding,
    { ...feedback, points: [...feedback.points, point] },
    evidence,
  );
  assert.deepEqual(after.distribution.logWeights, expected.logWeights);
  assert.deepEqual(after.distribution.means.data, expected.means.data);

  await assert.rejects(
    () => addPoint(model, embedding, preference, { point, proposal }),
    /^RangeError: Cannot add a point as the proposal must be made with this preference/,
  );
  const shown = cluster(
    await decode(model, embedding, preference, {
      latents: sampleGMM(preference.distribution, options),
    }),
  );
  const corrected = await addPoint(model, embedding, preference, {
    point,
    proposal: shown,
  });
  // what the samples are on the mean, those that go with the click above all
  const [prompt, ...more] = corrected.feedback.choices.slice(1);
  assert.deepEqual(more, []);
  assert.deepEqual(prompt.candidates, [prompt.recommended]);
  const [column, row] = placeInMap(embedding.frame, 16, point);
  const at = ({ data }: NdArray<Float32Array>) =>
    sampleAt(data as Float32Array, 16, 16, 1, 0, column, row);
  assert.ok(at(prompt.recommended) < at(shown.recommended.probability));
  assert.equal(corrected.iteration, iteration);
  assert.notDeepEqual(
    corrected.distribution.means.data,
    after.distribution.means.data,
  );
});
