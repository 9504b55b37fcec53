import assert from "node:assert/strict";
import { readImage } from "../../src/formats/read_image.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { element } from "../helpers/dicom_element.ts";
import {
  readReference,
  refusesFiles,
  sharedFile,
} from "../helpers/reference.ts";

/** A file and what pydicom 3.0.2 reads of it (tests/reference/make_dicom.py). */
interface Reference {
  name: string;
  file: string;
  shape: number[];
  values: number[];
  shown?: number[];
  error?: string;
}

const references = readReference<Reference>("dicom.jsonl");
const fileOf = (name: string) =>
  Uint8Array.fromBase64(references.find((r) => r.name === name)!.file);

Deno.test("readVolume() reads DICOM files as pydicom does, in every transfer syntax", async (t) => {
  assert.equal(references.length, 33);
  for (const { name, file, shape, values, error } of references) {
    if (error) continue;
    await t.step(name, async () => {
      const volume = await readVolume(Uint8Array.fromBase64(file));
      assert.deepEqual(volume.values.shape, shape);
      // Decoders of lossy JPEG may round differently.
      const most = name.startsWith("lossy") ? 2 : 0;
      values.forEach((value, i) =>
        assert.ok(
          Math.abs(volume.values.data[i] - value) <= most,
          `${i}: ${volume.values.data[i]} is not ${value}`,
        )
      );
    });
  }
});

Deno.test("readVolume() says what it misses in a file that it does not decode", async () => {
  const refused = references.filter(({ error }) => error);
  assert.equal(refused.length, 1);
  for (const { file, error } of refused) {
    await assert.rejects(
      readVolume(Uint8Array.fromBase64(file)),
      new RegExp(`TypeError: Cannot read image as .*current value is ${error}`),
    );
  }
});

Deno.test("readImage() shows a DICOM file in its own window, MONOCHROME1 inverted", async () => {
  for (const name of ["window", "window, MONOCHROME1"]) {
    const { shown, values } = references.find((r) => r.name === name)!;
    const image = await readImage(fileOf(name));
    image.data.forEach((value, i) => {
      const light = name === "window" ? shown![i] : 1 - shown![i];
      assert.ok(Math.abs(value - light) < 2e-6, `${name} ${i}`);
    });
    // The caller's window comes first.
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const wide = await readImage(fileOf(name), { window: [low, high] });
    const least = wide.data[values.indexOf(low)];
    assert.equal(least, name === "window" ? 0 : 1);
  }
});

Deno.test("readImage() takes a frame of a DICOM file with several", async () => {
  const { values } = await readVolume(fileOf("RLE, three frames"));
  const image = await readImage(fileOf("RLE, three frames"), {
    slice: 2,
    window: [0, 4096],
  });
  assert.equal(image.get(3, 1, 0), values.get(2, 3, 1, 0) / 4096);
});

Deno.test("readVolume() takes spacing from shared functional groups too", async () => {
  const { spacing } = await readVolume(fileOf("shared functional groups"));
  assert.deepEqual(spacing, [3, 0.5, 0.75]);
});

Deno.test("readVolume() rescales each frame by its own functional groups", async () => {
  const frame = (intercept: string, slope: string) => [
    ...element(0x28, 0x9110, "SQ", [
      [
        ...element(0x18, 0x50, "DS", "3"),
        ...element(0x28, 0x30, "DS", "0.5\\0.75"),
      ],
    ]),
    ...element(0x28, 0x9145, "SQ", [[
      ...element(0x28, 0x1052, "DS", intercept),
      ...element(0x28, 0x1053, "DS", slope),
    ]]),
  ];
  const file = Uint8Array.from([
    ...[...new Array(128).fill(0), ...new TextEncoder().encode("DICM")],
    ...element(2, 0x10, "UI", "1.2.840.10008.1.2.1"),
    ...element(0x28, 2, "US", 1),
    ...element(0x28, 4, "CS", "MONOCHROME2"),
    ...element(0x28, 8, "IS", "2"),
    ...element(0x28, 0x10, "US", 1),
    ...element(0x28, 0x11, "US", 2),
    ...element(0x28, 0x100, "US", 16),
    ...element(0x28, 0x101, "US", 16),
    ...element(0x28, 0x102, "US", 15),
    ...element(0x28, 0x103, "US", 0),
    ...element(0x5200, 0x9230, "SQ", [frame("-1024", "1"), frame("8", "0.5")]),
    ...element(0x7fe0, 0x10, "OW", Uint8Array.of(0, 4, 1, 4, 2, 0, 4, 0)),
  ]);
  const { values, spacing } = await readVolume(file);
  assert.deepEqual([...values.data], [0, 1, 9, 10]);
  assert.deepEqual(spacing, [3, 0.5, 0.75]);
});

Deno.test("readVolume() refuses colors that it cannot turn into red, green and blue", async () => {
  const file = fileOf("lossless JPEG, color");
  const rgb = element(0x28, 4, "CS", "RGB");
  const at = file.findIndex((_, i) => rgb.every((b, k) => file[i + k] === b));
  assert.ok(at > 0);
  const luma = Uint8Array.from([
    ...file.subarray(0, at),
    ...element(0x28, 4, "CS", "YBR_FULL_422"),
    ...file.subarray(at + rgb.length),
  ]);
  await assert.rejects(
    readVolume(luma),
    /must be RGB or YBR_FULL: current value is YBR_FULL_422/,
  );
});

/** A file with bytes replaced behind the first place where `tag` stands. */
function patched(name: string, tag: number[], ...bytes: number[]): Uint8Array {
  const file = fileOf(name);
  const at = file.findIndex((_, i) => tag.every((b, k) => file[i + k] === b));
  assert.ok(at > 0);
  file.set(bytes, at + tag.length);
  return file;
}

const ROWS = [0x28, 0x00, 0x10, 0x00, 0x55, 0x53, 0x02, 0x00];
const BITS = [0x28, 0x00, 0x00, 0x01, 0x55, 0x53, 0x02, 0x00];
const HIGH_BIT = [0x28, 0x00, 0x02, 0x01, 0x55, 0x53, 0x02, 0x00];
const FRAMES = [0x28, 0x00, 0x08, 0x00, 0x49, 0x53, 0x02, 0x00];

Deno.test("readVolume() refuses DICOM files that lie, are cut off or are damaged", async () => {
  const cases: [Uint8Array, RegExp][] = [
    [fileOf("explicit").subarray(0, -9), /undamaged|must have 60 bytes/],
    [fileOf("explicit").subarray(0, 200), /undamaged|rows and columns/],
    [fileOf("explicit").subarray(0, 140), /undamaged/],
    [fileOf("deflated").subarray(0, -9), /undamaged/],
    [patched("explicit", ROWS, 0xff, 0xff), /must have 655350 bytes/],
    [patched("explicit", ROWS, 0, 0), /must have frames, rows and columns/],
    [patched("explicit", BITS, 12, 0), /samples must have 1, 8, 16 or 32 bits/],
    [patched("explicit", HIGH_BIT, 40, 0), /samples must have/],
    [patched("three frames", FRAMES, 0x39, 0x39), /must have 5940 bytes/],
    [patched("RLE, signed", ROWS, 0xff, 0xff), /too few RLE bytes/],
    [patched("RLE, three frames", FRAMES, 0x39, 0x39), /must have 99 frames/],
    [patched("lossless JPEG, 8 bits", ROWS, 9, 0), /coded image must be 9 x 5/],
    [patched("lossy JPEG, 8 bits", ROWS, 9, 0), /coded image must be 9 x 16/],
    [patched("JPEG 2000, 8 bits", ROWS, 9, 0), /coded image must be 9 x 35/],
  ];
  await refusesFiles(readVolume, cases);
});

Deno.test("readVolume() does without a DICOM file's preamble, but not without its transfer syntax", async () => {
  const file = fileOf("explicit");
  const bare = file.slice(132);
  // The meta information begins with its length, as part 10 has it.
  assert.deepEqual([...bare.subarray(0, 6)], [2, 0, 0, 0, 0x55, 0x4c]);
  assert.deepEqual(await readVolume(bare), await readVolume(file));
  const dataSets = [
    element(8, 8, "CS", "ORIGINAL"),
    element(8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.7"),
    [8, 0, 5, 0, 10, 0, 0, 0, ...new TextEncoder().encode("ISO_IR 100")],
    [0, 8, 0, 5, ...new TextEncoder().encode("CS\0\x0aISO_IR 100")],
  ];
  await refusesFiles(
    readVolume,
    dataSets.map((bytes) => [
      Uint8Array.from(bytes),
      /a DICOM file must have its meta information \(group 0002\), which names its transfer syntax: current value is a data set without it/,
    ]),
  );
});

/** Of pydicom 3.0.2: apply_modality_lut(pixel_array). */
const REAL = {
  "CT_small.dcm": {
    shape: [1, 128, 128, 1],
    spacing: [5, 0.661468, 0.661468],
    range: [-896, 1167],
    sum: -1950906,
    at: [[20, 100, -53]],
  },
  "MR_small_implicit.dcm": {
    shape: [1, 64, 64, 1],
    spacing: [0.8, 0.3125, 0.3125],
    range: [127, 2145],
    sum: 2125338,
    at: [[20, 50, 585]],
  },
};

for (const [name, expected] of Object.entries(REAL)) {
  const path = sharedFile(`formats/${name}`);
  Deno.test({
    name: `readVolume() reads the real ${name} as pydicom does`,
    ignore: !path,
    async fn() {
      const { values, spacing } = await readVolume(path!);
      assert.deepEqual(values.shape, expected.shape);
      assert.deepEqual(spacing, expected.spacing);
      let [low, high, sum] = [Infinity, -Infinity, 0];
      for (const value of values.data) {
        [low, high] = [Math.min(low, value), Math.max(high, value)];
        sum += value;
      }
      assert.deepEqual([low, high, sum], [...expected.range, expected.sum]);
      for (const [row, column, value] of expected.at) {
        assert.equal(values.get(0, row, column, 0), value);
      }
    },
  });
}

const png = sharedFile("formats/ct_hu_plus_1024_16bit.png");
Deno.test({
  name: "readImage() reads a real 16-bit PNG of Hounsfield units + 1024",
  ignore: !png,
  async fn() {
    const image = await readImage(png!, { window: [0, 65535] });
    // numpy over Pillow's array of the same file
    const stored = [...image.data].map((value) => Math.round(value * 65535));
    assert.deepEqual(image.shape, [71, 71, 1]);
    assert.equal(Math.min(...stored), 84);
    assert.equal(Math.max(...stored), 1448);
    assert.equal(stored.reduce((sum, value) => sum + value), 1882045);
  },
});
