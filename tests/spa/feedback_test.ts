/** From the user's pixels to the network's inputs, and back. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  addChoice,
  type Choice,
  clippedLogit,
  type Feedback,
  mapOf,
  moveChoices,
  packFeedback,
} from "../../src/spa/feedback.ts";
import { choiceLogLikelihood } from "../../src/spa/feedback_likelihood.ts";
import {
  frameOf,
  mapToImage,
  maskToImage,
  scalesOf,
} from "../../src/spa/frame.ts";
import { close } from "../helpers/close.ts";
import { bytesHeld } from "../helpers/garbage.ts";
import { normals, smallConfig, withDecoder } from "../helpers/small_model.ts"; // S = 32, maps of 16 x 16

const square = frameOf(32, 32, 32);
const map = (value: (i: number) => number) =>
  ndarray(Float32Array.from({ length: 256 }, (_, i) => value(i)), [16, 16]);

Deno.test("frameOf() scales the longer side to the square's", () => {
  assert.deepEqual(frameOf(50, 100, 64), {
    height: 50,
    width: 100,
    region: { left: -0.5, top: -0.5, right: 99.5, bottom: 99.5 },
    scaledHeight: 32,
    scaledWidth: 64,
    side: 64,
  });
  assert.equal(frameOf(100, 50, 64).scaledWidth, 32);
  assert.equal(frameOf(1, 1000, 64).scaledHeight, 1);
  assert.deepEqual(scalesOf(frameOf(32, 16, 64)), { x: 2, y: 2 });
  // 18.72 rows are drawn as 19
  assert.deepEqual(scalesOf(frameOf(39, 100, 48)), { x: 0.48, y: 19 / 39 });
});

Deno.test("what is drawn of an image comes back to where it was", () => {
  // a step edge halfway down an image whose sides are rounded in the square
  for (const [height, width, side] of [[60, 1000, 128], [40, 3000, 128]]) {
    const frame = frameOf(height, width, side);
    const map = ndarray(new Float32Array(side * side), [side, side]);
    for (let y = 0; y < side; y++) {
      const value = y < frame.scaledHeight / 2 ? 1 : 0;
      for (let x = 0; x < side; x++) map.set(y, x, value);
    }
    const back = mapToImage(map, frame);
    const inside = Array.from({ length: height }, (_, y) => back.get(y, 0));
    const count = inside.filter((value) => value >= 0.5).length;
    assert.equal(count, height / 2);
  }
});

Deno.test("mapToImage() reads the map's part that the image covers", () => {
  // a map as fine as the image of 2 x 4 in its square of 4 x 4
  const data = ndarray(Float32Array.from({ length: 16 }, (_, i) => i), [4, 4]);
  const wide = mapToImage(data, frameOf(2, 4, 8));
  assert.deepEqual(wide.shape, [2, 4]);
  close(wide.data, [0, 1, 2, 3, 4, 5, 6, 7]);
  const tall = mapToImage(data, frameOf(4, 2, 8));
  assert.deepEqual(tall.shape, [4, 2]);
  close(tall.data, [0, 1, 4, 5, 8, 9, 12, 13]);
});

Deno.test("mapToImage() interpolates where the image is finer, edges repeated", () => {
  const row = ndarray(
    Float32Array.from({ length: 16 }, (_, i) => i % 4),
    [4, 4],
  );
  // 8 pixels over 4: centers -.25, .25, .75 ... of the map
  const fine = mapToImage(row, frameOf(2, 8, 32));
  assert.deepEqual(fine.shape, [2, 8]);
  const expected = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3];
  close(fine.data, [...expected, ...expected]);
  const turned = ndarray(
    Float32Array.from({ length: 16 }, (_, i) => Math.floor(i / 4)),
    [4, 4],
  );
  close(
    mapToImage(turned, frameOf(8, 2, 32)).data,
    expected.flatMap((v) => [v, v]),
  );
});

Deno.test("mapToImage() interpolates where the image is coarser", () => {
  const row = ndarray(
    Float32Array.from({ length: 16 }, (_, i) => (i % 4) ** 2),
    [4, 4],
  );
  // 2 pixels over 4: centers .5 and 2.5 of the map: (0 + 1) / 2, (4 + 9) / 2
  close(mapToImage(row, frameOf(1, 2, 4)).data, [0.5, 6.5]);
});

Deno.test("maskToImage() is where mapToImage() is at least one half", () => {
  for (const [height, width] of [[32, 32], [7, 20], [50, 9]]) {
    const map = ndarray(normals([8, 8], height).map((v) => 0.5 + v), [8, 8]);
    const frame = frameOf(height, width, 32);
    const mask = maskToImage(map, frame);
    assert.deepEqual(mask.shape, [height, width]);
    assert.deepEqual(
      [...mask.data],
      Array.from(mapToImage(map, frame).data, (v) => v >= 0.5 ? 1 : 0),
    );
    assert.ok(mask.data.includes(0) && mask.data.includes(1));
  }
});

Deno.test("packFeedback() puts a click in the first slot, SAM's padding point after it", () => {
  const { points, labels, mask, hasMask, choice } = packFeedback(smallConfig, [
    { points: [{ x: 3, y: 7 }], choices: [], frame: square },
  ]);
  assert.deepEqual(points.shape, [1, 2, 2]);
  assert.deepEqual([...points.data], [3, 7, 0, 0]);
  assert.deepEqual([...labels.data], [1, -1]);
  assert.deepEqual(mask.shape, [1, 16, 16, 4]);
  assert.ok(mask.data.every((value) => value === 0));
  assert.deepEqual([...hasMask.data], [0]);
  assert.deepEqual(choice.shape, [1, 16, 16]);
});

Deno.test("packFeedback() scales points from the image to the square", () => {
  // 64 x 16 pixels in a square of 32: half as large
  const { points, labels } = packFeedback(smallConfig, [{
    points: [{ x: 10, y: 50 }, { x: 5, y: 6, label: 0 }],
    box: { left: 2, top: 4, right: 12, bottom: 60 },
    choices: [],
    frame: frameOf(64, 16, 32),
  }]);
  assert.deepEqual([...points.data], [5, 25, 2.5, 3, 1, 2, 6, 30]);
  assert.deepEqual([...labels.data], [1, 0, 2, 3]); // a box needs no padding
});

Deno.test("packFeedback() has 2, 4, 8 slots, the fewest that hold all points", () => {
  const slots = (count: number, box = false) =>
    packFeedback(smallConfig, [{
      points: Array.from({ length: count }, (_, i) => ({ x: i, y: i })),
      ...(box ? { box: { left: 0, top: 0, right: 9, bottom: 9 } } : {}),
      choices: [],
      frame: square,
    }]).points.shape[1];
  assert.deepEqual([1, 2, 3, 4, 7, 8].map((n) => slots(n)), [
    2,
    4,
    4,
    8,
    8,
    16,
  ]);
  assert.deepEqual([0, 2, 3].map((n) => slots(n, true)), [2, 4, 8]);
});

Deno.test("packFeedback() gives a batch as many slots as its longest needs", () => {
  const user = (count: number): Feedback => ({
    points: Array.from({ length: count }, (_, x) => ({ x, y: 2 })),
    choices: [],
    frame: square,
  });
  const { labels } = packFeedback(smallConfig, [user(1), user(5)]);
  assert.deepEqual(labels.shape, [2, 8]);
  // deno-fmt-ignore
  assert.deepEqual([...labels.data], [
    1, -1, -2, -2, -2, -2, -2, -2,
    1, 1, 1, 1, 1, -1, -2, -2,
  ]);
});

Deno.test("packFeedback() takes a click that is repeated once", () => {
  const [a, b] = [{ x: 3, y: 2 }, { x: 9, y: 9, label: 0 as const }];
  const pack = (...points: Feedback["points"]) =>
    packFeedback(smallConfig, [{ points, choices: [], frame: square }]);
  assert.deepEqual(pack(a, b, { ...a, label: 1 }, b), pack(a, b));
  const opposite = pack(a, { ...a, label: 0 }); // another click
  assert.deepEqual([...opposite.labels.data], [1, 0, -1, -2]);
});

Deno.test("packFeedback() draws clicks as bumps two pixels wide, negative ones downwards", () => {
  const { clicks } = packFeedback(smallConfig, [{
    // the center of the map's pixel (c, r) lies at (2c + .5, 2r + .5)
    points: [{ x: 8.5, y: 20.5 }, { x: 22.5, y: 4.5, label: 0 }],
    choices: [],
    frame: square,
  }]);
  const at = (column: number, row: number) => clicks.data[16 * row + column];
  close([at(4, 10)], [1], 1e-4);
  close([at(6, 10), at(4, 12)], [Math.exp(-0.5), Math.exp(-0.5)], 1e-4);
  close([at(11, 2), at(11, 4)], [-1, -Math.exp(-0.5)], 1e-4);
  close([at(15, 15)], [0], 1e-6);
});

Deno.test("packFeedback() draws a click of a scaled image where the image is", () => {
  // 8 x 8 pixels in a square of 32: each covers 2 x 2 of the map's pixels, so
  // the center of pixel (2, 5) is where (4, 10), (5, 10), (4, 11), (5, 11) meet
  const { clicks } = packFeedback(smallConfig, [{
    points: [{ x: 2, y: 5 }],
    choices: [],
    frame: frameOf(8, 8, 32),
  }]);
  const expected = Math.exp(-(0.5 ** 2 + 0.5 ** 2) / 8);
  for (const pixel of [10 * 16 + 4, 10 * 16 + 5, 11 * 16 + 4, 11 * 16 + 5]) {
    close([clicks.data[pixel]], [expected], 1e-6);
  }
});

Deno.test("packFeedback() draws a box as a bump at its center", () => {
  const { clicks } = packFeedback(smallConfig, [{
    points: [],
    box: { left: 4.5, top: 10.5, right: 12.5, bottom: 30.5 },
    choices: [],
    frame: square,
  }]);
  close([clicks.data[10 * 16 + 4]], [1], 1e-4);
});

Deno.test("packFeedback() gives the choice as clipped logits and its differences", () => {
  const recommended = map(() => 0.25);
  const shown = [map((i) => i === 0 ? 0 : 0.5), map(() => 1), map(() => 0.6)];
  const { mask, choice, hasMask } = packFeedback(smallConfig, [
    {
      points: [{ x: 1, y: 1 }],
      choices: [
        { recommended, candidates: [map(() => 0.125)], chosen: 0 },
        { recommended, candidates: shown, chosen: 0 },
      ],
      frame: square,
    },
    { points: [{ x: 1, y: 1 }], choices: [], frame: square },
  ]);
  assert.deepEqual([...hasMask.data], [1, 0]);
  // p is clipped to .02: log(.02 / .98)
  close([choice.data[0], choice.data[1]], [-3.8918203, 0], 1e-6);
  close([...mask.data.subarray(0, 8)], [
    ...[-3.8918203 / 4, 2 * (0 - 0.25), 0.125, 2 * (0 - 0.8)],
    ...[0, 2 * (0.5 - 0.25), 0.125, 2 * (0.5 - 0.8)],
  ]);
  assert.ok(mask.data.subarray(4 * 256).every((value) => value === 0));
});

Deno.test("packFeedback() averages maps of twice the prompt's side, and keeps the choice's own", () => {
  const fine = (at: (row: number, column: number) => number) =>
    mapOf(
      Float32Array.from(
        { length: 32 * 32 },
        (_, i) => at(Math.floor(i / 32), i % 32),
      ),
      32,
    );
  // in each block of 2 x 2 one pixel of 1 and three of 0.2: a mean of 0.4
  const picked = fine((row, column) => row % 2 && column % 2 ? 1 : 0.2);
  // the block's row and column
  const recommended = fine((row, column) =>
    Math.floor(row / 2) / 16 + Math.floor(column / 2) / 256
  );
  const { mask, clicks, choice } = packFeedback(
    withDecoder({ lastUpscaling: 4 }),
    [{
      points: [{ x: 8.5, y: 20.5 }],
      choices: [{ recommended, candidates: [picked], chosen: 0 }],
      frame: square,
    }],
  );
  assert.deepEqual(mask.shape, [1, 16, 16, 4]);
  close([mask.data[0]], [Math.log(0.4 / 0.6) / 4], 1e-6);
  const expected = Array.from({ length: 256 }, (_, i) => 2 * (0.4 - i / 256));
  close(mask.data.filter((_, i) => i % 4 === 1), expected, 1e-6);
  assert.deepEqual(clicks.shape, [1, 16, 16, 1]);
  close([clicks.data[10 * 16 + 4]], [1], 0.05);
  assert.deepEqual(choice.shape, [1, 32, 32]);
  close(
    [choice.data[0], choice.data[33]],
    [-Math.log(4), Math.log(49)],
    1e-6,
  );
});

Deno.test("packFeedback() compares a lone candidate with nothing", () => {
  const { mask } = packFeedback(smallConfig, [{
    points: [{ x: 1, y: 1 }],
    choices: [{
      recommended: map(() => 0.5),
      candidates: [map(() => 0.5)],
      chosen: 0,
    }],
    frame: square,
  }]);
  assert.ok(mask.data.every((value) => value === 0)); // and never NaN
});

Deno.test("clippedLogit() is the log odds, at most those of 98 to 2", () => {
  close(
    [0.5, 0.75, 0.25, 0, 1].map((p) => clippedLogit(p)),
    [0, Math.log(3), -Math.log(3), -Math.log(49), Math.log(49)],
    1e-9,
  );
});

/** A choice of maps with sides of n. */
function choiceOf(n: number, seed: number): Choice {
  const waves = (k: number) =>
    ndarray(
      Float32Array.from(
        { length: n * n },
        (_, i) => (i * (7 * k + 3) + seed) % 100 / 99,
      ),
      [n, n],
    );
  const candidates = [1, 2, 3, 4].map(waves);
  return { recommended: waves(0), candidates, chosen: seed % 4 };
}

Deno.test("addChoice() keeps the last two choices, and of older ones the masks alone", () => {
  const made = [0, 1, 2, 3].map((seed) => choiceOf(16, seed));
  made[1] = { ...made[1], weight: 0.5 };
  const choices = made.reduce<readonly Choice[]>(addChoice, []);
  assert.deepEqual(choices.slice(2), made.slice(2));
  for (const t of [0, 1]) {
    assert.equal(choices[t].chosen, made[t].chosen);
    assert.equal(choices[t].weight, made[t].weight);
    choices[t].candidates.forEach(({ data, shape }, k) => {
      assert.deepEqual(shape, [16, 16]);
      const masks = made[t].candidates[k].data.map((p) => p >= 0.5 ? 1 : 0);
      assert.deepEqual(data, masks);
    });
  }
  // what the network sees is the same, and how likely samples are as well
  const feedback = { points: [], frame: square };
  assert.deepEqual(
    packFeedback(smallConfig, [{ ...feedback, choices }]),
    packFeedback(smallConfig, [{ ...feedback, choices: made }]),
  );
  const maps = normals([2 * 256], 5).map((x) => 1 / (1 + Math.exp(-x)));
  assert.deepEqual(
    choiceLogLikelihood(maps, 2, choices),
    choiceLogLikelihood(maps, 2, made),
  );
});

Deno.test("a choice of the largest maps costs less than 100 KB, moved to another region too", async () => {
  let choices: readonly Choice[] = [];
  const go = (first: number, last: number) => {
    for (let i = first; i < last; i++) {
      choices = addChoice(choices, choiceOf(256, i));
    }
    choices = moveChoices(choices, (map) => map);
  };
  go(0, 5);
  const before = await bytesHeld();
  go(5, 15);
  const grown = (await bytesHeld() - before) / 10;
  assert.ok(grown < 100_000, `${grown} bytes per choice`);
  assert.equal(choices.length, 15);
});
