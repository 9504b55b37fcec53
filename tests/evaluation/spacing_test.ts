/** The size of pixels, from the files of a dataset to HD95. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { folderDataset } from "../../src/datasets/layouts.ts";
import { writeFileAtomic } from "../../src/files.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { targetsOf } from "../../src/evaluation/targets.ts";
import { hd95 } from "../../src/metrics/surface.ts";
import { Model } from "../../src/model/model.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));

const at = { x: 11, y: 10, radius: 6 };
const [height, width] = [20, 24];

/** A NIfTI-1 file of one slice of bytes, of pixels of x by y millimeters. */
function nifti(values: Uint8Array, x: number, y: number): Uint8Array {
  const bytes = new Uint8Array(352 + values.length);
  const view = new DataView(bytes.buffer);
  const short = (offset: number, ...list: number[]) =>
    list.forEach((v, i) => view.setInt16(offset + 2 * i, v, true));
  view.setInt32(0, 348, true);
  short(40, 3, width, height, 1);
  short(70, 2, 8); // uint8
  view.setFloat32(108, 352, true); // where the values begin
  short(254, 1); // the place is that of the rows below
  const rows = [-x, 0, 0, 0, 0, -y, 0, 0, 0, 0, 5, 0]; // as shown: not turned
  rows.forEach((value, i) => view.setFloat32(280 + 4 * i, value, true));
  bytes.set(new TextEncoder().encode("n+1"), 344);
  bytes.set(values, 352);
  return bytes;
}

/** A dataset of one case, which is a volume of such pixels. */
async function volumeOf(x: number, y: number) {
  const folder = await temporaryFolder();
  const image = discImage(height, width, at).data as Float32Array;
  const shades = Uint8Array.from(image, (v) => Math.round(255 * v));
  const mask = discMask(height, width, at).data as Uint8Array;
  const write = (name: string, values: Uint8Array) =>
    writeFileAtomic(join(folder, "case", name), nifti(values, x, y));
  await write("image.nii", shades);
  await write("rater1.nii", mask);
  return await folderDataset(folder);
}

for (
  const [x, y, spacing] of [
    [0.5, 0.5, 0.5],
    [0.5, 2, [2, 0.5]], // rows lie 2 mm apart
  ] as const
) {
  Deno.test(`a slice of pixels of ${x} x ${y} mm has HD95 in millimeters`, async () => {
    const dataset = await volumeOf(x, y);
    assert.deepEqual(dataset.cases[0].spacing, spacing);
    const expected: number[] = [];
    const [result] = await evaluate(model, dataset, {
      iterations: 2,
      samples: 8,
      user: (target) => ({ recommended: { mask } }) => {
        expected.push(hd95(mask, target, { spacing }));
        return 0;
      },
    });
    assert.deepEqual(result.spacing, spacing);
    assert.deepEqual(result.iterations.map(({ hd95 }) => hd95), expected);
    assert.ok(expected.every((distance) => distance > 0));
  });
}

Deno.test("a size of pixels that a list leaves open is not known", () => {
  const mask = discMask(height, width, at);
  for (const spacing of [undefined, 0, null as never]) {
    const item = { id: "a", patient: "a", raters: ["1"], spacing };
    const [target] = targetsOf(
      {
        ...item,
        readImage: () => Promise.reject(),
        readMask: () => Promise.reject(),
      },
      new Map([["1", mask]]),
    );
    assert.equal(target.spacing, undefined);
  }
});
