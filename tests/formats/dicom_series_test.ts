import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { unzlibSync } from "fflate";
import { folderDataset } from "../../src/datasets/layouts.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { readReference, sharedFile } from "../helpers/reference.ts";

/** The files of a folder, and what ITK and nibabel make of them, or an error's words. */
interface Reference {
  name: string;
  files: Record<string, string>;
  shape: [number, number, number];
  values: number[];
  spacing: number[];
  affine: number[];
  error?: string;
}

const references = readReference<Reference>("dicom_series.jsonl");

/** Runs with a folder of files, which is removed after. */
async function inFolder(
  files: Record<string, Uint8Array>,
  run: (folder: string) => Promise<void>,
) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.writeFile(join(folder, name), bytes);
    }
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function filesOf(name: string): Record<string, Uint8Array> {
  const { files } = references.find((entry) => entry.name === name)!;
  return Object.fromEntries(
    Object.entries(files).map(([file, text]) => [
      file,
      unzlibSync(Uint8Array.fromBase64(text)),
    ]),
  );
}

function close(actual: readonly number[], expected: number[], within = 1e-4) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert.ok(
      Math.abs(value - expected[i]) <= within,
      `${i}: ${value} is not ${expected[i]}`,
    )
  );
}

Deno.test("readVolume() stacks the files of a folder as ITK does, in nibabel's affine", async (t) => {
  const stacked = references.filter(({ error }) => !error);
  assert.ok(stacked.length >= 9);
  for (const { name, shape, values, spacing, affine } of stacked) {
    await t.step(name, () =>
      inFolder(filesOf(name), async (folder) => {
        const volume = await readVolume(folder);
        assert.deepEqual(volume.values.shape, [...shape, 1]);
        close([...volume.values.data], values, 0);
        close(volume.spacing!, spacing);
        close(volume.affine!, affine);
      }));
  }
});

Deno.test("readVolume() refuses files that make no grid, and says which", async (t) => {
  const refused = references.filter(({ error }) => error);
  assert.ok(refused.length >= 16);
  for (const { name, error } of refused) {
    await t.step(name, () =>
      inFolder(filesOf(name), async (folder) => {
        await assert.rejects(readVolume(folder), (thrown: Error) => {
          assert.ok(thrown instanceof TypeError, `${thrown}`);
          assert.match(
            thrown.message,
            /^Cannot read image as .*: current value/,
          );
          assert.match(thrown.message, new RegExp(error!));
          assert.ok(thrown.message.includes(folder));
          return true;
        });
      }));
  }
});

Deno.test("readVolume() of a folder takes one file, and leaves out what is no DICOM file", async () => {
  const [[, only]] = Object.entries(filesOf("coronal"));
  const other = new TextEncoder().encode("notes");
  const files = { "LICENSE": other, ".hidden": only, "DICOMDIR": only };
  await inFolder(files, async (folder) => {
    await assert.rejects(
      readVolume(folder),
      /TypeError: Cannot read image as a folder must have DICOM files with images: current value is none/,
    );
    await Deno.writeFile(join(folder, "only"), only);
    await Deno.mkdir(join(folder, "more"));
    const volume = await readVolume(pathToFileURL(folder));
    assert.deepEqual(volume, await readVolume(only));
    assert.deepEqual(volume.spacing, [9, 0.7, 0.9]); // the slice's thickness
  });
});

Deno.test("readVolume() refuses a series that is too large before it makes room for it", () =>
  inFolder(filesOf("axial, shuffled"), async (folder) => {
    const of5 = 5 * 3 * 4;
    assert.equal(
      (await readVolume(folder, { maxVoxels: of5 })).values.size,
      of5,
    );
    await assert.rejects(
      readVolume(folder, { maxVoxels: of5 - 1 }),
      /RangeError: Cannot read image as it must have 1 \.\. 59 voxels: current value is 5 x 3 x 4 x 1/,
    );
  }));

Deno.test("readImage() takes a slice of a series, in physical values", () =>
  inFolder(filesOf("axial, shuffled"), async (folder) => {
    const { values } = await readVolume(folder);
    const image = await readImage(folder, { slice: 3, window: [-2000, 2000] });
    assert.deepEqual(image.shape, [3, 4, 1]);
    const value = (values.get(3, 2, 1, 0) + 2000) / 4000;
    assert.ok(Math.abs(image.get(2, 1, 0) - value) < 1e-6);
  }));

Deno.test('folderDataset() takes a series in a folder "image"', () =>
  inFolder({}, async (folder) => {
    await Deno.mkdir(join(folder, "a", "image"), { recursive: true });
    for (const [name, bytes] of Object.entries(filesOf("sagittal"))) {
      await Deno.writeFile(join(folder, "a", "image", name), bytes);
    }
    // An NPY mask, [4, 3, 4], of which slice 2 is marked.
    const header =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3, 4)}";
    const text = `${header.padEnd(117)}\n`;
    const mask = new Uint8Array(128 + 48);
    mask.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);
    mask.set(new TextEncoder().encode(text), 10);
    mask[128 + 2 * 12 + 5] = 1;
    await Deno.writeFile(join(folder, "a", "rater1.npy"), mask);
    const { cases } = await folderDataset(folder);
    assert.deepEqual(cases.map(({ id }) => id), ["a_slice002"]);
    assert.deepEqual((await cases[0].readImage()).shape, [3, 4, 1]);
    assert.equal((await cases[0].readMask("1")).get(1, 1), 1);
  }));

const ct = sharedFile("formats/CT_small.dcm");
Deno.test({
  name: "readVolume() stacks copies of a real CT slice, 5 mm apart",
  ignore: !ct,
  async fn() {
    const bytes = await Deno.readFile(ct!);
    // The z of its position, -75.699997, in other files of the same length.
    const text = new TextDecoder("latin1").decode(bytes);
    const at = text.indexOf("\\-75.699997");
    assert.ok(at > 0 && text.indexOf("\\-75.699997", at + 1) < 0);
    const files: Record<string, Uint8Array> = {};
    for (const z of ["-60.699997", "-75.699997", "-65.699997", "-70.699997"]) {
      const file = bytes.slice();
      file.set(new TextEncoder().encode(z), at + 1);
      files[`${Object.keys(files).length}.dcm`] = file;
    }
    await inFolder(files, async (folder) => {
      const series = await readVolume(folder);
      const slice = await readVolume(ct!);
      assert.deepEqual(series.values.shape, [4, 128, 128, 1]);
      for (let i = 0; i < 4; i++) {
        const own = series.values.data.slice(i * 128 ** 2, (i + 1) * 128 ** 2);
        assert.deepEqual(own, slice.values.data);
      }
      // Its slices are stated to be as thick as these are apart.
      close(series.spacing!, [...slice.spacing!]);
      close(series.affine!, [...slice.affine!]);
      assert.deepEqual(series.window, slice.window);
    });
  },
});
