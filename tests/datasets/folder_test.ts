import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { folderDataset, lidcCrops } from "../../src/datasets/layouts.ts";
import { openDataset } from "../../src/datasets/open_dataset.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { writeMask } from "../../src/formats/write_mask.ts";

const image = ndarray(new Float32Array(12).fill(0.2), [3, 4, 1]);
const mask = ndarray(Uint8Array.of(0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0), [3, 4]);
const small = ndarray(new Uint8Array(6), [2, 3]);

async function inTempFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Two patients with one case each in `val`; `cases.json` gives one's spacing. */
async function writeLidc(folder: string, names = ["c1", "c2"]) {
  for (const [patient, id] of [["P1", names[0]], ["P2", names[1]]]) {
    await writeImage(
      image,
      join(folder, "val", "images", patient, `${id}.png`),
    );
    for (const k of [0, 1, 2, 3]) {
      const path = join(folder, "val", "gt", patient, `${id}_l${k}.png`);
      await writeMask(mask, path);
    }
  }
  await Deno.writeTextFile(
    join(folder, "cases.json"),
    JSON.stringify([
      { case: "c1", patient: "P1", split: "val", pixel_spacing_mm: 0.7 },
    ]),
  );
}

Deno.test("lidcCrops() lists the cases of a split with four raters each", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    const { cases } = await lidcCrops(folder, { split: "val" });
    assert.deepEqual(
      cases.map(({ id, patient, spacing, raters }) => ({
        id,
        patient,
        spacing,
        raters,
      })),
      [
        { id: "c1", patient: "P1", spacing: 0.7, raters: ["0", "1", "2", "3"] },
        {
          id: "c2",
          patient: "P2",
          spacing: undefined,
          raters: ["0", "1", "2", "3"],
        },
      ],
    );
    assert.deepEqual((await cases[0].readImage()).shape, [3, 4, 1]);
    assert.deepEqual((await cases[0].readMask("3")).data, mask.data);
  }));

Deno.test("lidcCrops() tells apart two patients' slices of the same name", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder, ["z-105.0_c0", "z-105.0_c0"]);
    await Deno.remove(join(folder, "cases.json"));
    const { cases } = await lidcCrops(folder, { split: "val" });
    assert.deepEqual(
      cases.map(({ id }) => id),
      ["P1_z-105.0_c0", "P2_z-105.0_c0"],
    );
    assert.deepEqual((await cases[1].readMask("3")).data, mask.data);
  }));

Deno.test("lidcCrops() names a missing mask and the ones that are there", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    await Deno.remove(join(folder, "val", "gt", "P2", "c2_l2.png"));
    await assert.rejects(
      lidcCrops(folder, { split: "val" }),
      /NotFound: Cannot open LIDC crops as case c2 must have masks of the first raters, 1 to 4, in .*: current value lacks c2_l2\.png and has c2_l0\.png, c2_l1\.png, c2_l3\.png/,
    );
  }));

Deno.test("lidcCrops() names a listed case that has no image", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    await Deno.remove(join(folder, "val", "images", "P1", "c1.png"));
    await assert.rejects(
      lidcCrops(folder, { split: "val" }),
      /RangeError: .* current value is c1, which .* lacks/,
    );
  }));

Deno.test("lidcCrops() says which folder is missing or empty", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    await assert.rejects(
      lidcCrops(folder, { split: "train" }),
      /NotFound: Cannot open dataset as the folder must exist: current value is .*train.images/,
    );
    await Deno.mkdir(join(folder, "train", "images"), { recursive: true });
    await assert.rejects(
      lidcCrops(folder, { split: "train" }),
      /RangeError: Cannot open LIDC crops as the folder must have cases/,
    );
  }));

Deno.test("a case refuses a mask of another size than its image, naming both", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    await writeMask(small, join(folder, "val", "gt", "P1", "c1_l0.png"));
    const { cases } = await lidcCrops(folder, { split: "val" });
    await assert.rejects(
      cases[0].readMask("0"),
      /RangeError: Cannot read mask of case c1 as its size must be that of the image, 3 x 4: current value is 2 x 3 \(.*c1_l0\.png\)/,
    );
  }));

Deno.test("a case refuses a rater that it does not have, naming those it has", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    const { cases } = await lidcCrops(folder, { split: "val" });
    await assert.rejects(
      cases[0].readMask("7"),
      /RangeError: Cannot read mask of case c1 as rater must be one of 0, 1, 2, 3: current value is 7/,
    );
  }));

Deno.test("folderDataset() takes each rater's name from its file's", () =>
  inTempFolder(async (folder) => {
    await writeImage(image, join(folder, "eye", "image.png"));
    await writeMask(mask, join(folder, "eye", "rater1.png"));
    await writeMask(mask, join(folder, "eye", "rater_with_part.png"));
    await Deno.writeTextFile(join(folder, "eye", "notes.txt"), "left eye");
    await Deno.writeTextFile(join(folder, "README.md"), "two eyes");
    await Deno.mkdir(join(folder, "scripts"));
    const { cases } = await folderDataset(folder);
    assert.equal(cases.length, 1);
    assert.equal(cases[0].id, "eye");
    assert.equal(cases[0].patient, "eye");
    assert.deepEqual(cases[0].raters, ["1", "with_part"]);
    assert.deepEqual((await cases[0].readMask("with_part")).data, mask.data);
  }));

Deno.test("folderDataset() hands its window on to the images", () =>
  inTempFolder(async (folder) => {
    await writeImage(image, join(folder, "eye", "image.png"));
    await writeMask(mask, join(folder, "eye", "rater1.png"));
    const { cases } = await folderDataset(folder, { window: [0, 102] });
    assert.equal((await cases[0].readImage()).get(0, 0, 0), 0.5);
  }));

Deno.test("folderDataset() hands its bound on pixels on to images and masks", () =>
  inTempFolder(async (folder) => {
    await writeImage(image, join(folder, "eye", "image.png"));
    await writeMask(mask, join(folder, "eye", "rater1.png"));
    const { cases: [eye] } = await folderDataset(folder, { maxPixels: 11 });
    const refusal = /RangeError: .* at most 11 pixels: current value is 4 x 3/;
    await assert.rejects(eye.readImage(), refusal);
    await assert.rejects(eye.readMask("1"), refusal);
  }));

Deno.test("folderDataset() refuses two masks of one rater", () =>
  inTempFolder(async (folder) => {
    await writeImage(image, join(folder, "eye", "image.png"));
    await writeMask(mask, join(folder, "eye", "rater1.png"));
    await writeMask(mask, join(folder, "eye", "rater_1.png"));
    await assert.rejects(
      folderDataset(folder),
      /RangeError: Cannot open dataset as case eye must have one mask of rater 1: current value is rater1\.png and rater_1\.png/,
    );
  }));

Deno.test("folderDataset() says what a case lacks", () =>
  inTempFolder(async (folder) => {
    await writeImage(image, join(folder, "eye", "image.png"));
    await assert.rejects(
      folderDataset(folder),
      /NotFound: Cannot open dataset as case eye must have a mask such as rater1\.png: current value has image\.png/,
    );
    await writeMask(mask, join(folder, "eye", "rater1.png"));
    await Deno.remove(join(folder, "eye", "image.png"));
    await assert.rejects(
      folderDataset(folder),
      /NotFound: Cannot open dataset as case eye must have image\.png: current value has rater1\.png/,
    );
  }));

Deno.test("openDataset() recognizes the LIDC crops, one split of them, and the plain layout", () =>
  inTempFolder(async (folder) => {
    await writeLidc(join(folder, "lidc"));
    await writeImage(image, join(folder, "plain", "eye", "image.png"));
    await writeMask(mask, join(folder, "plain", "eye", "rater1.png"));
    const ids = async (path: string) =>
      (await openDataset(join(folder, path))).cases.map(({ id }) => id);
    assert.deepEqual(await ids("lidc"), ["c1", "c2"]);
    assert.deepEqual(await ids("lidc/val"), ["c1", "c2"]);
    assert.deepEqual(await ids("plain"), ["eye"]);
  }));

Deno.test("openDataset() says so when a folder is missing, empty, or a file", () =>
  inTempFolder(async (folder) => {
    await assert.rejects(
      openDataset(join(folder, "nowhere")),
      /NotFound: Cannot open dataset as the folder must exist: current value is .*nowhere/,
    );
    await assert.rejects(
      openDataset(folder),
      /RangeError: Cannot open dataset as the folder must have cases/,
    );
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(
      openDataset(join(folder, "file")),
      /Cannot open dataset as its path must be a folder: current value is .*file/,
    );
  }));

Deno.test("a dataset says so when cases.json is not a list of cases", () =>
  inTempFolder(async (folder) => {
    await writeLidc(folder);
    for (const text of ["{", '{"a": 1}', "[1]"]) {
      await Deno.writeTextFile(join(folder, "cases.json"), text);
      await assert.rejects(
        openDataset(folder),
        /Cannot open dataset as .*cases\.json must be/,
      );
    }
  }));

const LIDC = new URL("../../../shared/data/lidc_crops/", import.meta.url);
const absent = !await Deno.stat(LIDC).catch(() => false);

Deno.test({
  name:
    "lidcCrops() opens the real crops, split by patient (skipped where ../shared is absent)",
  ignore: absent,
  async fn() {
    const folder = LIDC.pathname;
    const train = await lidcCrops(folder, { split: "train" });
    const val = await lidcCrops(folder, { split: "val" });
    assert.equal(train.cases.length, 531);
    assert.equal(val.cases.length, 117);
    const patients = new Set(train.cases.map(({ patient }) => patient));
    assert.ok(val.cases.every(({ patient }) => !patients.has(patient)));
    assert.ok(
      val.cases.every(({ spacing }) =>
        Number(spacing) > 0.4 && Number(spacing) < 1
      ),
    );
    const first = val.cases[0];
    assert.deepEqual((await first.readImage()).shape, [71, 71, 1]);
    assert.deepEqual((await first.readMask("0")).shape, [71, 71]);
  },
});
