import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { readVolume, volumeSlice } from "../../src/formats/volume.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { readReference, sharedFile } from "../helpers/reference.ts";

interface Reference {
  name: string;
  file: string;
}
const nifti = readReference<Reference>("nifti.jsonl");
const dicom = readReference<Reference>("dicom.jsonl");

async function inTempFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes "value above `least`" as a mask and reads it again. */
async function roundTrip(source: Uint8Array | string, path: string, least = 5) {
  const volume = await readVolume(source);
  const [depth, height, width] = volume.values.shape;
  const mask = ndarray(new Uint8Array(depth * height * width), [
    depth,
    height,
    width,
  ]);
  for (let d = 0; d < depth; d++) {
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) {
        mask.set(d, h, w, volume.values.get(d, h, w, 0) > least ? 255 : 0);
      }
    }
  }
  await writeMask(mask, path, { volume });
  const back = await readVolume(path);
  for (let d = 0; d < depth; d++) {
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) {
        assert.equal(back.values.get(d, h, w, 0), mask.get(d, h, w) / 255);
      }
    }
  }
  return { volume, back };
}

Deno.test("writeMask() keeps the geometry of every NIfTI file", () =>
  inTempFolder(async (folder) => {
    for (const { name, file } of nifti) {
      const path = join(folder, "mask.nii");
      const { volume, back } = await roundTrip(
        Uint8Array.fromBase64(file),
        path,
      );
      assert.deepEqual(back.affine, volume.affine, name);
      assert.deepEqual(back.spacing, volume.spacing, name);
      assert.deepEqual(back.layout, volume.layout, name);
      assert.deepEqual(
        back.values.shape,
        [...volume.values.shape.slice(0, 3), 1],
        name,
      );
    }
  }));

Deno.test("writeMask() keeps the source's orientation fields byte by byte", () =>
  inTempFolder(async (folder) => {
    const file = nifti.find(({ name }) =>
      name === "sform oblique before another qform"
    )!;
    const source = Uint8Array.fromBase64(file.file);
    const path = join(folder, "mask.nii");
    await roundTrip(source, path);
    const written = await Deno.readFile(path);
    assert.equal(written.length, 352 + 24);
    assert.deepEqual(written.slice(252, 328), source.slice(252, 328));
    assert.deepEqual(written.slice(76, 108), source.slice(76, 108)); // pixdim
    const view = new DataView(written.buffer);
    assert.deepEqual(
      [view.getInt16(70, true), view.getInt16(72, true)],
      [2, 8],
    );
  }));

Deno.test("writeMask() gzips where the name ends in .gz, and leaves one file", () =>
  inTempFolder(async (folder) => {
    const file = nifti.find(({ name }) => name === "four dimensions")!;
    const path = join(folder, "mask.nii.gz");
    await roundTrip(Uint8Array.fromBase64(file.file), path);
    assert.deepEqual([...await Deno.readFile(path)].slice(0, 2), [0x1f, 0x8b]);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(names, ["mask.nii.gz"]);
  }));

Deno.test("writeMask() writes a header for images without one", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "mask.nii");
    const file = dicom.find(({ name }) => name === "three frames")!;
    const { back } = await roundTrip(Uint8Array.fromBase64(file.file), path, 0);
    assert.deepEqual(back.spacing, [1, 1, 1]); // unknown
  }));

const ct = sharedFile("formats/CT_small.dcm");
Deno.test({
  name: "writeMask() states the place of a real DICOM image",
  ignore: !ct,
  fn: () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "mask.nii");
      const { volume, back } = await roundTrip(ct!, path, 0);
      volume.affine!.forEach((value, i) =>
        assert.ok(Math.abs(back.affine![i] - value) < 1e-4)
      );
    }),
});

Deno.test("writeMask() takes a mask drawn on one slice", () =>
  inTempFolder(async (folder) => {
    const file = nifti.find(({ name }) => name === "sform PSR")!;
    const volume = await readVolume(Uint8Array.fromBase64(file.file));
    const [depth, height, width] = volume.values.shape;
    const mask = ndarray(new Uint8Array(24), [depth, height, width]);
    volumeSlice(mask, { axis: 2, slice: 1 }).set(0, 0, 1);
    const path = join(folder, "mask.nii");
    await writeMask(mask, path, { volume });
    const { values } = await readVolume(path);
    assert.equal(values.get(depth - 1, 0, 1, 0), 1);
    assert.equal(values.data.reduce((sum, value) => sum + value, 0), 1);
  }));

Deno.test("writeMask() refuses sides that a NIfTI-1 header cannot state", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "mask.nii");
    const wide = (width: number) => ({
      values: ndarray(new Float32Array(width), [1, 1, width, 1]),
      ...{ color: false, inverted: false },
      layout: {
        axes: [2, 1, 0] as const,
        flipped: [false, false, false] as const,
      },
    });
    const mask = (width: number) =>
      ndarray(new Uint8Array(width), [1, 1, width]);
    await writeMask(mask(32767), path, { volume: wide(32767) });
    assert.deepEqual((await readVolume(path)).values.shape, [1, 1, 32767, 1]);
    await assert.rejects(
      writeMask(mask(32768), path, { volume: wide(32768) }),
      /RangeError: Cannot write mask as its sides must be at most 32767: current value is \[1,1,32768,1\]/,
    );
  }));

Deno.test("writeMask() refuses a mask of another size than the volume", async () => {
  const volume = await readVolume(Uint8Array.fromBase64(nifti[0].file));
  await assert.rejects(
    writeMask(ndarray(new Uint8Array(8), [2, 2, 2]), "never.nii", { volume }),
    /RangeError: Cannot write mask as its shape must be that of the volume, \[\d,\d,\d\]: current value is \[2,2,2\]/,
  );
});
