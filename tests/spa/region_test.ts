import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { dice } from "../../src/metrics/overlap.ts";
import { Model } from "../../src/model/model.ts";
import { createRandom } from "../../src/random.ts";
import { cluster, type Proposal } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { preprocess } from "../../src/spa/embedding.ts";
import { encode } from "../../src/spa/encode.ts";
import {
  type Box,
  frameOf,
  isInRegion,
  mapToImage,
  maskToImage,
  maskToMap,
  moveMap,
  placeInMap,
  placeInSquare,
} from "../../src/spa/frame.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { Session } from "../../src/spa/session.ts";
import { nearestUser } from "../../src/spa/simulated_user.ts";
import {
  carryPreference,
  startPreference,
} from "../../src/spa/start_preference.ts";
import { updatePreference } from "../../src/spa/update_preference.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  samConfig,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const disc = { x: 30, y: 24, radius: 5 };
const image = discImage(50, 60, disc);
const box = { left: 22.5, top: 17.5, right: 38.5, bottom: 33.5 }; // 16 x 16

Deno.test("frameOf() places a region's corners at the square's, beyond the image too", () => {
  const region = { left: -8.5, top: 9.5, right: 23.5, bottom: 41.5 };
  const frame = frameOf(30, 40, 64, region);
  assert.deepEqual(frame.region, region);
  // 32 pixels on 64: the pixel at the region's corner has its center at 0.5
  assert.deepEqual(placeInMap(frame, 64, { x: -8, y: 10 }), [0.5, 0.5]);
  assert.deepEqual(placeInMap(frame, 16, { x: 23.5, y: 41.5 }), [15.5, 15.5]);
  assert.deepEqual(placeInSquare(frame, { x: -8, y: 12 }), [0, 4]);
  // a box that is no square is widened about its center
  const wide = { left: 0, top: 10, right: 20, bottom: 14 };
  assert.deepEqual(frameOf(30, 40, 64, wide).region, {
    left: 0,
    top: 2,
    right: 20,
    bottom: 22,
  });
});

Deno.test("frameOf() refuses a region of zero size, beside the image, or not finite", () => {
  const bad: [object, RegExp][] = [
    [{ ...box, right: box.left }, /left must be < right and top < bottom/],
    [{ ...box, top: 40, bottom: 30 }, /left must be < right and top < bottom/],
    [{ ...box, left: 60, right: 90 }, /share pixels with the image, 50 x 60/],
    [{ ...box, top: -20, bottom: -0.5 }, /share pixels with the image/],
    [{ ...box, left: NaN }, /edges must be finite numbers: .* left NaN/],
    [{ ...box, bottom: Infinity }, /edges must be finite numbers/],
  ];
  for (const [region, message] of bad) {
    assert.throws(
      () => frameOf(50, 60, 32, region as typeof box),
      (error: Error) =>
        error instanceof RangeError && message.test(error.message),
    );
  }
});

Deno.test("preprocess() shows the region's pixels, and the image's edge beyond them", () => {
  const ramp = ndarray(
    Float32Array.from({ length: 40 * 40 }, (_, i) => (i % 40) / 100),
    [40, 40, 1],
  );
  for (const config of [smallConfig, samConfig]) {
    // 32 x 32 pixels one to one, 8 of them to the left of the image
    const frame = frameOf(40, 40, 32, {
      left: -8.5,
      top: 3.5,
      right: 23.5,
      bottom: 35.5,
    });
    const { data } = preprocess(ramp, frame, config);
    for (const x of [0, 7, 8, 9, 31]) {
      const value = Math.max(0, x - 8) / 100;
      const expected = config.sam && x < 8
        ? 0
        : (value - config.pixelMean[0]) / config.pixelDeviation[0];
      const found = data[(5 * 32 + x) * 3];
      assert.ok(Math.abs(found - expected) < 1e-6, `${x}: ${found}`);
    }
  }
});

Deno.test("preprocess() stretches the intensities of what the network sees", () => {
  const config = { ...smallConfig, pixelScaling: "min-max" as const };
  const pixels = ndarray(new Float32Array(64 * 64).fill(0.5), [64, 64, 1]);
  pixels.set(60, 60, 0, 1); // outside the region
  pixels.set(10, 10, 0, 0.25);
  const region = { left: -0.5, top: -0.5, right: 31.5, bottom: 31.5 };
  const { data } = preprocess(pixels, frameOf(64, 64, 32, region), config);
  const at = (y: number, x: number) =>
    data[(y * 32 + x) * 3] * config.pixelDeviation[0] + config.pixelMean[0];
  assert.ok(Math.abs(at(10, 10)) < 1e-6);
  assert.ok(Math.abs(at(20, 20) - 1) < 1e-6);
});

Deno.test("a mask goes into a region's map and back, and is 0 outside", () => {
  const mask = discMask(50, 60, disc);
  const frame = frameOf(50, 60, 32, box);
  const map = maskToMap(mask, frame, 32);
  assert.ok(dice(maskToImage(map, frame), mask) > 0.97);
  const ones = ndarray(new Float32Array(16 * 16).fill(1), [16, 16]);
  const pasted = mapToImage(ones, frame);
  assert.equal(pasted.data.reduce((sum, v) => sum + v), 16 * 16);
  assert.equal(pasted.get(17, 30), 0);
  assert.equal(pasted.get(18, 23), 1);
  assert.equal(pasted.get(33, 38), 1);
  assert.equal(pasted.get(34, 38), 0);
});

Deno.test("moveMap() takes a map to a wider region and back", () => {
  const near = frameOf(50, 60, 32, box);
  const far = frameOf(50, 60, 32, {
    left: 14.5,
    top: 9.5,
    right: 46.5,
    bottom: 41.5,
  });
  const map = maskToMap(discMask(50, 60, disc), near, 32);
  const wider = moveMap(map, near, far);
  assert.equal(wider.get(0, 0), 0); // where nobody looked
  const direct = maskToMap(discMask(50, 60, disc), far, 32);
  wider.data.forEach((value, i) =>
    assert.ok(Math.abs(value - direct.data[i]) < 0.5) // the same mask
  );
  assert.ok(dice(maskToImage(wider, far), discMask(50, 60, disc)) > 0.95);
});

Deno.test("encode() looks where it is told, and finds the region of a box at once", async () => {
  using given = await encode(model, image, { region: box });
  assert.deepEqual(given.region, box);
  assert.equal(given.looks.count, 1);
  using found = await encode(model, image, { box });
  assert.deepEqual(found.region, {
    left: 6.5,
    top: 1.5,
    right: 54.5,
    bottom: 49.5,
  });
  using masked = await encode(model, image, { mask: discMask(50, 60, disc) });
  const { left, right } = masked.region;
  assert.equal(right - left, 33); // three times 11
  using whole = await encode(model, image);
  assert.deepEqual(whole.frame, frameOf(50, 60, 32));
});

Deno.test("encode() refuses points outside the image or the region, and other images", async () => {
  const reject = (options: object, message: RegExp) =>
    assert.rejects(() => encode(model, image, options), message);
  await reject(
    { region: box, points: [{ x: 3, y: 3 }] },
    /^RangeError: .* the points must lie in the region, .* current value is \(3, 3\)$/,
  );
  await reject(
    { points: [{ x: 60, y: 3 }] },
    /^RangeError: Cannot use the point as it must lie in the image/,
  );
  await reject(
    { points: [{ x: "30", y: 24 }] },
    /^TypeError: Cannot use the point as its x must be a number: current value is "30"$/,
  );
  await reject(
    { region: "auto" },
    /^RangeError: Cannot find the region as there must be a positive point, a box or a mask/,
  );
  await reject(
    { region: "all" },
    /^RangeError: .* region must be "auto", "whole" or a box/,
  );
  await reject({ regions: box }, /^TypeError: .* did you mean "region"\?/);
  await reject(
    { mask: discMask(50, 50, disc) },
    /^RangeError: .* of the image's size, 50 x 60: current value is 50 x 50$/,
  );
  await reject(
    { mask: ndarray(new Uint8Array(3000), [50, 60]) },
    /^RangeError: .* it must have pixels/,
  );
  for (const factor of [255, -1]) {
    const bytes = ndarray(image.data.map((v) => v * factor), image.shape);
    await assert.rejects(
      () => encode(model, bytes),
      /^RangeError: .* must be in 0\.\.1: .*window.*divide bytes by 255$/,
    );
  }
  const giant = ndarray(new Float32Array(1), [40_000, 40_000, 1], [0, 0, 0]);
  await assert.rejects(
    () => encode(model, giant),
    /^RangeError: .* at most 268435456 pixels: .* Cut out the part around the object/,
  );
});

Deno.test("the shipped model finds the region of one click, the same one every time", async () => {
  using tiny = await loadModel("tiny");
  const wide = discImage(300, 400, { x: 210, y: 120, radius: 14 });
  const target = discMask(300, 400, { x: 210, y: 120, radius: 14 });
  const points = [{ x: 205, y: 124 }];
  using one = await Session.start(tiny, wide, { points });
  using other = await Session.start(tiny, wide, { points });
  assert.deepEqual(one.region, other.region);
  assert.deepEqual(one.accept().data, other.accept().data);
  assert.ok(one.looks.count >= 1 && one.looks.count <= 4);
  assert.equal(one.looks.regions.length, one.looks.count);
  assert.ok(one.looks.milliseconds > 0);
  const { left, right } = one.region;
  assert.ok(right - left > 50 && right - left < 150, `${right - left}`);
  using whole = await Session.start(tiny, wide, { points, region: "whole" });
  assert.ok(dice(one.accept(), target) > 0.9);
  assert.ok(dice(one.accept(), target) > dice(whole.accept(), target));
});

Deno.test("a session zooms and looks elsewhere: clicks and choices stay, undo returns", async () => {
  const points = [{ x: 30, y: 24 }];
  using session = await Session.start(model, image, { points, region: box });
  await session.choose(1);
  const shown = session.proposal;
  await session.zoom(0.5);
  assert.deepEqual(session.region, {
    left: 14.5,
    top: 9.5,
    right: 46.5,
    bottom: 41.5,
  });
  assert.equal(session.iteration, 1);
  assert.equal(session.preference.feedback.choices.length, 1);
  assert.deepEqual(session.preference.feedback.points, points);
  await session.choose(0);
  await session.addPoint({ x: 2, y: 24, label: 0 }); // widens the region
  assert.ok(session.region.left < 2);
  await assert.rejects(
    () => session.lookAt({ left: 0, top: 0, right: 9, bottom: 9 }),
    /^RangeError: Cannot look there as the region must hold every positive click/,
  );
  for (const factor of [0, -2, NaN, Infinity]) {
    await assert.rejects(() => session.zoom(factor), RangeError);
  }
  using again = await Session.replay(
    model,
    image,
    JSON.parse(JSON.stringify(session)),
  );
  assert.deepEqual(again.accept().data, session.accept().data);
  for (let i = 0; i < 4; i++) await session.undo();
  assert.deepEqual(
    session.proposal.recommended.probability.data,
    shown.recommended.probability.data,
  );
  assert.deepEqual(session.region, box);
  await session.choose(0); // and goes on from there
});

Deno.test("the region follows what was chosen, until the user looks elsewhere", async () => {
  using tiny = await loadModel("tiny");
  const place = { x: 210, y: 120, radius: 24 };
  const wide = discImage(300, 400, place);
  const start = {
    points: [{ x: 205, y: 124 }],
    region: { left: 149.5, top: 59.5, right: 269.5, bottom: 179.5 },
  };
  const user = nearestUser(discMask(300, 400, place));
  const nearest = (proposal: Proposal) => user(proposal, createRandom(0));
  const sideOf = ({ left, right }: Box) => right - left;
  using given = await Session.start(tiny, wide, start);
  await given.choose(nearest(given.proposal));
  assert.deepEqual(given.region, start.region, "a given region stays");
  assert.equal("follow" in given.toJSON(), false);

  const narrow = { left: 181.5, top: 91.5, right: 238.5, bottom: 148.5 };
  for (const region of [narrow, start.region]) {
    using session = await Session.start(tiny, wide, {
      ...start,
      region,
      follow: true,
    });
    await session.choose(nearest(session.proposal));
    const room = sideOf(session.region) / (2 * place.radius);
    const before = sideOf(region) / (2 * place.radius);
    assert.ok(Math.abs(Math.log2(room / 3)) <= Math.abs(Math.log2(before / 3)));
    if (region !== narrow) continue;
    assert.ok(room > 2, `the region has room for the disc: ${room}`);
    assert.equal(session.iteration, 1);
    const json = JSON.parse(JSON.stringify(session));
    using again = await Session.replay(tiny, wide, json);
    assert.deepEqual(again.region, session.region);
    assert.deepEqual(again.mask.data, session.mask.data);
    await session.undo();
    assert.deepEqual(session.region, narrow);
    await session.redo();
    assert.deepEqual(session.region, again.region);
    await session.lookAt(narrow);
    await session.choose(nearest(session.proposal));
    assert.deepEqual(session.region, narrow, "a look by hand stays");
  }
});

Deno.test("a session starts from somebody's mask, which counts as a choice", async () => {
  const mask = discMask(50, 60, disc);
  using session = await Session.start(model, image, { mask });
  const { choices, points } = session.preference.feedback;
  assert.equal(choices.length, 1);
  assert.deepEqual(points, [{ x: 30, y: 24 }]); // its deepest pixel
  const { frame } = session.proposal.predictions;
  assert.ok(dice(maskToImage(choices[0].candidates[0], frame), mask) > 0.9);
  assert.equal(session.iteration, 0);
  await session.choose(0);
});

Deno.test("accept() gives any candidate as it is shown, repaired on demand", async () => {
  using session = await Session.start(model, image, {
    points: [{ x: 30, y: 24 }],
  });
  const { candidates, recommended } = session.proposal;
  assert.deepEqual(session.accept().data, recommended.mask.data);
  assert.deepEqual(session.accept(1).data, candidates[1].mask.data);
  const largest = session.accept(1, { minimumSize: 1e9 });
  assert.ok(largest.data.every((value) => value === 0));
  for (const k of [-1, 9, 0.5]) {
    assert.throws(
      () => session.accept(k),
      /^RangeError: Cannot accept as the candidate must be one of those shown, 0\.\.\d: current value is /,
    );
  }
});

Deno.test("verbs refuse what is of another image, region or model, and stale proposals", async () => {
  const points = [{ x: 30, y: 24 }];
  using embedding = await encode(model, image, { region: box });
  // another crop of the same size: nothing but its pixels tells
  const moved = discImage(50, 60, { ...disc, x: 29 });
  using other = await encode(model, moved, { region: box });
  using wider = await encode(model, image, { region: "whole" });
  using twin = new Model(smallConfig, noisyWeights(smallConfig, 2));
  const preference = await startPreference(model, embedding, { points });
  const latents = sampleGMM(preference.distribution, { samples: 8 });
  const propose = async () =>
    cluster(await decode(model, embedding, preference, { latents }));
  const proposal = await propose();
  await assert.rejects(
    () => decode(model, other, preference, { latents }),
    new RangeError(
      "Cannot decode as the preference must be of this embedding: current value is of another image",
    ),
  );
  await assert.rejects(
    () => decode(model, wider, preference, { latents }),
    /of another region: carryPreference\(\) takes it along$/,
  );
  await assert.rejects(
    () => decode(twin, embedding, preference, { latents }),
    /^RangeError: Cannot decode as the embedding must be of this model/,
  );
  await assert.rejects(
    () => startPreference(twin, embedding, { points }),
    /^RangeError: Cannot start as the embedding must be of this model/,
  );
  await assert.rejects(
    () => carryPreference(model, other, preference),
    /^RangeError: Cannot carry the preference as the embedding must be of the same image/,
  );
  const next = await updatePreference(model, embedding, preference, {
    proposal,
    choice: 0,
  });
  await assert.rejects(
    () => updatePreference(model, embedding, next, { proposal, choice: 0 }),
    new RangeError(
      "Cannot update as the proposal must be made with this preference: current value is an older or a newer one",
    ),
  );
  const theirs = await startPreference(model, other, { points });
  await assert.rejects(
    () => updatePreference(model, other, theirs, { proposal, choice: 0 }),
    /current value is one of another image, region or model$/,
  );
  // the same image encoded again is the same
  using again = await encode(model, image, { region: box });
  await decode(model, again, preference, { latents });
  const carried = await carryPreference(model, wider, preference);
  await decode(model, wider, carried, { latents });
});

Deno.test("a proposal says what its recommendation lacks", () => {
  const frame = frameOf(50, 60, 32, box);
  const noticeOf = (inside: (x: number, y: number) => boolean) => {
    const map = Float32Array.from(
      { length: 32 * 32 },
      (_, i) => inside(i % 32, Math.floor(i / 32)) ? 0.9 : 0.1,
    );
    return cluster({
      probabilities: ndarray(map, [1, 32, 32]),
      components: Int32Array.of(0),
      shares: Float64Array.of(1),
      latents: sampleGMM({
        logWeights: Float64Array.of(0),
        means: ndarray(new Float32Array(1), [1, 1]),
        deviations: ndarray(new Float32Array(1), [1, 1]),
      }, { samples: 1 }),
      frame,
    }).notice?.kind;
  };
  assert.equal(noticeOf(() => false), "empty");
  assert.equal(noticeOf((x, y) => x === 9 && y === 9), "small");
  assert.equal(noticeOf((x) => x < 9), "cut");
  assert.equal(
    noticeOf((x, y) => x > 9 && y > 9 && x < 20 && y < 20),
    undefined,
  );
});

Deno.test("a region that is found holds every positive click", async () => {
  const far = [{ x: 2, y: 2 }, { x: 120, y: 110 }, {
    x: 60,
    y: 1,
    label: 0 as const,
  }];
  const image = ndarray(new Float32Array(128 * 128).fill(0.5), [128, 128, 1]);
  for (const name of ["tiny", "small"] as const) {
    using model = await loadModel(name);
    for (
      const options of [{}, {
        box: { left: 90, top: 90, right: 99, bottom: 99 },
      }]
    ) {
      using embedding = await encode(model, image, { points: far, ...options });
      for (const point of far.slice(0, 2)) {
        assert.ok(
          isInRegion(embedding.frame, point),
          JSON.stringify(embedding.region),
        );
      }
      const { looks } = embedding;
      assert.equal(looks?.regions.length, looks?.count);
    }
  }
});
