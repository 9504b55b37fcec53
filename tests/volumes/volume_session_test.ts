import assert from "node:assert/strict";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import type { VolumeSessionOptions } from "../../src/volumes/volume_actions.ts";
import { acquisitionAxis } from "../../src/volumes/volume_identity.ts";
import { VolumeSession } from "../../src/volumes/volume_session.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";

await useEngine("auto", { threads: 1 });
const model = await loadModel("tiny");
const { volume } = ellipsoidVolume();
const start = (options: Partial<VolumeSessionOptions> = {}) =>
  VolumeSession.start(model, volume, {
    slice: 6,
    points: [{ x: 27, y: 28 }],
    samples: 12,
    variations: 0,
    ...options,
  });

Deno.test("a volume session begins in one slice, and the others follow when it walks", async () => {
  using session = await start();
  assert.deepEqual(session.aligned, [6]);
  const own = session.areas[6];
  assert.ok(own > 100);
  assert.deepEqual(session.areas.filter((area) => area > 0), [own]);
  await session.apply({ kind: "choose", candidate: 0 });
  const seen: number[] = [];
  const done = await session.propagate({
    onProgress: ({ slice }) => seen.push(slice),
  });
  assert.equal(done, seen.length);
  assert.deepEqual(seen.slice(0, 4), [7, 5, 8, 4]); // both ways at once
  assert.ok(session.areas[5] > 50 && session.areas[7] > 50);
  assert.equal(session.slicesLeft, 0);
  assert.equal(await session.propagate(), 0); // nothing is left to look at
  // the mask lies on the volume's voxels
  assert.deepEqual(session.mask.shape, [12, 56, 56]);
  const sum = (data: Iterable<number>) => [...data].reduce((a, b) => a + b, 0);
  assert.equal(sum(session.mask.data), sum(session.areas));
  assert.equal(sum(session.sliceMask(5).data), session.areas[5]);
});

Deno.test("everything can be taken back, and done again to the same masks", async () => {
  using session = await start();
  const states: string[] = [];
  const remember = () =>
    states.push(
      JSON.stringify([session.slice, session.aligned, session.areas]),
    );
  remember();
  await session.apply({ kind: "choose", candidate: 1 });
  remember();
  await session.propagate();
  remember();
  const shown = session.suggestions.find(({ slice }) => session.areas[slice]);
  await session.go(shown!.slice);
  remember();
  await session.apply({ kind: "choose", candidate: 0 });
  remember();
  await session.apply({ kind: "absent" });
  remember();
  const last = JSON.stringify(session);
  while (states.length > 1) {
    states.pop();
    await session.undo();
    const now = [session.slice, session.aligned, session.areas];
    assert.equal(JSON.stringify(now), states.at(-1));
  }
  assert.equal(session.canUndo, false);
  await assert.rejects(session.undo(), /Cannot undo/);
  // forth again without a new walk, step by step and at once
  const { steps, done, slices } = session.history;
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ["choose", "propagate", "go", "choose", "absent"],
  );
  assert.equal(done, 0);
  assert.deepEqual(slices, [6, 6, 6, ...Array(3).fill(shown!.slice)]);
  await session.redo();
  assert.equal(session.history.done, 1);
  await session.jumpTo(5);
  assert.equal(JSON.stringify(session), last);
  assert.equal(session.proposal, undefined); // it is not here
  await assert.rejects(session.redo(), /Cannot redo/);
  await assert.rejects(session.jumpTo(6), /0\.\.5: current value is 6/);
  // another step ends what can be done again
  await session.jumpTo(1);
  await session.apply({ kind: "choose", candidate: 0 });
  assert.equal(session.canRedo, false);
  assert.equal(session.history.steps.length, 2);
  using again = await VolumeSession.replay(model, volume, JSON.parse(last));
  assert.equal(JSON.stringify(again), last);
});

Deno.test("an interrupted walk keeps what is done, and goes on from there", async () => {
  using whole = await start();
  await whole.propagate();
  using session = await start();
  const controller = new AbortController();
  const done = await session.propagate({
    signal: controller.signal,
    onProgress: ({ done }) => done === 2 && controller.abort(),
  });
  assert.equal(done, 2);
  assert.deepEqual(session.areas.slice(5, 8), whole.areas.slice(5, 8));
  assert.equal(session.areas[8], 0);
  assert.ok(session.slicesLeft > 0);
  // an interrupted walk is replayed as it was
  const saved = JSON.parse(JSON.stringify(session));
  using again = await VolumeSession.replay(model, volume, saved);
  assert.deepEqual(again.areas, session.areas);
  await session.propagate();
  assert.deepEqual(session.areas, whole.areas);
  // and so it is when every slice is asked for by itself
  using slow = await start();
  while (await slow.propagate({ steps: 1 })) assert.ok(slow.history.done < 12);
  assert.deepEqual(slow.mask.data, whole.mask.data);
});

Deno.test("between two aligned slices walks from both are blended, and what lies beyond stays", async () => {
  using session = await start();
  await session.propagate();
  const before = session.areas;
  await session.go(8);
  await session.apply({ kind: "choose", candidate: 0 });
  assert.deepEqual(session.aligned, [6, 8]);
  assert.equal(session.areas[7], 0); // to be walked again
  assert.deepEqual(session.areas.slice(0, 6), before.slice(0, 6));
  await session.propagate();
  const doubts = session.suggestions.find(({ slice }) => slice === 7)?.doubts;
  assert.ok(doubts === undefined || doubts.includes("walks disagree"));
  assert.ok(session.areas[7] > 0);
  assert.deepEqual(session.areas.slice(0, 6), before.slice(0, 6));
});

Deno.test("a walk stops at a slice without the object, and a click begins beyond it", async () => {
  using session = await start();
  await session.go(8);
  await session.apply({ kind: "absent" });
  await session.propagate();
  assert.equal(session.areas[8], 0);
  assert.ok(session.areas[7] > 0);
  assert.ok(session.areas.slice(9).every((area) => area === 0));
  await session.go(9);
  assert.equal(session.proposal, undefined);
  await assert.rejects(
    session.apply({ kind: "choose", candidate: 0 }),
    /slice 9 must show the object: click on it first/,
  );
  await session.apply({ kind: "click", point: { x: 29, y: 28 } });
  assert.ok(session.areas[9] > 0);
  assert.deepEqual(session.aligned, [6, 8, 9]);
});

Deno.test("a volume session names what is wrong with what it was given", async () => {
  const refuse = async (options: unknown, message: RegExp) =>
    await assert.rejects(
      start(options as Partial<VolumeSessionOptions>),
      message,
    );
  await refuse({ slice: 12 }, /in 0\.\.11: current value is 12/);
  await refuse({ slize: 3 }, /did you mean "slice"/);
  await refuse({ points: [] }, /a positive point, a box or a mask/);
  await refuse({ points: [{ x: 56, y: 3 }] }, /x in 0\.\.55/);
  await refuse({ window: [5000, 6000] }, /slice 6, is the same everywhere/);
  using session = await start();
  await assert.rejects(session.go(-1), /current value is -1/);
  await assert.rejects(
    session.apply({ kind: "accept", candidate: 9 }),
    /one of those shown, 0\.\.[0-3]: current value is 9/,
  );
  const saved = JSON.parse(JSON.stringify(session));
  const replay = (changed: object) =>
    VolumeSession.replay(model, volume, { ...saved, ...changed });
  await assert.rejects(replay({ version: 2 }), /version 1: current value/);
  await assert.rejects(replay({ volume: "0" }), /the one it was saved of/);
  await assert.rejects(replay({ mask: "0" }), /the mask it was saved with/);
});

Deno.test("steps of a volume session do not overlap, and none follows dispose()", async () => {
  const session = await start();
  const walk = session.propagate();
  await assert.rejects(session.go(3), /the step before must be done/);
  await walk;
  session.dispose();
  await assert.rejects(session.go(3), /must not be disposed/);
});

Deno.test("acquisitionAxis() is along which slices lie farthest apart, else the slowest stored", () => {
  const axisOf = (spacing: [number, number, number], axes: number[]) =>
    acquisitionAxis({
      ...volume,
      spacing,
      layout: { ...volume.layout, axes: axes as [number, number, number] },
    });
  assert.equal(axisOf([1, 1, 3], [2, 1, 0]), 2);
  assert.equal(axisOf([6.5, 0.7, 0.7], [2, 1, 0]), 0);
  assert.equal(axisOf([1, 1.1, 1], [2, 1, 0]), 0); // too near to tell
  assert.equal(axisOf([1, 1, 1], [1, 2, 0]), 1);
});
