import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom } from "../../src/random.ts";
import {
  drawPlacement,
  drawRegion,
  drawStyle,
  placeImage,
  placeMask,
  type Placement,
  type Style,
} from "../../src/training/augment.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import { discMask, smallConfig } from "../helpers/small_model.ts"; // S = 32, 4h = 16

/** The placement that changes nothing. */
function identity(height: number, width: number): Placement {
  const longer = Math.max(height, width);
  return {
    x: [longer, 0, (width - 1) / 2],
    y: [0, longer, (height - 1) / 2],
    contrast: 1,
    brightness: 0,
  };
}

/** A mask of random blobs, [side, side]. */
function blobs(side: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from(
    { length: side * side },
    () => Number(random.uniform() < 0.5),
  );
}

const threshold = (map: Float32Array) =>
  Uint8Array.from(map, (value) => Number(value >= 0.5));

const { pixelMean, pixelDeviation } = smallConfig;

Deno.test("placeImage() reproduces an image of the square's size, normalized", () => {
  const random = createRandom(1);
  const values = Float32Array.from(
    { length: 32 * 32 * 3 },
    () => random.uniform(),
  );
  const placed = placeImage(
    ndarray(values, [32, 32, 3]),
    identity(32, 32),
    smallConfig,
  );
  const expected = values.map((value, i) =>
    (value - pixelMean[i % 3]) / pixelDeviation[i % 3]
  );
  assertClose(placed, expected, 1e-5);
});

Deno.test("placeImage() stretches intensities where the config does, as encode() will", () => {
  const values = Float32Array.from(
    { length: 32 * 32 },
    (_, i) => 0.2 + i / 4e3,
  );
  const place = (pixelScaling?: "min-max") =>
    placeImage(
      ndarray(values, [32, 32, 1]),
      identity(32, 32),
      { ...smallConfig, pixelScaling },
    ).filter((_, i) => i % 3 === 0)
      .map((value) => value * pixelDeviation[0] + pixelMean[0]);
  assertClose(place(), values, 1e-5);
  const stretched = values.map((_, i) => i / 1023);
  assertClose(place("min-max"), stretched, 1e-5);
});

Deno.test("placeImage() changes contrast about the middle, and brightness", () => {
  const gray = ndarray(new Float32Array(32 * 32).fill(0.7), [32, 32, 1]);
  const placed = placeImage(
    gray,
    { ...identity(32, 32), contrast: 2, brightness: 0.05 },
    smallConfig,
  );
  // 2 * (.7 - .5) + .5 + .05
  const expected = [0, 1, 2].map((c) =>
    (0.95 - pixelMean[c]) / pixelDeviation[c]
  );
  assertClose(placed.slice(0, 3), expected, 1e-5);
  assertClose(placed.slice(-3), expected, 1e-5);
});

Deno.test("placeImage() bends intensities below 0 as it does those above", () => {
  const values = new Float32Array(32 * 32).fill(0.25, 0, 512).fill(-0.25, 512);
  const placed = placeImage(
    ndarray(values, [32, 32, 1]),
    { ...identity(32, 32), gamma: 0.5 },
    smallConfig,
  );
  const expected = (value: number) =>
    [0, 1, 2].map((c) => (value - pixelMean[c]) / pixelDeviation[c]);
  assertClose(placed.slice(0, 3), expected(0.5), 1e-5);
  assertClose(placed.slice(-3), expected(-0.5), 1e-5);
});

Deno.test("placeImage() turns an image by a quarter, and mirrors it", () => {
  const random = createRandom(2);
  const values = Float32Array.from({ length: 32 * 32 }, () => random.uniform());
  const image = ndarray(values, [32, 32, 1]);
  const at = (placement: Placement) => {
    const placed = placeImage(image, placement, smallConfig);
    return (row: number, column: number) =>
      placed[(row * 32 + column) * 3] * pixelDeviation[0] + pixelMean[0];
  };
  // as drawPlacement has it: x = cos * flip * u - sin * v, y = sin * flip * u + cos * v
  const turned = at({
    ...identity(32, 32),
    x: [0, -32, 15.5],
    y: [32, 0, 15.5],
  });
  const mirrored = at({ ...identity(32, 32), x: [-32, 0, 15.5] });
  for (const [row, column] of [[0, 0], [3, 20], [31, 5]]) {
    assertClose([turned(row, column)], [image.get(column, 31 - row, 0)], 1e-5);
    assertClose(
      [mirrored(row, column)],
      [image.get(row, 31 - column, 0)],
      1e-5,
    );
  }
});

Deno.test("placeMask() reproduces a mask of the decoder's size", () => {
  for (let seed = 0; seed < 10; seed++) {
    const mask = blobs(16, seed);
    const map = placeMask(mask, 16, 16, identity(16, 16), smallConfig);
    assert.deepEqual(threshold(map), mask);
  }
});

Deno.test("placeMask() gives the covered share of each pixel", () => {
  // the left 12 of 32 columns: six of the decoder's 16, and 13 of 32: half more
  const map = (columns: number) => {
    const mask = Uint8Array.from(
      { length: 1024 },
      (_, i) => Number(i % 32 < columns),
    );
    return placeMask(mask, 32, 32, identity(32, 32), smallConfig)
      .slice(0, 16);
  };
  assertClose(map(12), [1, 1, 1, 1, 1, 1, ...new Array(10).fill(0)], 1e-6);
  assertClose(map(13), [1, 1, 1, 1, 1, 1, 0.5, ...new Array(9).fill(0)], 1e-6);
});

Deno.test("placeMask() leaves out what lies beside the image", () => {
  // an image of 16 x 32 lies in the middle of the square: 4 rows of 16 beside it
  const map = placeMask(
    new Uint8Array(16 * 32).fill(1),
    16,
    32,
    identity(16, 32),
    smallConfig,
  );
  const rows = Array.from({ length: 16 }, (_, row) => map[row * 16 + 7]);
  assertClose(rows, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0], 1e-6);
});

Deno.test("an image and its mask are moved alike, whatever is drawn", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = createRandom(seed, 1);
    const mask = discMask(40, 52, { x: 20, y: 24, radius: 9 });
    const image = ndarray(Float32Array.from(mask.data), [40, 52, 1]);
    const drawn = drawPlacement(random, 40, 52);
    const { x, y, waves } = drawn; // and nothing done to intensities
    const placement = { x, y, waves, contrast: 1, brightness: 0 };
    const pixels = placeImage(image, placement, smallConfig);
    const map = placeMask(
      mask.data as Uint8Array,
      40,
      52,
      placement,
      smallConfig,
    );
    let worst = 0;
    for (let i = 0; i < 256; i++) {
      const [row, column] = [2 * Math.floor(i / 16), 2 * (i % 16)];
      let mean = 0; // of the square's four pixels
      for (const at of [0, 1, 32, 33]) {
        const value = pixels[(row * 32 + column + at) * 3];
        mean += (value * pixelDeviation[0] + pixelMean[0]) / 4;
      }
      worst = Math.max(worst, Math.abs(mean - map[i]));
    }
    // where two pixels become one the image is averaged first, the mask is not
    const halved = Math.hypot(x[0], y[0]) >= 2 * 32;
    assert.ok(worst < (halved ? 0.2 : 1e-4), `seed ${seed}: ${worst}`);
  }
});

Deno.test("placeImage() bends intensities by gamma and adds seeded noise", () => {
  const image = ndarray(new Float32Array(32 * 32).fill(0.25), [32, 32, 1]);
  const base = drawPlacement(createRandom(1), 32, 32);
  const plain = { ...base, contrast: 1, brightness: 0, noise: undefined };
  const gray = (placement: typeof base) =>
    placeImage(image, placement, smallConfig)
      .filter((_, i) => i % 3 === 0)
      .map((v) => v * pixelDeviation[0] + pixelMean[0]);
  assertClose(gray({ ...plain, gamma: 0.5 }), Array(1024).fill(0.5), 1e-6);

  const noisy = { ...plain, gamma: 1, noise: { deviation: 0.02, seed: 4 } };
  const errors = gray(noisy).map((v) => v - 0.25);
  const deviation = Math.sqrt(errors.reduce((s, e) => s + e * e, 0) / 1024);
  assert.ok(Math.abs(deviation - 0.02) < 0.002, `${deviation}`);
  assert.deepEqual(gray(noisy), gray(noisy));
});

Deno.test("drawPlacement() mirrors half of the images, and turns to all four sides", () => {
  const random = createRandom(3);
  const turns = [0, 0, 0, 0];
  let mirrored = 0;
  const zooms: number[] = [];
  for (let i = 0; i < 4000; i++) {
    const { x, y } = drawPlacement(random, 64, 64);
    const determinant = x[0] * y[1] - x[1] * y[0];
    if (determinant < 0) mirrored++;
    zooms.push(Math.log(Math.sqrt(Math.abs(determinant)) / 64));
    const angle = Math.atan2(-x[1], y[1]) / (Math.PI / 2);
    turns[((Math.round(angle) % 4) + 4) % 4]++;
    assert.ok(Math.abs(x[2] - 31.5) <= 0.06 * 64);
    assert.ok(Math.abs(y[2] - 31.5) <= 0.06 * 64);
  }
  assert.ok(Math.abs(mirrored - 2000) < 130, `${mirrored} mirrored`);
  for (const count of turns) {
    assert.ok(Math.abs(count - 1000) < 110, `${turns}`);
  }
  const deviation = Math.sqrt(zooms.reduce((s, z) => s + z * z, 0) / 4000);
  assert.ok(Math.abs(deviation - 0.22) < 0.008, `${deviation}`);
});

/** Area and center of a map. */
function shapeOf(map: Float32Array) {
  let [area, x, y] = [0, 0, 0];
  map.forEach((value, i) => {
    area += value;
    x += value * (i % 16);
    y += value * Math.floor(i / 16);
  });
  return { area, x: x / area, y: y / area };
}

Deno.test("a style makes a mask generous, strict, or shifts it", () => {
  const mask = discMask(32, 32, { x: 15.5, y: 15.5, radius: 8 });
  const styled = (amplitudes: number[], phases = [0, 0, 0, 0]) => {
    const style: Style = { amplitudes, phases };
    const data = mask.data as Uint8Array;
    return shapeOf(
      placeMask(data, 32, 32, identity(32, 32), smallConfig, style),
    );
  };
  const plain = styled([0, 0, 0, 0]);
  assertClose([plain.x, plain.y], [7.5, 7.5], 1e-3);
  // the radius half as long again, and a quarter shorter
  assertClose([styled([0.5, 0, 0, 0]).area / plain.area], [2.25], 0.03);
  assertClose([styled([-0.25, 0, 0, 0]).area / plain.area], [0.5625], 0.03);
  const right = styled([0, 0.25, 0, 0]);
  assert.ok(right.x > 8 && Math.abs(right.y - 7.5) < 0.1);
  const down = styled([0, 0.25, 0, 0], [0, Math.PI / 2, 0, 0]);
  assert.ok(down.y > 8 && Math.abs(down.x - 7.5) < 0.1);
});

Deno.test("drawStyle() is the same for the same stream", () => {
  assert.deepEqual(drawStyle(createRandom(4)), drawStyle(createRandom(4)));
  assert.notDeepEqual(drawStyle(createRandom(4)), drawStyle(createRandom(5)));
});

Deno.test("drawRegion() shows an object off the middle, most often a little, and nearly all of it", () => {
  const random = createRandom(8);
  const object = { left: 40, top: 30, right: 60, bottom: 45 };
  const off: number[] = [];
  for (let i = 0; i < 400; i++) {
    const { x: [xx, xy, x], y: [yx, yy, y] } = drawRegion(
      random,
      object,
      99,
      99,
    );
    const side = Math.hypot(xx, yx);
    const share = 20 / side;
    assert.ok(share > 0.119 && share < 0.751, `${share}`);
    // where the object's center lies in the region
    const [dx, dy] = [50 - x, 37.5 - y];
    const u = (yy * dx - xy * dy) / (xx * yy - xy * yx);
    const v = (xx * dy - yx * dx) / (xx * yy - xy * yx);
    for (const at of [u, v].map(Math.abs)) {
      assert.ok(at <= 0.3 + 1e-9 && (at < 0.06 || at + share / 2 < 0.551));
      off.push(at);
    }
  }
  const beyond = (least: number) =>
    off.filter((at) => at > least).length / off.length;
  // of the third that is as a hand draws it
  assert.ok(beyond(0.25) > 0.025 && beyond(0.25) < 0.1, `${beyond(0.25)}`);
  assert.ok(beyond(0.12) > 0.12 && beyond(0.12) < 0.3, `${beyond(0.12)}`);
});
