import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import {
  readVolume,
  type Volume,
  volumeSlice,
} from "../../src/formats/volume.ts";
import {
  readReference,
  refusesFiles,
  sharedFile,
} from "../helpers/reference.ts";

/** A file and what nibabel 5.4.2 reads of it, nearest to RAS+ (tests/reference/make_nifti.py). */
interface Reference {
  name: string;
  file: string;
  shape: number[];
  values: number[];
  affine: number[];
}

const references = readReference<Reference>("nifti.jsonl");
const fileOf = (name: string) =>
  Uint8Array.fromBase64(references.find((r) => r.name === name)!.file);

/** A volume's values as nibabel orders them: [x, y, z, c], x to the right, y to anterior, z to superior. */
function rasValues({ values }: Volume): number[] {
  const [depth, height, width, channels] = values.shape;
  const list: number[] = [];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      for (let z = 0; z < depth; z++) {
        for (let c = 0; c < channels; c++) {
          list.push(values.get(z, height - 1 - y, width - 1 - x, c));
        }
      }
    }
  }
  return list;
}

/** Where an affine puts a voxel. */
const place = (affine: readonly number[], at: number[]) =>
  [0, 4, 8].map((row) =>
    [...at, 1].reduce((sum, index, k) => sum + affine[row + k] * index, 0)
  );

function assertAsNibabel(volume: Volume, expected: Reference) {
  const { name, shape, values, affine } = expected;
  const [x, y, z] = shape;
  assert.deepEqual(volume.values.shape.slice(0, 3), [z, y, x], name);
  assert.deepEqual(
    rasValues(volume),
    values.map((value) => Math.fround(value)),
    name,
  );
  for (const [i, j, k] of [[0, 0, 0], [x - 1, 0, 0], [0, y - 1, z - 1]]) {
    const ours = place(volume.affine!, [x - 1 - i, y - 1 - j, k]);
    place(affine, [i, j, k]).forEach((millimeters, axis) =>
      assert.ok(Math.abs(ours[axis] - millimeters) < 1e-4, name)
    );
  }
}

Deno.test("readVolume() reads and orients NIfTI files as nibabel does", async () => {
  assert.equal(references.length, 106);
  for (const reference of references) {
    const volume = await readVolume(Uint8Array.fromBase64(reference.file));
    assertAsNibabel(volume, reference);
  }
});

Deno.test("readVolume() gives millimeters between slices, rows and columns", async () => {
  // Zooms 1.5, 2, 3 along stored x, y, z.
  const { spacing } = await readVolume(fileOf("sform RAS"));
  assert.deepEqual(spacing, [3, 2, 1.5]);
  const turned = await readVolume(fileOf("sform SRA")); // x is superior
  assert.deepEqual(turned.spacing, [1.5, 3, 2]);
});

Deno.test("readVolume() takes meters and micrometers for what they are", async () => {
  for (const [unit, factor] of [[1, 1000], [2, 1], [3, 0.001], [0, 1]]) {
    const bytes = Uint8Array.from(gunzipSync(fileOf("sform RAS")));
    bytes[123] = unit;
    const { spacing, affine } = await readVolume(bytes);
    assert.deepEqual(spacing, [3 * factor, 2 * factor, 1.5 * factor]);
    assert.equal(affine![11], 30 * factor);
  }
});

Deno.test("readVolume() passes over an sform that is not invertible", async () => {
  const bytes = Uint8Array.from(gunzipSync(fileOf("sform RAS")));
  bytes.fill(0, 280, 328);
  const { affine, spacing } = await readVolume(bytes);
  // Neither form: x to the left, the origin in the middle of 2 x 3 x 4 voxels.
  assert.deepEqual(spacing, [3, 2, 1.5]);
  assert.deepEqual(place(affine!, [0.5, 1, 1.5]).map(Math.abs), [0, 0, 0]);
});

Deno.test("readImage() shows slices as radiologists see them", async () => {
  // Stored (x, y, z) = 12 x + 4 y + z, RAS: shown [z, 2 - y, 1 - x].
  const bytes = fileOf("sform RAS");
  const window: [number, number] = [0, 100];
  const shown = async (options: { axis?: 0 | 1 | 2; slice: number }) => {
    const image = await readImage(bytes, { window, ...options });
    return [image.shape, [...image.data].map((v) => Math.round(v * 100))];
  };
  assert.deepEqual(await shown({ slice: 1 }), [
    [3, 2, 1],
    [21, 9, 17, 5, 13, 1], // anterior row first, right column first
  ]);
  assert.deepEqual(await shown({ axis: 1, slice: 0 }), [
    [4, 2, 1],
    [23, 11, 22, 10, 21, 9, 20, 8], // superior row first
  ]);
  assert.deepEqual(await shown({ axis: 2, slice: 1 }), [
    [4, 3, 1],
    [11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0], // anterior column first
  ]);
});

Deno.test("readImage() takes the middle slice, or the only one, by default", async () => {
  const bytes = fileOf("sform RAS");
  const middle = await readImage(bytes, { slice: 2 });
  assert.deepEqual((await readImage(bytes)).data, middle.data);
  const coronal = await readImage(fileOf("coronal, one slice"));
  assert.deepEqual(coronal.shape, [3, 2, 1]);
});

Deno.test("readImage() takes the percentiles of the whole volume, channel by channel", async () => {
  const bytes = fileOf("four dimensions"); // ALI; values 4 (6 x + 2 y + z) + c
  const image = await readImage(bytes, { slice: 0, channels: [2] });
  // numpy.percentile(range(2, 48, 4), [0.5, 99.5]) = 2.22, 45.78
  const { values } = await readVolume(bytes);
  image.data.forEach((value, i) => {
    const hu = values.get(0, Math.floor(i / 3), i % 3, 2);
    const expected = Math.min(Math.max((hu - 2.22) / (45.78 - 2.22), 0), 1);
    assert.ok(Math.abs(value - expected) < 1e-6);
  });
  await assert.rejects(
    readImage(bytes),
    /RangeError: Cannot read image as channels must say which one or three of 4 are meant/,
  );
  await assert.rejects(
    readImage(bytes, { channels: [0, 4, 1] }),
    /RangeError: Cannot read image as channels must be 1 or 3 of 0 \.\. 3: current value is \[0,4,1\]/,
  );
});

Deno.test("readImage() keeps the colors of a NIfTI file", async () => {
  const { values, color } = await readVolume(fileOf("RGB24"));
  assert.ok(color);
  const image = await readImage(fileOf("RGB24"), { slice: 0 });
  assert.equal(image.get(1, 1, 2), Math.fround(values.get(0, 1, 1, 2) / 255));
});

Deno.test("readMask() reads a slice of a NIfTI file", async () => {
  const mask = await readMask(fileOf("sform RAS"), { slice: 0 });
  assert.deepEqual([...mask.data], [1, 1, 1, 1, 1, 0]); // only x = y = z = 0 is 0
});

Deno.test("volumeSlice() is a view into the volume", async () => {
  const { values } = await readVolume(fileOf("sform LPI"));
  volumeSlice(values, { axis: 1, slice: 2 }).set(0, 0, 0, 99);
  assert.equal(values.get(values.shape[0] - 1, 2, 0, 0), 99);
  for (const slice of [-1, 3, 0.5]) {
    assert.throws(
      () => volumeSlice(values, { axis: 1, slice }),
      /RangeError: Cannot slice volume as slice must be 0 \.\. 2: current value is/,
    );
  }
  assert.throws(
    () => volumeSlice(values, { axis: 3 as 2 }),
    /RangeError: Cannot slice volume as axis must be 0, 1 or 2: current value is 3/,
  );
  assert.throws(
    () => volumeSlice(values, { slize: 1 } as never),
    /TypeError: Cannot slice volume as there is no option "slize": did you mean "slice"/,
  );
});

/** A NIfTI-1 header with some fields changed: [offset, value] of 16 bits. */
function changed(...fields: [number, number][]): Uint8Array {
  const bytes = Uint8Array.from(gunzipSync(fileOf("sform RAS")));
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of fields) view.setInt16(offset, value, true);
  return bytes;
}

Deno.test("readVolume() refuses NIfTI files that lie, are cut off or are not supported", async () => {
  const cases: [Uint8Array, RegExp][] = [
    [changed().subarray(0, 399), /must hold its header's 400 bytes/],
    [changed([42, 20000]), /must hold its header's/],
    [changed([42, 0]), /dimensions of 1 or more/],
    [changed([42, -2]), /dimensions of 1 or more/],
    [changed([40, 0]), /must have 1 to 7 dimensions/],
    [changed([40, 9]), /must have 1 to 7 dimensions/],
    [changed([70, 32]), /NIfTI datatype 32/], // complex
    [changed([70, 1536]), /NIfTI datatype 1536/], // 128-bit real
    [changed([110, 0]), /values must begin behind the header/],
    [changed([110, 0x7f80]), /values must begin behind the header/],
    [changed([344, 0x696e]), /header and values must be in one file/], // "ni1"
    [gzipSync(changed()).subarray(0, -12), /gzip stream must be complete/],
    [gzipSync(changed()).subarray(0, 30), /must be a NIfTI file/],
    [gzipSync(Uint8Array.of(1, 2, 3)), /must be a NIfTI file/],
  ];
  const damaged = gzipSync(changed());
  damaged[60] ^= 255;
  cases.push([damaged, /gzip stream must be|must be a NIfTI/]);
  await refusesFiles(readVolume, cases);
});

/** Of get_fdata() of the file nearest to RAS+, by nibabel 5.4.2: [x, y, z, c]. */
const REAL = {
  "anatomical.nii": {
    shape: [33, 41, 25, 1],
    spacing: [2, 2, 2],
    origin: [-32, -40, -16],
    range: [-610, 30393],
    sum: 284166082,
    at: [[3, 5, 7, 11071], [32, 0, 2, 6855]],
  },
  "example_nifti2.nii.gz": {
    shape: [32, 20, 12, 2],
    spacing: [2.2, 2, 2],
    origin: [55.855103, -35.722942, -7.248798],
    range: [46, 757],
    sum: 6926802,
    at: [[3, 5, 7, 435], [31, 0, 2, 354]],
  },
};

for (const [name, expected] of Object.entries(REAL)) {
  const path = sharedFile(`formats/${name}`);
  Deno.test({
    name: `readVolume() reads the real ${name} as nibabel does`,
    ignore: !path,
    async fn() {
      const { values, spacing, affine } = await readVolume(path!);
      const [width, height, depth, channels] = expected.shape;
      assert.deepEqual(values.shape, [depth, height, width, channels]);
      const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-4);
      spacing!.forEach((size, i) => close(size, expected.spacing[i]));
      place(affine!, [width - 1, height - 1, 0])
        .forEach((millimeters, i) => close(millimeters, expected.origin[i]));
      let [low, high, sum] = [Infinity, -Infinity, 0];
      for (const value of values.data) {
        [low, high] = [Math.min(low, value), Math.max(high, value)];
        sum += value;
      }
      assert.deepEqual([low, high, sum], [...expected.range, expected.sum]);
      for (const [x, y, z, value] of expected.at) {
        assert.equal(values.get(z, height - 1 - y, width - 1 - x, 0), value);
      }
    },
  });
}
