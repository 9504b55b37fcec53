/** What a frozen encoder makes of training images is computed once, and kept. */

import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { initializeWeights } from "../../src/model/declare_weights.ts";
import type { HostWeights } from "../../src/model/weights.ts";
import { FeatureCache } from "../../src/training/feature_cache.ts";
import { train } from "../../src/training/train.ts";
import { normals, tinyVitConfig } from "../helpers/small_model.ts";
import { discs, recipe } from "../helpers/small_training.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

await useEngine("onnx", { threads: 1 });
const folder = await temporaryFolder();

const config = tinyVitConfig(24);
const weights = initializeWeights(config, 1);
const image = (seed: number, key?: string) => ({
  pixels: Float32Array.from(normals([24, 24, 3], seed)),
  ...(key && { key }),
});

/** All files below a folder, with their time of change. */
function filesOf(path: string): string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesOf(`${path}/${name}`) : [`${path}/${name}`]
  ).sort();
}

Deno.test("features of images with a name are kept, and the same when read again", async () => {
  const place = `${folder}/kept`;
  const first = new FeatureCache(config, weights, place);
  const computed = await first.of([image(1, "aa1"), image(2), image(3, "bb3")]);
  await first.dispose();
  assert.deepEqual(computed.shape, [3, 6, 6, 8]);
  assert.equal(filesOf(place).length, 2, "the one without a name is not kept");

  // another cache reads them: pixels that do not fit the name go unseen
  const second = new FeatureCache(config, weights, place);
  const again = await second.of([image(9, "aa1"), image(2), image(9, "bb3")]);
  assert.deepEqual(again, computed);
  await second.dispose();
});

Deno.test("features of another encoder, or cut short, are computed anew", async () => {
  const place = `${folder}/other`;
  const cache = new FeatureCache(config, weights, place);
  const embedding = await cache.of([image(1, "aa1")]);
  await cache.dispose();
  const other = new FeatureCache(config, initializeWeights(config, 2), place);
  const others = await other.of([image(1, "aa1")]);
  await other.dispose();
  assert.notDeepEqual(others.data, embedding.data);
  assert.equal(filesOf(place).length, 2);

  for (const file of filesOf(place)) await Deno.truncate(file, 10);
  const mended = new FeatureCache(config, weights, place);
  assert.deepEqual(await mended.of([image(1, "aa1")]), embedding);
  await mended.dispose();
});

Deno.test("a run from kept features gives the weights of the run that kept them", async () => {
  const cache = `${folder}/run`;
  const run = async (options = {}): Promise<HostWeights> =>
    await train(config, discs, {
      ...recipe,
      ...{ steps: 3, iterations: 2, samples: 2, placements: 2, batch: 2 },
      ...{ syntheticShare: 0 },
    }, { initial: weights, ...options });
  const first = await run({ cache });
  const kept = filesOf(cache);
  assert.ok(kept.length > 0);
  assert.deepEqual(await run({ cache }), first);
  assert.deepEqual(filesOf(cache), kept, "nothing new");
  assert.deepEqual(await run(), first, "without a folder as well");
});
