import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { checkTarget, writeFileAtomic } from "../../src/files.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { writeMask } from "../../src/formats/write_mask.ts";

async function inTempFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeImage() and readImage() return 8 and 16 bits, gray and color", () =>
  inTempFolder(async (folder) => {
    for (const channels of [1, 3]) {
      for (const depth of [8, 16] as const) {
        const top = 2 ** depth - 1;
        const values = Float32Array.from(
          { length: 20 * channels },
          (_, i) => ((i * 977) % (top + 1)) / top,
        );
        values.set([0, 1]);
        const image = ndarray(values, [4, 5, channels]);
        const path = join(folder, "image.png");
        await writeImage(image, path, { depth });
        const back = await readImage(path, { window: [0, top] });
        assert.deepEqual(back.shape, image.shape);
        assert.deepEqual(back.data, values);
      }
    }
  }));

Deno.test("writeImage() clips values outside 0..1 and writes NaN as 0", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "image.png");
    await writeImage(
      ndarray(Float32Array.of(-1, 2, NaN, 0.5), [2, 2, 1]),
      path,
    );
    const { data } = await readImage(path);
    assert.deepEqual([...data], [0, 1, 0, Math.fround(128 / 255)]);
  }));

Deno.test("writeMask() writes a view as it is seen", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "mask.png");
    const mask = ndarray(Uint8Array.of(0, 1, 1, 0, 0, 1), [2, 3]);
    await writeMask(mask.transpose(1, 0), path);
    const back = await readMask(path);
    assert.deepEqual(back.shape, [3, 2]);
    assert.deepEqual([...back.data], [0, 0, 1, 0, 1, 1]);
  }));

Deno.test("writeImage() and writeMask() refuse other shapes and depths", async () => {
  const flat = ndarray(new Float32Array(6), [2, 3]);
  await assert.rejects(
    writeImage(flat, "never.png"),
    /RangeError: Cannot write image as its shape must be \[H, W, 1\] or \[H, W, 3\]: current value is \[2,3\]/,
  );
  await assert.rejects(
    writeImage(ndarray(new Float32Array(6), [2, 3, 1]), "never.png", {
      depth: 12 as 8,
    }),
    /RangeError: Cannot write image as depth must be 8 or 16: current value is 12/,
  );
  await assert.rejects(
    writeMask(ndarray(new Uint8Array(6), [6]), "never.png"),
    /RangeError: Cannot write mask as its shape must be \[H, W\] or \[D, H, W\]: current value is \[6\]/,
  );
  await assert.rejects(
    writeMask(ndarray(new Uint8Array(0), [0, 3]), "never.png"),
    /must have pixels: current value is 0 x 3/,
  );
});

Deno.test("writeFileAtomic() makes folders and leaves one file", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "a", "b #1", "file.bin");
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    await writeFileAtomic(path, Uint8Array.of(3));
    assert.deepEqual(await Deno.readFile(path), Uint8Array.of(3));
    const names = [...Deno.readDirSync(join(folder, "a", "b #1"))];
    assert.deepEqual(names.map(({ name }) => name), ["file.bin"]);
  }));

Deno.test("writeFileAtomic() leaves nothing behind where it cannot write", () =>
  inTempFolder(async (folder) => {
    await Deno.mkdir(join(folder, "taken"));
    await assert.rejects(
      writeFileAtomic(join(folder, "taken"), Uint8Array.of(1)),
    );
    const names = [...Deno.readDirSync(folder)];
    assert.deepEqual(names.map(({ name }) => name), ["taken"]);
  }));

Deno.test("checkTarget() makes the folder, and names what cannot be a file", () =>
  inTempFolder(async (folder) => {
    await checkTarget(join(folder, "new", "file.csv"));
    assert.ok((await Deno.stat(join(folder, "new"))).isDirectory);
    await assert.rejects(
      checkTarget(join(folder, "new")),
      /its name must not be a folder's: current value is .*new$/,
    );
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(
      checkTarget(join(folder, `${"x".repeat(230)}.csv`)), // so would be a read-only folder
      /it must be possible to write there \(.*\): current value is .*x.csv$/s,
    );
    assert.deepEqual([...Deno.readDirSync(join(folder, "new"))], []);
    await assert.rejects(
      checkTarget(join(folder, "file", "x.csv")),
      /its folder must be one that can be made: current value is .*x.csv$/,
    );
  }));
