import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { folderDataset, qubiq, refuge2 } from "../../src/datasets/layouts.ts";
import { openDataset } from "../../src/datasets/open_dataset.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { writeFileAtomic } from "../../src/files.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { readReference, sharedFile } from "../helpers/reference.ts";

async function inTempFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

/** A NIfTI-1 file of bytes: sides x, y, z; an sform in rows. */
function nifti(sides: number[], values: number[], sform = IDENTITY) {
  const bytes = new Uint8Array(352 + values.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [sides.length, ...sides].forEach((side, i) =>
    view.setInt16(40 + 2 * i, side, true)
  );
  view.setInt16(70, 2, true); // uint8
  view.setInt16(72, 8, true);
  view.setFloat32(108, 352, true);
  view.setInt16(254, 1, true);
  sform.forEach((value, i) => view.setFloat32(280 + 4 * i, value, true));
  bytes.set(new TextEncoder().encode("n+1"), 344);
  bytes.set(values, 352);
  return bytes;
}

const jpeg = async (path: string, values: Uint8Array, channels: 1 | 3) => {
  const { default: sharp } = await import("sharp");
  const raw = { width: 16, height: 16, channels };
  const bytes = await sharp(values, { raw }).jpeg({ quality: 100 }).toBuffer();
  await writeFileAtomic(path, new Uint8Array(bytes));
};

/** A disc of 16 x 16, 255 inside. */
const disc = (radius: number) =>
  Uint8Array.from(
    { length: 256 },
    (_, i) => Math.hypot(i % 16 - 8, (i >> 4) - 8) < radius ? 255 : 0,
  );

async function writeRefuge(folder: string, split: string, name: string) {
  const at = (file: string) => join(folder, split, name, file);
  await jpeg(at(`${name}_cropped.jpg`), new Uint8Array(768).fill(200), 3);
  for (const rater of [1, 2, 7]) {
    await jpeg(at(`${name}_seg_cup_${rater}_cropped.jpg`), disc(rater), 1);
    await jpeg(at(`${name}_seg_disc_${rater}_cropped.jpg`), disc(8), 1);
  }
}

Deno.test("refuge2() opens cup and disc of the training and the test split", () =>
  inTempFolder(async (folder) => {
    await writeRefuge(folder, "Training-400", "g0001");
    await writeRefuge(folder, "Test-400", "T0001");
    await writeRefuge(folder, "Test-400", "T0002");
    const { name, cases } = await refuge2(folder);
    assert.equal(name, "REFUGE2 cup, Test-400");
    assert.deepEqual(
      cases.map(({ id, patient, raters }) => ({ id, patient, raters })),
      ["T0001", "T0002"].map((id) => ({
        id,
        patient: id,
        raters: ["1", "2", "7"],
      })),
    );
    assert.deepEqual((await cases[0].readImage()).shape, [16, 16, 3]);
    const cup = await cases[0].readMask("2");
    assert.deepEqual([...cup.data], [...disc(2)].map((v) => v / 255));
    const train = await refuge2(folder, { split: "train", structure: "disc" });
    assert.equal(train.cases[0].id, "g0001");
    const whole = await train.cases[0].readMask("1");
    assert.deepEqual([...whole.data], [...disc(8)].map((v) => v / 255));
  }));

Deno.test("refuge2() takes uncropped images where there are no cropped ones", () =>
  inTempFolder(async (folder) => {
    const at = (file: string) => join(folder, "n1", file);
    await jpeg(at("n1.jpg"), new Uint8Array(768), 3);
    await writeMask(ndarray(disc(5), [16, 16]), at("n1_seg_cup_1.png"));
    const { cases } = await refuge2(folder);
    assert.deepEqual(cases[0].raters, ["1"]);
    assert.equal((await cases[0].readMask("1")).get(8, 8), 1);
    await Deno.remove(at("n1.jpg"));
    await assert.rejects(
      refuge2(folder),
      /NotFound: Cannot open REFUGE2 as case n1 must have n1\.jpg: current value has n1_seg_cup_1\.png/,
    );
    await assert.rejects(
      refuge2(folder, { structure: "disc" }),
      /RangeError: Cannot open REFUGE2 as the folder must have cases/,
    );
  }));

/** 3 x 2 pixels: image k, and masks in which rater r marks the first r pixels. */
async function writeQubiq(folder: string, id: string, k: number) {
  const at = (file: string) => join(folder, id, file);
  await writeFileAtomic(
    at("image.nii"),
    nifti([3, 2, 1], six.map((v) => v * k)),
  );
  for (const rater of [1, 2, 3]) {
    const marked = six.map((i) => i < rater ? 1 : 0);
    await writeFileAtomic(at(`task01_seg0${rater}.nii`), nifti([3, 2], marked));
    await writeFileAtomic(
      at(`task02_seg0${rater}.nii`),
      nifti([3, 2], six.map(() => 1)),
    );
  }
}
const six = [0, 1, 2, 3, 4, 5];

Deno.test("qubiq() opens the tasks of a split, raters by number", () =>
  inTempFolder(async (folder) => {
    await writeQubiq(join(folder, "Training"), "case01", 1);
    await writeQubiq(join(folder, "Validation"), "case02-1", 1);
    await writeQubiq(join(folder, "Validation"), "case02-2", 2);
    const { name, cases } = await qubiq(folder, { window: [0, 10] });
    assert.match(name, /^QUBIQ .* task01, Validation$/);
    assert.deepEqual(
      cases.map(({ id, patient, spacing }) => [id, patient, spacing]),
      [["case02-1", "case02", 1], ["case02-2", "case02", 1]],
    );
    assert.deepEqual(cases[0].raters, ["1", "2", "3"]);
    // x to the left and y to anterior are shown turned by half.
    const image = await cases[1].readImage();
    assert.deepEqual(image.shape, [2, 3, 1]);
    assert.deepEqual(
      [...image.data].map((v) => Math.round(v * 10)),
      [10, 8, 6, 4, 2, 0],
    );
    const mask = await cases[1].readMask("2");
    assert.deepEqual([...mask.data], [0, 0, 0, 0, 1, 1]);
    const second = await qubiq(folder, { task: 2, split: "train" });
    assert.equal((await second.cases[0].readMask("1")).get(0, 0), 1);
    await assert.rejects(
      qubiq(folder, { task: 3 }),
      /RangeError: Cannot open QUBIQ as the folder must have cases with masks of task 3/,
    );
  }));

Deno.test("qubiq() takes the slices of an image as channels where its masks have one", () =>
  inTempFolder(async (folder) => {
    const at = (file: string) => join(folder, "case01", file);
    const values = Array.from({ length: 24 }, (_, i) => i);
    await writeFileAtomic(at("image.nii"), nifti([3, 2, 4], values));
    await writeFileAtomic(at("task01_seg01.nii"), nifti([3, 2], six));
    const open = async (channels?: number[]) => {
      const { cases } = await qubiq(folder, { window: [0, 23], channels });
      assert.equal(cases.length, 1);
      const image = await cases[0].readImage();
      const first = [...image.data].slice(0, image.shape[2]);
      return [image.shape, first.map((v) => Math.round(v * 23))];
    };
    assert.deepEqual(await open(), [[2, 3, 3], [5, 11, 17]]);
    assert.deepEqual(await open([3]), [[2, 3, 1], [23]]);
  }));

Deno.test("qubiq() compares masks index by index, whatever orientation they state", () =>
  inTempFolder(async (folder) => {
    const at = (file: string) => join(folder, "case01", file);
    const mirrored = [-1, 0, 0, 2, ...IDENTITY.slice(4)];
    await writeFileAtomic(at("image.nii"), nifti([3, 2, 1], six, mirrored));
    await writeFileAtomic(
      at("task01_seg01.nii"),
      nifti([3, 2, 1], [0, 1, 1, 1, 1, 1]),
    );
    const { cases } = await qubiq(folder, { window: [0, 1] });
    const mask = await cases[0].readMask("1");
    assert.deepEqual([...mask.data], [...(await cases[0].readImage()).data]);
  }));

/** Volumes of 2 x 2 x 4: rater 1 marks slice 1, rater 2 slices 1 and 3. */
async function writeVolumes(folder: string, sform = IDENTITY) {
  const at = (file: string) => join(folder, "scan", file);
  const values = Array.from({ length: 16 }, (_, i) => i);
  const marked = (...slices: number[]) =>
    values.map((i) => slices.includes(i >> 2) && i % 4 === 0 ? 1 : 0);
  await writeFileAtomic(at("image.nii"), nifti([2, 2, 4], values));
  await writeFileAtomic(at("rater1.nii"), nifti([2, 2, 4], marked(1)));
  await writeFileAtomic(
    at("rater2.nii"),
    nifti([2, 2, 4], marked(1, 3), sform),
  );
}

Deno.test("folderDataset() gives a case for every slice of a volume that a rater marked", () =>
  inTempFolder(async (folder) => {
    await writeVolumes(folder);
    const { cases } = await folderDataset(folder, { window: [0, 15] });
    assert.deepEqual(
      cases.map(({ id, patient, raters }) => [id, patient, raters.join()]),
      [["scan_slice001", "scan", "1,2"], ["scan_slice003", "scan", "1,2"]],
    );
    assert.deepEqual(
      cases.map(({ slice }) => slice),
      [{ volume: "scan", index: 1 }, { volume: "scan", index: 3 }],
    );
    const last = await cases[1].readImage();
    assert.deepEqual([...last.data].map((v) => Math.round(v * 15)), [
      15,
      14,
      13,
      12,
    ]);
    assert.deepEqual([...(await cases[1].readMask("1")).data], [0, 0, 0, 0]);
    assert.deepEqual([...(await cases[1].readMask("2")).data], [0, 0, 0, 1]);
    const one = await folderDataset(folder, { slice: 2, axis: 0 });
    assert.deepEqual(one.cases.map(({ id }) => id), ["scan"]);
  }));

Deno.test("folderDataset() refuses masks that lie beside the image or have another size", () =>
  inTempFolder(async (folder) => {
    await writeVolumes(folder, [1, 0, 0, 5, ...IDENTITY.slice(4)]);
    await assert.rejects(
      folderDataset(folder),
      /RangeError: Cannot read mask of case scan as its voxels must lie on the image's: current value lies 5\.00 mm beside \(.*rater2\.nii\)/,
    );
    const path = join(folder, "scan", "rater2.nii");
    await writeFileAtomic(path, nifti([2, 2, 3], new Array(12).fill(1)));
    await assert.rejects(
      folderDataset(folder),
      /RangeError: Cannot read mask of case scan as its size must be that of the image, 4 x 2 x 2: current value is 3 x 2 x 2/,
    );
    await writeMask(
      ndarray(Uint8Array.of(1, 0, 0, 0), [2, 2]),
      join(folder, "scan", "rater2.png"),
    );
    await Deno.remove(path);
    await assert.rejects(
      folderDataset(folder),
      /RangeError: Cannot read mask of case scan as its size must be that of the image/,
    );
  }));

Deno.test("folderDataset() takes DICOM and NPY images with flat masks", () =>
  inTempFolder(async (folder) => {
    const dicom = readReference<{ name: string; file: string }>("dicom.jsonl")
      .find(({ name }) => name === "window")!; // 6 x 5
    await writeFileAtomic(
      join(folder, "a", "image.dcm"),
      Uint8Array.fromBase64(dicom.file),
    );
    const mask = ndarray(new Uint8Array(30).fill(1), [6, 5]);
    await writeMask(mask, join(folder, "a", "rater1.png"));
    const { cases } = await folderDataset(folder);
    assert.deepEqual((await cases[0].readImage()).shape, [6, 5, 1]);
    assert.deepEqual((await cases[0].readMask("1")).shape, [6, 5]);
    await writeMask(
      ndarray(new Uint8Array(30), [5, 6]),
      join(folder, "a", "rater1.png"),
    );
    await assert.rejects(
      cases[0].readMask("1"),
      /RangeError: Cannot read mask of case a as its size must be that of the image, 6 x 5: current value is 5 x 6/,
    );
  }));

Deno.test("openDataset() recognizes QUBIQ, REFUGE2 and their splits", () =>
  inTempFolder(async (folder) => {
    await writeQubiq(join(folder, "kidney", "Validation"), "case02", 1);
    await writeRefuge(join(folder, "refuge"), "Training-400", "g0001");
    await writeImage(
      ndarray(new Float32Array(4), [2, 2, 1]),
      join(folder, "plain", "a", "image.png"),
    );
    await writeMask(
      ndarray(new Uint8Array(4), [2, 2]),
      join(folder, "plain", "a", "rater1.png"),
    );
    const name = async (path: string, options = {}) =>
      (await openDataset(join(folder, path), options)).name;
    assert.equal(await name("kidney"), "QUBIQ kidney task01, Validation");
    assert.equal(
      await name("kidney/Validation", { task: 2 }),
      "QUBIQ Validation task02",
    );
    assert.equal(
      await name("refuge", { split: "train", structure: "disc" }),
      "REFUGE2 disc, Training-400",
    );
    assert.equal(
      await name("refuge/Training-400"),
      "REFUGE2 cup, Training-400",
    );
    assert.equal(await name("plain"), "plain");
  }));

const real = sharedFile("qubiq/brain-growth");
Deno.test({
  name:
    "openDataset() opens the real QUBIQ brain-growth images, split by patient",
  ignore: !real,
  async fn() {
    const val = await openDataset(real!);
    const train = await openDataset(real!, { split: "train" });
    assert.equal(val.name, "QUBIQ brain-growth task01, Validation");
    assert.deepEqual([train.cases.length, val.cases.length], [24, 5]);
    const patients = new Set(train.cases.map(({ patient }) => patient));
    assert.ok(val.cases.every(({ patient }) => !patients.has(patient)));
    const [first] = val.cases;
    assert.deepEqual(first.raters, ["1", "2", "3", "4", "5", "6", "7"]);
    assert.deepEqual((await first.readImage()).shape, [128, 128, 1]);
    const mask = await first.readMask("3");
    const stored = await readVolume(
      `${real}/Validation/${first.id}/task01_seg03.nii.gz`,
    );
    const area = stored.values.data.reduce(
      (sum, v) => sum + (v > 0 ? 1 : 0),
      0,
    );
    assert.equal(mask.data.reduce((sum, value) => sum + value, 0), area);
    assert.ok(area > 100);
  },
});
