import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { type ModelConfig, presets } from "../../src/model/config.ts";
import { compareWeights } from "../../src/model/compare_weights.ts";
import { Model, programsOf } from "../../src/model/model.ts";
import { declareWeights } from "../../src/model/declare_weights.ts";
import { createRandom } from "../../src/random.ts";
import { encode } from "../../src/spa/encode.ts";
import { preprocess } from "../../src/spa/embedding.ts";
import { frameOf, scalesOf } from "../../src/spa/frame.ts";
import { assertClose, host } from "../helpers/engine_helpers.ts";
import {
  discImage,
  noisyWeights,
  samConfig,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });

/** What the network makes of pixels that are normalized by hand. */
async function encodePixels(pixels: Float32Array) {
  const { image } = await programsOf(model).encode({
    weights: await model.deviceWeights(),
    pixels: host(pixels, [1, 32, 32, 3]),
  });
  const { data } = await image.embedding.read();
  const { data: detail } = await image.detail!.read();
  image.embedding.dispose();
  image.detail!.dispose();
  return { data, detail };
}

const { pixelMean, pixelDeviation } = smallConfig;

Deno.test("encode() normalizes each color, and repeats the image's edge to a square", async () => {
  for (const [height, width] of [[32, 32], [20, 32], [32, 9]]) {
    const random = createRandom(height, width);
    const color = ndarray(new Float32Array(height * width * 3), [
      height,
      width,
      3,
    ]);
    const pixels = new Float32Array(32 * 32 * 3);
    for (let i = 0; i < color.size; i++) color.data[i] = random.uniform();
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        for (let c = 0; c < 3; c++) {
          const row = y < height ? y : height - 1;
          const value = color.get(row, x < width ? x : width - 1, c);
          pixels[(y * 32 + x) * 3 + c] = (value - pixelMean[c]) /
            pixelDeviation[c];
        }
      }
    }
    const expected = await encodePixels(pixels);
    using actual = await encode(model, color);
    assertClose((await actual.values.read()).data, expected.data, 1e-5);
    assertClose((await actual.detail!.read()).data, expected.detail, 1e-5);
    assert.deepEqual(actual.frame, frameOf(height, width, 32));
  }
});

Deno.test("preprocess() pads with zeros for SAM's networks, and nowhere else", () => {
  const tall = ndarray(new Float32Array(32 * 9).fill(0.9), [32, 9, 1]);
  for (const config of [smallConfig, samConfig]) {
    const frame = frameOf(32, 9, config.imageSize);
    const { data } = preprocess(tall, frame, config);
    const columns = data.filter((_, i) => i % (32 * 3) >= 9 * 3);
    assert.equal(config.imageSize, 32);
    assert.equal(columns.length, 32 * 23 * 3);
    assert.ok(columns.every((v) => (v === 0) === (config.sam !== undefined)));
  }
});

Deno.test("encode() scales the longer side to the square's", async () => {
  // every pixel of 8 x 16 in two colors becomes 2 x 2 of 16 x 32 away from edges
  const halves = ndarray(new Float32Array(8 * 16), [8, 16, 1]);
  for (let i = 0; i < halves.data.length; i++) {
    halves.data[i] = i % 16 < 8 ? 0 : 1;
  }
  const pixels = new Float32Array(32 * 32 * 3);
  for (let y = 0; y < 32; y++) { // below the image, its last row
    for (let x = 0; x < 32; x++) {
      // bilinear about the edge: 0, .25, .75, 1
      const value = Math.min(1, Math.max(0, (x - 15) / 2 + 0.25));
      for (let c = 0; c < 3; c++) {
        pixels[(y * 32 + x) * 3 + c] = (value - pixelMean[c]) /
          pixelDeviation[c];
      }
    }
  }
  using actual = await encode(model, halves);
  const expected = await encodePixels(pixels);
  assertClose((await actual.values.read()).data, expected.data, 1e-5);
  assert.deepEqual(scalesOf(actual.frame), { x: 2, y: 2 });
});

Deno.test("encode() takes one pixel, a line, and views", async () => {
  for (const shape of [[1, 1, 1], [1, 300, 3], [300, 1, 1]]) {
    const size = shape.reduce((product, side) => product * side, 1);
    using one = await encode(model, ndarray(new Float32Array(size), shape));
    const { data } = await one.values.read();
    assert.ok(data.every(Number.isFinite));
  }
  const turned = image.transpose(1, 0, 2);
  const copy = ndarray(new Float32Array(20 * 28), [28, 20, 1]);
  for (let y = 0; y < 28; y++) {
    for (let x = 0; x < 20; x++) copy.set(y, x, 0, image.get(x, y, 0));
  }
  using a = await encode(model, turned);
  using b = await encode(model, copy);
  assert.deepEqual((await a.values.read()).data, (await b.values.read()).data);
});

Deno.test("encode() sees a gray image as the same in three colors", async () => {
  const color = ndarray(new Float32Array(20 * 28 * 3), [20, 28, 3]);
  for (let i = 0; i < 20 * 28; i++) {
    color.data.fill(image.data[i], 3 * i, 3 * i + 3);
  }
  using gray = await encode(model, image);
  using other = await encode(model, color);
  assertClose(
    (await other.values.read()).data,
    (await gray.values.read()).data,
    1e-5,
  );
});

Deno.test("encode() stretches every image to 0..1 where the config says min-max", async () => {
  const config: ModelConfig = { ...smallConfig, pixelScaling: "min-max" };
  const weights = noisyWeights(config);
  using stretching = new Model(config, weights);
  // an image on the left half of the square: its values, not the padding's
  const tall = discImage(32, 16, { x: 8, y: 9, radius: 6 });
  const low = Math.min(...tall.data), high = Math.max(...tall.data);
  const byHand = ndarray(
    tall.data.map((value) => (value - low) / (high - low)),
    tall.shape,
  );
  using plain = await encode(model, byHand);
  const expected = (await plain.values.read()).data;
  const faint = ndarray(
    tall.data.map((value) => 0.4 + 0.2 * value),
    tall.shape,
  );
  for (const image of [tall, byHand, faint]) {
    using embedding = await encode(stretching, image);
    assertClose((await embedding.values.read()).data, expected, 1e-4);
  }
  // an image of one value is as dark as can be
  const flat = ndarray(new Float32Array(32 * 16).fill(0.7), [32, 16, 1]);
  const dark = ndarray(new Float32Array(32 * 16), [32, 16, 1]);
  using one = await encode(stretching, flat);
  using other = await encode(model, dark);
  assertClose(
    (await one.values.read()).data,
    (await other.values.read()).data,
    1e-5,
  );
});

Deno.test("MedSAM's preset takes SAM's weights, and MedSAM's intensities", () => {
  const { "medsam-vit-b": medsam, "sam-vit-b": sam } = presets;
  const shapes = new Map(
    [...declareWeights(sam)].map(([name, { shape }]) => [name, shape]),
  );
  const { missing, misshapen, unexpected } = compareWeights(
    declareWeights(medsam),
    shapes,
  );
  assert.deepEqual([missing, misshapen, unexpected], [[], [], []]);
  assert.equal(medsam.pixelScaling, "min-max");
  assert.deepEqual(medsam.pixelMean, [0, 0, 0]);
  assert.deepEqual(medsam.pixelDeviation, [1, 1, 1]);
});
