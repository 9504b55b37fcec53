/** What writeMask() writes: each suffix its format, one slice in its scan, and nothing under a wrong name. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { readMask } from "../../src/formats/read_mask.ts";
import { readVolume, volumeSlice } from "../../src/formats/volume.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { readReference } from "../helpers/reference.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** A sagittal series of 8 files. */
const SERIES = fileURLToPath(
  new URL(
    "../fixtures/cases/series_sagittal_nifti_mask/c1/image/",
    import.meta.url,
  ),
);

const nifti = readReference<{ name: string; file: string }>("nifti.jsonl");

/** Two pixels of the first row, one of the second: a mask of 2 x 3. */
const small = () => ndarray(Uint8Array.of(1, 0, 7, 0, 0, 1), [2, 3]);

const list = ({ data }: NdArray<Uint8Array>) => [...data];

Deno.test("writeMask() writes PNG, NPY, NIfTI and COCO's code, by the name's suffix", async () => {
  const folder = await temporaryFolder();
  const begins = {
    ...{ "a.png": [0x89, 0x50], "a.npy": [0x93, 0x4e] },
    ...{ "a.nii": [92, 1], "a.nii.gz": [0x1f, 0x8b], "a.json": [0x7b, 0x22] },
    ...{ "A.PNG": [0x89, 0x50], "A.NII.GZ": [0x1f, 0x8b] },
  };
  for (const [name, begin] of Object.entries(begins)) {
    const path = join(folder, name);
    await writeMask(small(), path);
    const bytes = await Deno.readFile(path);
    assert.deepEqual([...bytes.subarray(0, 2)], begin, name);
    const back = await readMask(path);
    assert.deepEqual(back.shape, [2, 3], name);
    assert.deepEqual(list(back), [1, 0, 1, 0, 0, 1], name);
  }
});

Deno.test("writeMask() refuses other suffixes, and what a format cannot hold", async () => {
  const volume = await readVolume(Uint8Array.fromBase64(nifti[0].file));
  const [depth, height, width] = volume.values.shape;
  const whole = ndarray(new Uint8Array(depth * height * width), [
    ...[depth, height, width],
  ]);
  for (
    const [mask, name, options, message] of [
      [small(), "a.jpg", {}, /must end in .*\.json: current value is .*a\.jpg/],
      [small(), "a.nii.bz2", {}, /its name must end in/],
      [whole, "a.png", {}, /a PNG file must be of a mask \[H, W\]/],
      [whole, "a.json", {}, /a JSON file must be of a mask \[H, W\]/],
      [whole, "a.nii", {}, /\[D, H, W\] must be of a volume, an option/],
      [whole, "a.dcm", { volume }, /must be of a volume .* from DICOM files/],
      [small(), "a.nii", { slice: 0 }, /slice and axis must be of a volume/],
      [small(), "a.nii", { volume }, /slice must say which slice/],
      [small(), "a.nii", { volume, slice: 0 }, /must be that of the slice/],
    ] as const
  ) {
    await assert.rejects(
      writeMask(mask, join("/nowhere", name), options),
      (error: Error) =>
        error instanceof RangeError && message.test(error.message),
      name,
    );
  }
  await assert.rejects(
    // deno-lint-ignore no-explicit-any -- as a notebook gives it
    writeMask(small(), "a.nii", { Volume: volume } as any),
    /TypeError: .* no option "Volume": did you mean "volume"/,
  );
});

Deno.test("writeMask() puts the mask of one slice back into its scan, along every axis", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "mask.nii.gz");
  for (const { name, file } of nifti.slice(0, 8)) {
    const volume = await readVolume(Uint8Array.fromBase64(file));
    for (const axis of [0, 1, 2] as const) {
      const slice = volume.values.shape[axis] - 1;
      const [rows, columns] = volumeSlice(volume.values, { axis }).shape;
      const mask = ndarray(new Uint8Array(rows * columns), [rows, columns]);
      mask.set(0, columns - 1, 1);
      await writeMask(mask, path, { volume, slice, axis });
      const back = await readVolume(path);
      assert.deepEqual(back.affine, volume.affine, name);
      const sum = back.values.data.reduce((all, value) => all + value, 0);
      assert.equal(sum, 1, name);
      const shown = volumeSlice(back.values, { axis, slice });
      assert.equal(shown.get(0, columns - 1, 0), 1, `${name}, axis ${axis}`);
    }
  }
});

Deno.test("writeMask() writes COCO's code as pycocotools does", async () => {
  const folder = await temporaryFolder();
  // pycocotools 2.0: encode(asfortranarray(mask)) of these masks.
  const ramp = ndarray(
    Uint8Array.from(
      { length: 35 * 40 },
      (_, i) =>
        i % 40 > 5 && i % 40 < 30 && Math.floor(i / 40) > (i % 40) / 2 ? 1 : 0,
    ),
    [35, 40],
  );
  for (
    const [mask, counts] of [
      [small(), "0131"],
      [ndarray(new Uint8Array(6), [2, 3]), "6"],
      [ndarray(new Uint8Array(6).fill(1), [2, 3]), "06"],
      [ramp, "f6o0401O001O001O001O001O001O001O001O001O001O001O00_:"],
    ] as const
  ) {
    const path = join(folder, "mask.json");
    await writeMask(mask, path);
    const code = JSON.parse(await Deno.readTextFile(path));
    assert.deepEqual(code, { size: mask.shape, counts });
    assert.deepEqual(
      list(await readMask(path)),
      list(mask).map((value) => value === 0 ? 0 : 1),
    );
  }
});

Deno.test("writeMask() writes a DICOM segmentation of a series, which is read on the same voxels", async () => {
  const folder = await temporaryFolder();
  const volume = await readVolume(SERIES);
  const [depth, height, width] = volume.values.shape;
  const labels = ndarray(new Uint8Array(depth * height * width), [
    ...[depth, height, width],
  ]);
  labels.set(0, 0, 1, 1);
  labels.set(depth - 1, height - 1, 0, 1);
  labels.set(depth - 1, 0, 0, 2);
  const path = join(folder, "mask.dcm");
  await writeMask(labels, path, { volume, labels: ["Nodule", "Vessel"] });
  const back = await readVolume(path);
  assert.deepEqual(back.values.shape, [depth, height, width, 1]);
  for (let d = 0; d < depth; d++) {
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) {
        assert.equal(back.values.get(d, h, w, 0), labels.get(d, h, w));
      }
    }
  }
  back.affine!.forEach((value, i) =>
    assert.ok(Math.abs(value - volume.affine![i]) < 1e-4)
  );
  const again = join(folder, "again.dcm");
  await writeMask(labels, again, { volume, labels: ["Nodule", "Vessel"] });
  const uid = async (file: string) =>
    /2\.25\.\d{20,}/.exec(
      new TextDecoder().decode(await Deno.readFile(file)),
    )![0];
  assert.equal(await uid(again), await uid(path), "the same instance");
  await assert.rejects(
    writeMask(ndarray(new Uint8Array(labels.size), labels.shape), path, {
      volume,
    }),
    /must mark something, as an empty one has no frames/,
  );
});
