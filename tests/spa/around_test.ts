/** The first proposal after one click: squares that the region might be as well. */

import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { hasFinder } from "../../src/model/region_finder.ts";
import { Model } from "../../src/model/model.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { squaresAround } from "../../src/spa/find_region.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { Session } from "../../src/spa/session.ts";
import {
  carryPreference,
  startPreference,
} from "../../src/spa/start_preference.ts";
import { VolumeSession } from "../../src/volumes/volume_session.ts";
import { addPoint, updatePreference } from "../../src/spa/update_preference.ts";
import { close } from "../helpers/close.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  tinyVitConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const disc = { x: 30, y: 24, radius: 5 };
const image = discImage(60, 60, disc);
const points = [{ x: 30, y: 24 }];

/** A network whose finder says a quarter of the region's side, wherever it looks. */
function fittedModel(): Model {
  const config = tinyVitConfig(32);
  assert.ok(hasFinder(config));
  const weights = new Map(noisyWeights(config));
  const { shape } = weights.get("region_finder.weight")!;
  const size = shape[0] * shape[1];
  const data = new Float32Array(size);
  data[size - 1] = 1e-9; // all zero would be one that was not fitted
  weights.set("region_finder.weight", { data, shape });
  weights.set("region_finder.bias", {
    data: Float32Array.of(Math.log2(0.25), 0, 0),
    shape: [3],
  });
  return new Model(config, weights);
}

Deno.test("a region that one click told might be 1.5 times as long or as short", async () => {
  using model = fittedModel();
  using found = await encode(model, image, { points });
  const side = found.region.right - found.region.left;
  const [wider, narrower] = squaresAround(
    found.frame,
    points,
    found.looks.doubt!,
  );
  const sideOf = ({ region: { left, right } }: typeof wider) => right - left;
  close([sideOf(wider) / side, side / sideOf(narrower)], [1.5, 1.5], 0.06);
  const far = { x: found.region.left + 1, y: 24 }; // not in the narrower one
  assert.equal(squaresAround(found.frame, [...points, far], 0.5).length, 1);
  assert.deepEqual(squaresAround(found.frame, points, 0), []);
  using given = await encode(model, image, { region: found.region });
  assert.equal(given.looks.doubt, undefined);
  using told = await encode(model, image, {
    points: [...points, { x: 33, y: 24 }],
  });
  assert.equal(told.looks.doubt, undefined, "two clicks tell a size");
});

Deno.test("the first proposal shows samples of these squares, each square with a quarter of the weight of all fresh ones", async () => {
  using model = fittedModel();
  using embedding = await encode(model, image, { points });
  const started = await startPreference(model, embedding, { points });
  const { around } = started;
  assert.deepEqual(around!.probabilities.shape, [32, 32, 32]);
  assert.equal(around!.components.length, 32);
  const again = await startPreference(model, embedding, { points });
  assert.deepEqual(
    again.around!.probabilities.data,
    around!.probabilities.data,
  );

  const latents = sampleGMM(started.distribution, { samples: 6 });
  const options = { latents, variations: 0 };
  const predictions = await decode(model, embedding, started, options);
  const { shares } = predictions;
  const sum = (from: number, to: number) =>
    shares.subarray(from, to).reduce((a, b) => a + b, 0);
  assert.equal(shares.length, 6 + 32);
  close([sum(0, 6), sum(6, 22), sum(22, 38)], [2 / 3, 1 / 6, 1 / 6]);

  const proposal = cluster(predictions);
  const chosen = await updatePreference(model, embedding, started, {
    proposal,
    choice: 0,
  });
  assert.equal(chosen.around, undefined, "a choice tells the size");
  const corrected = await addPoint(model, embedding, started, {
    point: { x: 30, y: 26 },
    proposal,
  });
  assert.equal(corrected.around, undefined);
  using whole = await encode(model, image, { region: "whole" });
  const carried = await carryPreference(model, whole, started);
  assert.equal(carried.around, undefined);
});

Deno.test("there are no such squares where a box, a mask or the user told the region", async () => {
  using model = fittedModel();
  const box = { left: 24.5, top: 18.5, right: 35.5, bottom: 29.5 };
  const mask = discMask(60, 60, disc);
  for (const start of [{ box }, { mask }, { box, points }]) {
    using embedding = await encode(model, image, start);
    const { around } = await startPreference(model, embedding, start);
    assert.equal(around, undefined);
  }
  using given = await encode(model, image, { region: box });
  using session = await Session.start(model, image, { points });
  assert.ok(session.preference.around);
  const shown = session.mask;
  using other = await Session.replay(
    model,
    image,
    JSON.parse(JSON.stringify(session)),
  );
  assert.deepEqual(other.mask.data, shown.data);
  const sure = await startPreference(model, given, { points });
  assert.equal(sure.around, undefined);
  const unsure = await startPreference(model, given, { points, doubt: 0.25 });
  assert.ok(unsure.around);
  for (const doubt of [-1, 4, NaN]) {
    await assert.rejects(
      () => startPreference(model, given, { points, doubt }),
      /^RangeError: Cannot start as doubt must be octaves within 0\.\.3: current value is /,
    );
  }
  await session.zoom(1.2);
  assert.equal(session.preference.around, undefined);
  await session.undo();
  assert.deepEqual(session.mask.data, shown.data);
});

Deno.test("a slice of a volume is shown by the found square alone, as walks go on from it", async () => {
  using model = fittedModel();
  const { volume } = ellipsoidVolume();
  const options = { samples: 6, variations: 0 };
  const slice = 6, click = { x: 27, y: 28 };
  using session = await VolumeSession.start(model, volume, {
    ...options,
    slice,
    points: [click],
  });
  assert.equal(session.proposal!.predictions.shares.length, 6);
  using alone = await Session.start(model, session.image(slice), {
    ...options,
    points: [click],
  });
  assert.ok(alone.proposal.predictions.shares.length > 6);
});
