import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { splitNote } from "../../src/commands/command_cases.ts";
import { openDataset } from "../../src/datasets/open_dataset.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const image = ndarray(new Float32Array(4), [2, 2, 1]);
const mask = ndarray(Uint8Array.of(0, 1, 1, 0), [2, 2]);

async function writeCases(...folders: string[]) {
  for (const folder of folders) {
    await writeImage(image, join(folder, "image.png"));
    await writeMask(mask, join(folder, "rater1.png"));
  }
}

async function writeList(folder: string, cases: Record<string, string>[]) {
  await Deno.writeTextFile(join(folder, "cases.json"), JSON.stringify(cases));
}

/** What a split of a folder opens as. */
async function opened(folder: string, split?: "train" | "val" | "test") {
  const { name, cases, split: own } = await openDataset(folder, { split });
  return [
    name.slice(name.lastIndexOf("/") + 1),
    own,
    cases.map(({ id }) => id),
  ];
}

Deno.test("openDataset() parts a plain folder's cases as cases.json says", async () => {
  const home = await temporaryFolder();
  const folder = join(home, "eyes");
  await writeCases(...["a", "b", "c", "d"].map((id) => join(folder, id)));
  await writeList(folder, [
    { case: "a", patient: "P1", split: "train" },
    { case: "b", split: "val" },
    { case: "c", patient: "P1", split: "train" },
    { case: "d", split: "train" },
  ]);
  assert.deepEqual(await opened(folder), ["eyes, val", "val", ["b"]]);
  assert.deepEqual(
    await opened(folder, "train"),
    ["eyes, train", "train", ["a", "c", "d"]],
  );
  await assert.rejects(
    openDataset(folder, { split: "test" }),
    /RangeError: Cannot open dataset as cases\.json must give cases to split test: current value is train, val \(.*eyes\)/,
  );
});

Deno.test("openDataset() refuses a cases.json that parts some cases only, or a patient", async () => {
  const folder = await temporaryFolder();
  await writeCases(join(folder, "a"), join(folder, "b"));
  for (const split of [undefined, "Training"]) {
    await writeList(folder, [
      { case: "a", split: "train" },
      { case: "b", ...(split && { split }) },
    ]);
    await assert.rejects(
      openDataset(folder),
      new RegExp(
        `RangeError: Cannot open dataset as case b must have the split train, val or test, as others have one, in .*cases\\.json: current value is ${
          split ?? "none"
        }`,
      ),
    );
  }
  await writeList(folder, [
    { case: "a", patient: "P1", split: "train" },
    { case: "b", patient: "P1", split: "val" },
  ]);
  await assert.rejects(
    openDataset(folder, { split: "train" }),
    /RangeError: Cannot open dataset as all cases of patient P1 must be of one split in .*cases\.json: current value is train and val/,
  );
});

Deno.test("openDataset() takes plain cases from folders train, val and test", async () => {
  const home = await temporaryFolder();
  const folder = join(home, "eyes");
  await writeCases(
    join(folder, "train", "a"),
    join(folder, "train", "b"),
    join(folder, "test", "c"),
  );
  await writeList(join(folder, "train"), [{ case: "b", patient: "P1" }]);
  assert.deepEqual(
    await opened(folder, "train"),
    ["eyes, train", "train", ["a", "b"]],
  );
  const { cases } = await openDataset(folder, { split: "train" });
  assert.deepEqual(cases.map(({ patient }) => patient), ["a", "P1"]);
  assert.deepEqual(await opened(folder, "test"), ["eyes, test", "test", ["c"]]);
  await assert.rejects(
    openDataset(folder),
    /NotFound: Cannot open dataset as split val must be in .*eyes as val: current value has test, train/,
  );
  // One of them by itself is that split, whatever is asked for.
  assert.deepEqual(
    await opened(join(folder, "train"), "val"),
    ["train", "train", ["a", "b"]],
  );
});

Deno.test("a plain folder without splits has one case called train, and all its cases in every split", async () => {
  const home = await temporaryFolder();
  const folder = join(home, "rail");
  await writeCases(join(folder, "bus"), join(folder, "train"));
  for (const split of ["train", "val", "test"] as const) {
    assert.deepEqual(
      await opened(folder, split),
      ["rail", undefined, ["bus", "train"]],
    );
  }
});

Deno.test("splitNote() speaks where training and evaluation would share cases, and only there", () => {
  const note = (
    split: "train" | "val" | "test" | undefined,
    asked: "train" | "val" | "test",
  ) => splitNote({ name: "eyes", cases: [], split }, asked);
  assert.equal(
    note(undefined, "val"),
    'eyes: these cases have no split: training and evaluation would use the same ones; folders train and val, or "split" in cases.json, part them',
  );
  assert.equal(note(undefined, "train"), note(undefined, "val"));
  assert.equal(
    note("train", "val"),
    "eyes: this folder is split train itself, not val: training and evaluation would use the same cases",
  );
  assert.match(note("val", "train")!, /split val itself, not train/);
  for (const split of ["train", "val", "test"] as const) {
    assert.equal(note(split, split), undefined);
  }
  assert.equal(note("test", "val"), undefined);
});

Deno.test("a folder that is a split of QUBIQ or REFUGE2 says which", async () => {
  const folder = await temporaryFolder();
  const qubiq = join(folder, "kidney");
  const refuge = join(folder, "refuge");
  await writeMask(mask, join(refuge, "Training-400", "g1", "g1_seg_cup_1.png"));
  await writeImage(image, join(refuge, "Training-400", "g1", "g1.png"));
  await Deno.mkdir(join(qubiq, "Training", "case01"), { recursive: true });
  for (const file of ["image.nii", "task01_seg01.nii"]) {
    await Deno.writeFile(join(qubiq, "Training", "case01", file), flatNifti);
  }
  for (
    const [path, split] of [
      [join(qubiq, "Training"), "train"],
      [join(refuge, "Training-400"), "train"],
    ] as const
  ) {
    assert.equal((await openDataset(path)).split, split);
  }
  assert.equal((await openDataset(qubiq, { split: "train" })).split, "train");
  for (const [path, name] of [[qubiq, "Training"], [refuge, "Training-400"]]) {
    await assert.rejects(
      openDataset(path),
      new RegExp(
        `NotFound: Cannot open dataset as split val must be in .*: current value has ${name}`,
      ),
    );
  }
});

/** A NIfTI-1 file of 2 x 2 bytes. */
const flatNifti = (() => {
  const bytes = new Uint8Array(356);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [2, 2, 2].forEach((side, i) => view.setInt16(40 + 2 * i, side, true));
  view.setInt16(70, 2, true); // uint8
  view.setInt16(72, 8, true);
  view.setFloat32(108, 352, true);
  bytes.set(new TextEncoder().encode("n+1"), 344);
  bytes.fill(1, 352);
  return bytes;
})();

Deno.test("openDataset() recognizes a layout behind a folder that is no case", async () => {
  const folder = await temporaryFolder();
  const qubiq = join(folder, "kidney");
  const refuge = join(folder, "refuge");
  const cases = [
    join(qubiq, "Validation", "case02"),
    join(refuge, "Validation-400", "n1"),
  ];
  for (const path of cases) {
    await Deno.mkdir(join(path, "..", "__MACOSX"), { recursive: true });
    await Deno.mkdir(path);
  }
  for (const file of ["image.nii", "task01_seg01.nii"]) {
    await Deno.writeFile(join(cases[0], file), flatNifti);
  }
  await writeImage(image, join(cases[1], "n1.png"));
  await writeMask(mask, join(cases[1], "n1_seg_cup_1.png"));
  // An image without masks comes first.
  await Deno.mkdir(join(qubiq, "Validation", "case01"));
  await Deno.writeFile(
    join(qubiq, "Validation", "case01", "image.nii"),
    flatNifti,
  );
  const { name, cases: [first] } = await openDataset(qubiq);
  assert.deepEqual([name, first.id], [
    "QUBIQ kidney task01, Validation",
    "case02",
  ]);
  assert.equal((await openDataset(refuge)).name, "REFUGE2 cup, Validation-400");
});

Deno.test("openDataset() opens the test split of the LIDC crops, by name and by folder", async () => {
  const folder = await temporaryFolder();
  for (const [split, id] of [["train", "c1"], ["val", "c2"], ["test", "c3"]]) {
    await writeImage(image, join(folder, split, "images", "P", `${id}.png`));
    for (const rater of [0, 1, 2, 3]) {
      const path = join(folder, split, "gt", "P", `${id}_l${rater}.png`);
      await writeMask(mask, path);
    }
  }
  const test = ["LIDC crops, test", "test", ["c3"]];
  assert.deepEqual(await opened(folder, "test"), test);
  assert.deepEqual(await opened(join(folder, "test")), test);
  assert.deepEqual(await opened(folder), ["LIDC crops, val", "val", ["c2"]]);
  await Deno.remove(join(folder, "test"), { recursive: true });
  await assert.rejects(
    openDataset(folder, { split: "test" }),
    /NotFound: Cannot open dataset as split test must be in .* as test: current value has train, val/,
  );
});
