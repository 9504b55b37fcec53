import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { volumeImage, volumeSlice } from "../../src/formats/volume.ts";
import { unpackMask } from "../../src/arrays/packed_mask.ts";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { maskSide } from "../../src/model/config.ts";
import { dice } from "../../src/metrics/overlap.ts";
import { appearanceOf } from "../../src/volumes/appearance.ts";
import {
  bytesOf,
  resultOf,
  type SliceResult,
} from "../../src/volumes/slice_result.ts";
import { frameOf, maskToMap } from "../../src/spa/frame.ts";
import { look, SliceImages, step, trustOf } from "../../src/volumes/walk.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";

await useEngine("auto", { threads: 1 });
const model = await loadModel("tiny");
const { volume, mask } = ellipsoidVolume();
const truth = (slice: number) => volumeSlice(mask, { axis: 0, slice });
const images = new SliceImages(
  model,
  (slice) => volumeImage(volume, { axis: 0, slice }),
);
const region = { left: -0.5, top: -0.5, right: 55.5, bottom: 55.5 };
const side = maskSide(model.config);
const middle = resultOf(
  maskMap(truth(6)),
  [56, 56],
);
const source = {
  choices: [],
  regionSide: 56,
  appearance: appearanceOf(images.image(6), middle),
};

/** The true mask of a slice as a map of the whole slice. */
function maskMap(mask: NdArray<Uint8Array>) {
  const frame = frameOf(56, 56, side, region);
  const { data } = maskToMap(mask, frame, side);
  return { region, side, bytes: bytesOf(data) };
}

const stepped = (distance: number, neighbor: SliceResult = middle) => ({
  ...{ neighbor, from: 6, slice: 7, distance, seed: 1 },
});

Deno.test("the network looks at the twelve slices beside an aligned one, at every third one farther away, and after a gap", async () => {
  const isSeen = async (distance: number, neighbor?: SliceResult) => {
    const { logits } = await look(
      model,
      images,
      stepped(distance, neighbor),
      source,
    );
    return logits !== undefined;
  };
  const seen: boolean[] = [];
  for (const distance of [1, 12, 13, 14, 15, 16]) {
    seen.push(await isSeen(distance));
  }
  assert.deepEqual(seen, [true, true, false, false, true, false]);
  assert.equal(await isSeen(13, { ...middle, gap: true }), true);
});

Deno.test("a step finds the object in the slice beside, seen by the network or not", async () => {
  for (const distance of [1, 13]) {
    const found = await step(model, images, stepped(distance), source);
    const overlap = dice(unpackMask(found.mask), truth(7));
    assert.ok(overlap > 0.85, `distance ${distance}: ${overlap}`);
    assert.ok(found.resemblance! > 0.5);
    const again = await step(model, images, stepped(distance), source);
    assert.deepEqual(again, found);
  }
});

Deno.test("a step into a slice that shows nothing keeps the neighbor's mask", async () => {
  const dark = new SliceImages(
    model,
    () => ndarray(new Float32Array(56 * 56), [56, 56, 1]),
  );
  const found = await step(model, dark, stepped(1), source);
  assert.equal(found.gap, true);
  assert.equal(found.confidence, 0);
  assert.deepEqual(found.mask, middle.mask);
});

Deno.test("the network is believed where it finds the aligned slice's mask again, and not where it does not", async () => {
  const trust = (result: SliceResult) =>
    trustOf(model, images, { slice: 6, result }, source);
  assert.equal(await trust(middle), 1);
  // stripes: nothing that a network would draw
  const stripes = ndarray(new Uint8Array(56 * 56), [56, 56]);
  for (let i = 0; i < 24 * 24; i += 2) {
    stripes.set(16 + Math.floor(i / 24), 16 + i % 24, 1);
  }
  const strange = resultOf(maskMap(stripes), [56, 56], stripes);
  const little = await trust(strange);
  assert.ok(little < 1, `${little}`);
  assert.equal(await trust(strange), little);

  // nobody believes it: the mask moved along decides
  const seen = await step(model, images, stepped(1), source);
  const doubted = await step(model, images, stepped(1), {
    ...source,
    trust: 0,
  });
  assert.notDeepEqual(doubted.bytes, seen.bytes);
  assert.ok(dice(unpackMask(doubted.mask), truth(7)) > 0.85);
});
