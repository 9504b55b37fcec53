import assert from "node:assert/strict";
import ndarray from "ndarray";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import type { Volume } from "../../src/formats/volume.ts";
import { VolumeSession } from "../../src/volumes/volume_session.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";

await useEngine("auto", { threads: 1 });
const model = await loadModel("tiny");
const { volume } = ellipsoidVolume();
const [D, H, W] = volume.values.shape;
const start = (changed: Partial<Volume>, options = {}) =>
  VolumeSession.start(model, { ...volume, ...changed }, {
    slice: 6,
    points: [{ x: 27, y: 28 }],
    samples: 8,
    variations: 0,
    ...options,
  });

/** The volume with some voxels changed, by slice, row and column. */
function changed(value: (z: number, y: number, x: number) => number | void) {
  const data = Float32Array.from(volume.values.data);
  data.forEach((_, i) => {
    const z = Math.floor(i / (H * W)), y = Math.floor(i / W) % H, x = i % W;
    const other = value(z, y, x);
    if (other !== undefined) data[i] = other;
  });
  return { values: ndarray(data, [D, H, W, 1]) };
}

Deno.test("a volume of one slice is aligned, and there is nowhere to walk", async () => {
  const data = Float32Array.from(
    volume.values.data.slice(6 * H * W, 7 * H * W),
  );
  using session = await start({ values: ndarray(data, [1, H, W, 1]) }, {
    slice: 0,
  });
  assert.equal(session.axis, 0);
  assert.equal(await session.propagate(), 0);
  assert.ok(session.areas[0] > 50);
  assert.deepEqual(session.suggestions, []);
});

Deno.test("slices that show nothing are stepped over, two in a row at most", async () => {
  using one = await start(changed((z) => z === 7 ? 0 : undefined));
  await one.propagate();
  assert.ok(one.areas[7] > 0 && one.areas[8] > 0);
  const doubts = one.suggestions.find(({ slice }) => slice === 7)?.doubts;
  assert.ok(doubts?.includes("no image"));
  using three = await start(changed((z) => z >= 7 && z <= 9 ? 0 : undefined));
  await three.propagate();
  assert.deepEqual(three.areas.slice(9), [0, 0, 0]);
});

Deno.test("borders without a number are black, and the object is found all the same", async () => {
  using plain = await start({});
  const border = changed((_, y, x) =>
    Math.min(y, x, H - 1 - y, W - 1 - x) < 4 ? NaN : undefined
  );
  using session = await start(border);
  await session.propagate();
  assert.ok(session.image(6).data.every((value) => Number.isFinite(value)));
  assert.ok(session.areas[6] > 0.7 * plain.areas[6]);
  assert.ok(session.areas[5] > 0 && session.areas[7] > 0);
});

Deno.test("slices ten times as thick as pixels are wide are the ones that are aligned", async () => {
  using session = await start({ spacing: [10, 1, 1] });
  assert.equal(session.axis, 0);
  await session.propagate();
  assert.ok(session.areas[7] > 0);
});

Deno.test("a volume of several channels that are no colors needs one of them", async () => {
  const data = new Float32Array(2 * volume.values.size);
  (volume.values.data as Float32Array).forEach((value, i) => {
    data[2 * i] = value;
  });
  const values = ndarray(data, [D, H, W, 2]);
  await assert.rejects(
    start({ values }),
    /needs the option channels, one of 0\.\.1 or three: current value is 2 channels \(4-D\)/,
  );
  using session = await start({ values }, { channels: [0] });
  assert.ok(session.areas[6] > 50);
});

Deno.test("a slice without a number is one that shows nothing, and a volume without one is refused", async () => {
  using session = await start(changed((z) => z === 7 ? NaN : undefined));
  await session.propagate();
  assert.ok(session.areas[7] > 0 && session.areas[8] > 0);
  const doubts = session.suggestions.find(({ slice }) => slice === 7)?.doubts;
  assert.ok(doubts?.includes("no image"));
  await assert.rejects(
    start(changed(() => NaN)),
    /the slice must show something: current value, slice 6, is the same everywhere/,
  );
});

Deno.test("pixels ten times as long as wide are aligned where their plane is asked for", async () => {
  const spacing: [number, number, number] = [1, 10, 1];
  using session = await start({ spacing }, { axis: 0 });
  await session.propagate();
  assert.ok(session.areas[5] > 0 && session.areas[7] > 0);
  // else slices are taken along the longest side of a voxel
  using other = await start({ spacing }, {
    slice: 28,
    points: [{ x: 27, y: 6 }],
  });
  assert.equal(other.axis, 1);
  assert.equal(other.depth, H);
});
