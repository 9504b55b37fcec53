import assert from "node:assert/strict";
import ndarray from "ndarray";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { phantomVolume } from "../../src/phantoms/phantom_volume.ts";
import { alignVolume, VOLUME_METHODS } from "../../src/volumes/align_volume.ts";

await useEngine("auto", { threads: 1 });
const model = await loadModel("tiny");
const { volume, masks } = phantomVolume({ kind: "nodule", seed: 7 });
const truth = masks.strict;

Deno.test("a simulated user aligns a volume by every method, the same each time", async () => {
  for (const method of VOLUME_METHODS) {
    const run = () =>
      alignVolume(model, { volume, truth }, {
        ...{ method, picks: [1, 3], samples: 12 },
      });
    const results = await run();
    assert.deepEqual(results.map(({ picks }) => picks), [1, 3]);
    for (const { dice, surfaceDice, hd95, first, slices } of results) {
      assert.ok(dice > 0.2 && dice <= 1, `${method} ${dice}`);
      assert.ok(surfaceDice! > 0 && surfaceDice! <= 1);
      assert.ok(hd95! >= 0 && hd95! < 60);
      assert.ok(first > 0.4 && slices >= 1);
    }
    const timeless = (all: typeof results) =>
      all.map(({ seconds: _, ...rest }) => rest);
    assert.deepEqual(timeless(await run()), timeless(results));
  }
});

Deno.test("interpolation lies on the volume's voxels along every axis", async () => {
  for (const axis of [1, 2] as const) {
    const [{ dice }] = await alignVolume(model, { volume, truth }, {
      ...{ method: "interpolation", picks: [3], samples: 8, axis },
    });
    assert.ok(dice > 0.4, `axis ${axis}: ${dice}`);
  }
});

Deno.test("a volume is not aligned to a mask that is empty or of another size", async () => {
  const empty = ndarray(new Uint8Array(truth.size), truth.shape);
  await assert.rejects(
    alignVolume(model, { volume, truth: empty }),
    /must have voxels: current value is an empty one/,
  );
  const other = ndarray(new Uint8Array(8), [2, 2, 2]);
  await assert.rejects(
    alignVolume(model, { volume, truth: other }),
    /current value is \[2,2,2\]/,
  );
});
