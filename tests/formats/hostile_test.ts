import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { createRandom } from "../../src/random.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { readReference } from "../helpers/reference.ts";

interface Reference {
  name: string;
  file: string;
}

const nifti = readReference<Reference>("nifti.jsonl");
const dicom = readReference<Reference>("dicom.jsonl");
const bytesOf = (list: Reference[], name: string) =>
  Uint8Array.fromBase64(list.find((r) => r.name === name)!.file);

/** The bytes of resident memory that a run adds. */
async function growth(run: () => Promise<void>): Promise<number> {
  const before = Deno.memoryUsage().rss;
  await run();
  return Deno.memoryUsage().rss - before;
}

/** A NIfTI-1 header that claims these sides of 8-bit values, and `values`. */
function claiming(sides: number[], values: Uint8Array): Uint8Array {
  const header = Uint8Array.from(
    gunzipSync(bytesOf(nifti, "sform RAS")).subarray(0, 352),
  );
  const view = new DataView(header.buffer);
  sides.forEach((side, i) => view.setInt16(42 + 2 * i, side, true));
  view.setInt16(70, 2, true);
  return Uint8Array.of(...header, ...values);
}

/** An NPY header that claims a shape, without values. */
const npyOf = (shape: string) => {
  const text =
    `NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`;
  const rest = new TextEncoder().encode(text.padEnd(126) + "\n");
  return Uint8Array.of(0x93, ...rest);
};

Deno.test("readVolume() refuses files that claim 10^9 voxels, in bounded memory", async () => {
  const few = new Uint8Array(100);
  const rows = bytesOf(dicom, "explicit");
  const at = rows.findIndex((_, i) =>
    [0x28, 0, 0x10, 0, 0x55, 0x53, 2, 0].every((b, k) => rows[i + k] === b)
  );
  rows.set([0xff, 0xff], at + 8);
  rows.set([0xff, 0xff], at + 18); // columns, the next element
  const files = [
    claiming([1000, 1000, 1000], few),
    claiming([500, 500, 500], few),
    gzipSync(claiming([1000, 1000, 1000], few)),
    gzipSync(claiming([500, 500, 500], few)),
    npyOf("1000, 1000, 1000"),
    npyOf("500, 500, 500"),
    npyOf("99999999999999999999, 2"),
    zipSync({ "image.npy": npyOf("500, 500, 500") }),
    rows,
  ];
  for (const [i, file] of files.entries()) {
    const grown = await growth(() =>
      assert.rejects(
        readVolume(file),
        /(RangeError|TypeError): Cannot read image as .* (voxels|bytes)/,
        `${i}`,
      )
    );
    assert.ok(grown < 32 * 2 ** 20, `${i}: ${grown} bytes more`);
  }
});

Deno.test("readVolume() stops a gzip bomb at what its header claims", async () => {
  // A header that claims 100 voxels, then members of 8 MiB of zeros: 1 GiB.
  const member = gzipSync(new Uint8Array(2 ** 23), { level: 9 });
  const start = gzipSync(claiming([10, 10, 1], new Uint8Array(0)));
  const bomb = new Uint8Array(start.length + 128 * member.length);
  bomb.set(start);
  for (let i = 0; i < 128; i++) {
    bomb.set(member, start.length + i * member.length);
  }
  const grown = await growth(() =>
    assert.rejects(
      readVolume(bomb),
      /TypeError: Cannot read image as it must inflate to the \d+ bytes of its header at most: current value is a longer stream/,
    )
  );
  assert.ok(grown < 64 * 2 ** 20, `${grown} bytes more`);
});

Deno.test("readVolume() refuses more voxels than the caller allows", async () => {
  const bytes = bytesOf(nifti, "sform RAS");
  await assert.rejects(
    readVolume(bytes, { maxVoxels: 23 }),
    /RangeError: Cannot read image as it must have 1 \.\. 23 voxels: current value is 2 x 3 x 4 x 1/,
  );
  assert.equal((await readVolume(bytes, { maxVoxels: 24 })).values.size, 24);
});

Deno.test("readImage() answers every damaged file with an image or a clear error, in bounded memory", async () => {
  const random = createRandom(5);
  const files = [...nifti.slice(48), ...dicom]
    .map(({ file }) => Uint8Array.fromBase64(file));
  let [read, refused] = [0, 0];
  const grown = await growth(async () => {
    for (let round = 0; round < 12; round++) {
      for (const file of files) {
        const damaged = file.slice(
          0,
          round % 4 ? file.length : random.integer(file.length) + 1,
        );
        for (let change = 0; change < 1 + round; change++) {
          // Headers matter most.
          const reach = random.integer(2) ? damaged.length : 600;
          const place = random.integer(Math.min(reach, damaged.length));
          damaged[place] = random.integer(256);
        }
        try {
          await readImage(damaged, { maxVoxels: 2 ** 20 });
          read++;
        } catch (error) {
          assert.ok(
            error instanceof TypeError || error instanceof RangeError,
            `${(error as Error).stack}`,
          );
          assert.match(
            error.message,
            /^Cannot (read|slice) .*current value is/s,
          );
          refused++;
        }
      }
    }
  });
  assert.ok(read > 100 && refused > 100, `${read} read, ${refused} refused`);
  assert.ok(grown < 256 * 2 ** 20, `${grown} bytes more`);
});

Deno.test("readVolume() refuses a JPEG-LS image without its end, which the decoder would look for for ever", async () => {
  const kinds = readReference<Reference>("dicom_kinds.jsonl")
    .filter(({ name }) => name.startsWith("JPEG-LS"));
  assert.ok(kinds.length >= 8);
  for (const { name } of kinds) {
    const whole = bytesOf(kinds, name);
    const end = whole.toHex().lastIndexOf("ffd9") / 2;
    assert.ok(Number.isInteger(end) && end > 0, name);
    await readVolume(whole);
    const cut = whole.slice();
    cut.fill(0, end - 2, end + 2); // and the last two bytes of samples
    await assert.rejects(
      readVolume(cut),
      /^TypeError: Cannot read image as a JPEG-LS image must be complete: current value is no end marker/,
      name,
    );
  }
});

Deno.test("readVolume() refuses a JPEG 2000 image with fewer samples than pixels, which a decoder would look for for ever", async () => {
  const kinds = readReference<Reference>("dicom_kinds.jsonl");
  const coded = kinds.filter(({ name }) => /HTJ2K|JPEG 2000/.test(name));
  assert.ok(coded.length >= 2, `${kinds.map(({ name }) => name)}`);
  for (const { name } of coded) {
    const whole = bytesOf(kinds, name);
    await readVolume(whole);
    const damaged = whole.slice();
    damaged[whole.toHex().indexOf("ff4fff51") / 2 + 44] = 57;
    await assert.rejects(
      readVolume(damaged),
      /^TypeError: Cannot read image as its coded image must have a sample of each component for every pixel: current value is one for 1 x 57/,
      name,
    );
  }
});
