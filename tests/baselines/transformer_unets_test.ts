/** The two baselines with transformers. */
import assert from "node:assert/strict";
import {
  shiftedApart,
  swinUNet,
  transUNet,
} from "../../src/baselines/transformer_unets.ts";
import type { BaselineConfig } from "../../src/baselines/method.ts";
import * as tf from "../../src/engine/tf.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { presets } from "../../src/model/config.ts";
import { drawWeights } from "../../src/model/declare_weights.ts";
import {
  asTensors,
  normalTensor,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("cpu");

Deno.test("shiftedApart() parts the cells that a shift brought together from opposite edges", () => {
  // a grid of 4 x 4 in windows of 2, moved by 1: of the last window each cell
  // comes from another corner, of the first all belong together
  const apart = shiftedApart(4, 2, 1);
  assert.deepEqual(apart.shape, [4, 1, 4, 4]);
  const windows = apart.dataSync();
  const at = (w: number) => [...windows.slice(16 * w, 16 * w + 16)];
  const no = -100;
  assert.deepEqual(at(0), new Array(16).fill(0));
  // to the right: columns 2 and 3, of which the last was the first
  assert.deepEqual(at(1), [
    ...[0, no, 0, no],
    ...[no, 0, no, 0],
    ...[0, no, 0, no],
    ...[no, 0, no, 0],
  ]);
  assert.deepEqual(at(2), [
    ...[0, 0, no, no],
    ...[0, 0, no, no],
    ...[no, no, 0, 0],
    ...[no, no, 0, 0],
  ]);
  assert.deepEqual(at(3), [
    ...[0, no, no, no],
    ...[no, 0, no, no],
    ...[no, no, 0, no],
    ...[no, no, no, 0],
  ]);
});

for (const [name, method] of Object.entries({ transUNet, swinUNet })) {
  const config: BaselineConfig = {
    method: name,
    network: smallConfig,
    raters: 1,
  };

  Deno.test(`${name} gives a map at the decoder's resolution, in which every pixel counts everywhere`, () => {
    const weights = asTensors(drawWeights(method.declare(config), 3));
    const pixels = normalTensor([2, 32, 32, 3], 5);
    const logits = method.logits(weights, config, { pixels });
    assert.deepEqual(logits.shape, [2, 1, 16, 16]);
    // the images of a batch do not see one another
    const first = tf.slice(pixels, [0, 0, 0, 0], [1, 32, 32, 3]);
    const alone = method.logits(weights, config, { pixels: first }).dataSync();
    const both = logits.dataSync();
    alone.forEach((value, i) => assert.ok(Math.abs(value - both[i]) < 1e-4));
    // a change in one corner is seen in the opposite one
    const corner = tf.buffer([1, 32, 32, 3]);
    corner.set(4, 0, 31, 31, 0);
    const changed = method.logits(weights, config, {
      pixels: tf.add(first, corner.toTensor()),
    }).dataSync();
    assert.ok(Math.abs(changed[0] - alone[0]) > 1e-7);
  });

  Deno.test(`${name} is about as large as the U-Net of the tiny preset`, () => {
    const declared = method.declare({ ...config, network: presets.tiny });
    const count = [...declared.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    assert.ok(count > 4e5 && count < 4e6, `${count}`);
  });
}
