import assert from "node:assert/strict";
import { join } from "node:path";
import { CommandLine } from "../../src/commands/command_line.ts";
import { VolumeCache } from "../../src/datasets/_volume_cases.ts";
import { DATA_OPTIONS, openCases } from "../../src/commands/command_cases.ts";
import { folderDataset } from "../../src/datasets/layouts.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** An NPY file of bytes. */
function npy(shape: number[], values: ArrayLike<number>): Uint8Array {
  const header =
    `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape})}`;
  const text = new TextEncoder().encode(`${header.padEnd(117)}\n`);
  const head = [0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0];
  return Uint8Array.of(...head, ...text, ...Array.from(values));
}

const folder = await temporaryFolder();

async function write(name: string, bytes: Uint8Array) {
  const path = join(folder, name);
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeFile(path, bytes);
  return path;
}

Deno.test("VolumeCache lets go of what was not used for longest", async () => {
  const files: string[] = [];
  for (const name of ["a.npy", "b.npy", "c.npy"]) {
    files.push(await write(name, npy([2, 2, 4], new Uint8Array(16))));
  }
  const [a, b, c] = files;
  const cache = new VolumeCache(2 * 16 * 4); // two of 16 values
  const [first, second] = [await cache.image(a), await cache.image(b)];
  assert.equal(await cache.image(a), first);
  await cache.image(c); // in place of b, which came after a but was used before it
  assert.equal(await cache.image(a), first);
  assert.notEqual(await cache.image(b), second);
});

Deno.test("VolumeCache keeps a mask in a byte per voxel, inside where any channel is above 0", async () => {
  const values = [0, 7, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
  const cache = new VolumeCache();
  const one = await cache.mask(await write("one.npy", npy([2, 2, 4], values)));
  assert.deepEqual(one!.inside.shape, [2, 2, 4]);
  assert.deepEqual([...one!.inside.data], values.map((v) => v > 0 ? 1 : 0));
  const two = await cache.mask(
    await write("two.npy", npy([2, 2, 2, 2], values)),
  );
  assert.deepEqual(two!.inside.shape, [2, 2, 2]);
  assert.deepEqual([...two!.inside.data], [1, 0, 1, 0, 0, 0, 0, 1]);
});

Deno.test("folderDataset() opens a scan by its masks and the image's header alone", async () => {
  const marked = Array.from({ length: 16 }, (_, i) => i === 5 ? 1 : 0);
  const home = join(folder, "scans");
  const image = npy([4, 2, 2], marked.map((_, i) => i));
  await write("scans/scan/image.npy", image.subarray(0, -1));
  await write("scans/scan/rater1.npy", npy([4, 2, 2], marked));
  const { cases: [slice] } = await folderDataset(home);
  assert.equal(slice.id, "scan_slice001");
  const mask = await slice.readMask("1");
  assert.deepEqual([...mask.data], [0, 1, 0, 0]);
  mask.data.fill(1); // the user's own
  assert.deepEqual([...(await slice.readMask("1")).data], [0, 1, 0, 0]);
  await assert.rejects(slice.readImage(), /must hold its header's 144 bytes/);
  await write("scans/scan/image.npy", image);
  assert.equal((await slice.readImage()).get(0, 0, 0), Math.fround(4 / 255));
});

Deno.test("--max-voxels of the commands bounds the volumes of --data", async () => {
  await write("few/scan/image.npy", npy([4, 2, 2], new Uint8Array(16)));
  const marked = new Uint8Array(16).fill(1, 4, 8);
  await write("few/scan/rater1.npy", npy([4, 2, 2], marked));
  const open = (most: string) =>
    openCases(
      new CommandLine(
        {
          action: "evaluate",
          usage: [],
          about: "",
          options: { "": DATA_OPTIONS },
        },
        ["--max-voxels", most, "--data", join(folder, "few")],
      ),
      "val",
    );
  const [{ dataset: { cases: [slice] } }] = await open("16");
  assert.deepEqual((await slice.readImage()).shape, [2, 2, 1]);
  await assert.rejects(
    open("15"),
    /RangeError: Cannot read image as it must have 1 \.\. 15 voxels: current value is 4 x 2 x 2/,
  );
});

Deno.test("VolumeCache holds a scan and the masks of four raters, however large it is", async () => {
  const files: string[] = [];
  for (const name of ["scan", "1", "2", "3", "4"]) {
    files.push(await write(`${name}.npy`, npy([2, 2, 4], new Uint8Array(16))));
  }
  const [scan, ...masks] = files;
  const cache = new VolumeCache(0);
  const read = async () => [
    await cache.image(scan),
    ...await Promise.all(masks.map((path) => cache.mask(path))),
  ];
  const first = await read();
  (await read()).forEach((volume, i) => assert.equal(volume, first[i]));
});
