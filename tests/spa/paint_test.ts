import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../../src/arrays/contiguous.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import type { Stroke } from "../../src/spa/feedback.ts";
import { paintMask } from "../../src/spa/paint.ts";
import { Session } from "../../src/spa/session.ts";
import {
  discImage,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });
const start = () =>
  Session.start(model, image, { points: [{ x: 12, y: 9 }], seed: 3 });

/** A mask as rows of text. */
function rows(mask: ndarray.NdArray<Uint8Array>): string[] {
  const [height, width] = mask.shape;
  return Array.from(
    { length: height },
    (_, y) =>
      Array.from({ length: width }, (_, x) => mask.get(y, x) ? "#" : ".").join(
        "",
      ),
  );
}

Deno.test("a stroke paints the pixels whose centers are as near as its radius", () => {
  const empty = ndarray(new Uint8Array(35), [5, 7]);
  const dot = { label: 1, radius: 0.5, path: [{ x: 3, y: 2 }] } as const;
  assert.deepEqual(rows(paintMask(empty, [dot])), [
    ".......",
    ".......",
    "...#...",
    ".......",
    ".......",
  ]);
  const line: Stroke = {
    label: 1,
    radius: 1,
    path: [{ x: 1, y: 2 }, { x: 4, y: 2 }],
  };
  const hole: Stroke = { label: 0, radius: 0.5, path: [{ x: 2, y: 2 }] };
  assert.deepEqual(rows(paintMask(empty, [line, hole])), [
    ".......",
    ".####..",
    "##.###.",
    ".####..",
    ".......",
  ]);
  assert.deepEqual(rows(empty).join(""), ".".repeat(35)); // a new mask
  assert.equal(paintMask(empty, [hole, line]).get(2, 2), 1); // the last on top
});

Deno.test("a stroke at the edge, or of a mask that is a part of another, is cut", () => {
  const large = ndarray(new Uint8Array(100), [10, 10]);
  const part = large.lo(2, 3).hi(3, 4);
  const corner: Stroke = { label: 1, radius: 1.5, path: [{ x: 3, y: 2 }] };
  assert.deepEqual(rows(paintMask(part, [corner])), ["....", "..##", "..##"]);
});

Deno.test("what is no stroke is refused by name", async () => {
  const good: Stroke = { label: 1, radius: 2, path: [{ x: 3, y: 3 }] };
  using session = await start();
  const { proposal } = session;
  const bad: [object, RegExp][] = [
    [
      { label: 2 },
      /label must be 1, inside, or 0, outside.*: current value is 2/,
    ],
    [{ radius: 0 }, /radius must be .* > 0 and <= 28: current value is 0/],
    [{ radius: NaN }, /radius/],
    [{ radius: 29 }, /radius/],
    [{ path: [] }, /path must have 1 to 10000 places: current value is 0/],
    [{ path: undefined }, /path must have 1 to 10000 places/],
    [{ path: [{ x: 28, y: 3 }] }, /x in 0..27 and y in 0..19: .* \(28, 3\)/],
    [{ path: [{ x: 3, y: NaN }] }, /\(3, NaN\)/],
  ];
  for (const [change, message] of bad) {
    const stroke = { ...good, ...change } as Stroke;
    await assert.rejects(session.paint(stroke), {
      name: "RangeError",
      message,
    });
  }
  assert.equal(session.proposal, proposal);
  assert.equal(session.canUndo, false);
});

Deno.test("strokes are on every mask from then on, and the network does not learn of them", async () => {
  using session = await start();
  using plain = await start();
  const brush: Stroke = {
    label: 1,
    radius: 1.5,
    path: [{ x: 2, y: 17 }, { x: 6, y: 17 }],
  };
  const eraser: Stroke = { label: 0, radius: 2, path: [{ x: 12, y: 9 }] };
  const before = session.preference;
  await session.paint(brush);
  await session.paint(eraser);
  assert.equal(session.preference, before);
  for (const choice of [undefined, 1, 0]) {
    if (choice !== undefined) {
      await session.choose(choice);
      await plain.choose(choice);
    }
    const { recommended, candidates } = session.proposal;
    const others = [plain.proposal.recommended, ...plain.proposal.candidates];
    [recommended, ...candidates].forEach(({ mask, probability }, i) => {
      const { data } = paintMask(others[i].mask, [brush, eraser]);
      assert.deepEqual(mask.data, data);
      assert.deepEqual(probability, others[i].probability);
    });
    for (const { mask, added, removed } of candidates) {
      const { data } = contiguous(recommended.mask);
      contiguous(mask).data.forEach((value, i) =>
        assert.equal(value, data[i] + added.data[i] - removed.data[i])
      );
      assert.equal(added.get(17, 4) + removed.get(17, 4), 0);
    }
    assert.equal(session.mask.get(17, 4), 1);
    assert.equal(session.mask.get(9, 12), 0);
  }
  assert.equal(session.accept(1), session.proposal.candidates[1].mask);
});

Deno.test("strokes are undone, done again, saved and replayed like any step", async () => {
  using session = await start();
  const masks = [session.mask.data];
  const keep = () => masks.push(session.mask.data);
  await session.paint({ label: 1, radius: 3, path: [{ x: 3, y: 15 }] });
  keep();
  await session.choose(0);
  keep();
  await session.addPoint({ x: 20, y: 4, label: 0 });
  keep();
  await session.apply({
    kind: "paint",
    ...{ label: 0, radius: 1, path: [{ x: 12, y: 9 }] },
  });
  keep();
  const saved = JSON.parse(JSON.stringify(session));
  assert.deepEqual(saved.actions.map(({ kind }: { kind: string }) => kind), [
    "paint",
    "choose",
    "click",
    "paint",
  ]);
  using again = await Session.replay(model, image, saved);
  assert.deepEqual(again.mask.data, masks[4]);

  for (const k of [3, 2, 1, 0]) {
    await session.undo();
    assert.deepEqual(session.mask.data, masks[k], `undone to ${k}`);
  }
  for (const k of [1, 2, 3, 4]) {
    await session.apply({ kind: "redo" });
    assert.deepEqual(session.mask.data, masks[k], `done again to ${k}`);
  }
  for (const k of [0, 3, 3, 1, 4, 2]) {
    await session.apply({ kind: "jump", step: k });
    assert.deepEqual(session.mask.data, masks[k], `jumped to ${k}`);
    const { steps, done } = session.history;
    assert.deepEqual(steps, saved.actions);
    assert.equal(done, k);
    assert.equal(session.canUndo, k > 0);
    assert.equal(session.canRedo, k < 4);
    assert.equal(session.toJSON().actions.length, k);
  }
});

Deno.test("another step ends what can be done again", async () => {
  using session = await start();
  await session.choose(0);
  await session.choose(1);
  await session.jumpTo(0);
  await session.paint({ label: 1, radius: 1, path: [{ x: 3, y: 3 }] });
  assert.equal(session.canRedo, false);
  assert.deepEqual(session.history.steps.length, 1);
  await assert.rejects(
    session.redo(),
    new RangeError(
      "Cannot redo as there must be an undone step: current value is 0",
    ),
  );
  for (const step of [-1, 2, 0.5, NaN]) {
    await assert.rejects(
      session.jumpTo(step),
      new RangeError(
        `Cannot jump as the step must be one of the history, 0..1: current value is ${step}`,
      ),
    );
  }
});
