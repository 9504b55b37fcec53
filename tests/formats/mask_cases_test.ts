/** Masks that can be read in two ways: each is read rightly, or refused by a word that names the option. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { folderDataset } from "../../src/datasets/layouts.ts";
import { insideOf, type MaskOptions } from "../../src/formats/_inside.ts";
import { onGrid } from "../../src/formats/_on_grid.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";

const CASES = fileURLToPath(new URL("../fixtures/cases/", import.meta.url));

/** The only rater's mask of every case in one of the folders. */
async function masksOf(
  name: string,
  options: MaskOptions & { page?: number } = {},
) {
  const { cases } = await folderDataset(`${CASES}${name}`, options);
  return await Promise.all(cases.map(({ readMask }) => readMask("1")));
}

const area = ({ data }: NdArray<Uint8Array>) =>
  data.reduce((sum, value) => sum + value, 0);

async function areas(
  name: string,
  options: MaskOptions & { page?: number } = {},
) {
  return (await masksOf(name, options)).map(area);
}

Deno.test("a palette's indices are inside from 1 on, whatever their colors", async () => {
  assert.deepEqual(await areas("mask_palette_white0"), [262]);
});

Deno.test("a black and white palette that begins with white is refused", async () => {
  const { default: sharp } = await import("sharp");
  // libvips puts the colors of this picture in the order in which they come.
  const png = new Uint8Array(
    await sharp(Uint8Array.of(255, 255, 0, 255, 255, 255), {
      raw: { width: 6, height: 1, channels: 1 },
    }).png({ palette: true, colors: 2, dither: 0 }).toBuffer(),
  );
  const at = png.findIndex((_, i) =>
    [0x50, 0x4c, 0x54, 0x45].every((byte, k) => png[i + k] === byte)
  );
  assert.equal(png[at + 4], 255, "white first");
  await assert.rejects(
    readMask(png),
    /RangeError: Cannot read mask as a palette of black and white must begin with black; label names the index/,
  );
  assert.deepEqual([...(await readMask(png, { label: 1 })).data], [
    0,
    0,
    1,
    0,
    0,
    0,
  ]);
});

Deno.test("an option takes one label of several, or leaves one out", async () => {
  assert.deepEqual(await areas("mask_label_choice"), [262]);
  for (const [label, count] of [[1, 210], [2, 40], [3, 12]] as const) {
    assert.deepEqual(await areas("mask_label_choice", { label }), [count]);
  }
  assert.deepEqual(await areas("mask_label_choice", { label: [1, 3] }), [222]);
  assert.deepEqual(await areas("mask_label_choice", { ignore: 2 }), [222]);
});

Deno.test("REFUGE's own coding is refused, and read by its labels", async () => {
  await assert.rejects(
    areas("mask_refuge_original"),
    /RangeError: Cannot read mask as values between 0 and 255 must be told: label names .*: current value is 128, 255/,
  );
  // 128 is the rim and 0 the cup: the disc is both.
  const count = await areas("mask_refuge_original", { label: [0, 128] });
  assert.deepEqual(count, [250]);
  assert.deepEqual(await areas("mask_refuge_original", { label: 0 }), [40]);
});

Deno.test("a mask in the alpha of one color is read from there", async () => {
  assert.deepEqual(await areas("mask_in_alpha"), [262]);
});

Deno.test("alpha that marks something else than the colors is refused", async () => {
  const { default: sharp } = await import("sharp");
  const pixels = Uint8Array.of(255, 255, 0, 0, 255, 0, 255, 0);
  const raw = { width: 4, height: 1, channels: 2 } as const;
  const png = await sharp(pixels, { raw }).png().toBuffer();
  await assert.rejects(
    readMask(new Uint8Array(png)),
    /its alpha and its colors must mark the same; alpha: true takes the alpha, alpha: false the colors/,
  );
  const read = async (alpha: boolean) => [
    ...(await readMask(new Uint8Array(png), { alpha })).data,
  ];
  assert.deepEqual(await read(true), [1, 0, 0, 0]);
  assert.deepEqual(await read(false), [1, 0, 1, 1]);
});

Deno.test("a mask that was resampled is inside from 0.5 on", async () => {
  assert.deepEqual(await areas("mask_interpolated"), [66, 70, 66, 66]);
});

Deno.test("one-hot channels with the background are refused, and read by channel", async () => {
  const path = `${CASES}mask_onehot_background/c1/rater1.npy`;
  await assert.rejects(
    areas("mask_onehot_background"),
    /RangeError: Cannot read mask as its channels must not share nearly every pixel among them.*channel names the one/,
  );
  const channels = await Promise.all(
    [1, 2].map((channel) => readMask(path, { channel })),
  );
  assert.deepEqual(channels.map(area).reduce((a, b) => a + b), 250);
});

Deno.test("one-hot channels in front are refused beside a flat image, and read by their axis", async () => {
  const path = `${CASES}mask_onehot_chw/c1/rater1.npy`;
  await assert.rejects(
    areas("mask_onehot_chw"),
    /RangeError: .* the mask of a flat image must have one slice: current value is 4 x 48 x 64/,
  );
  await assert.rejects(
    readMask(path),
    /slice must name a slice or channelAxis/,
  );
  const second = await readMask(path, { channelAxis: 0, channel: 2 });
  assert.deepEqual([second.shape, area(second)], [[48, 64], 40]);
});

Deno.test("a mask of several slices or pages beside a flat image is refused", async () => {
  await assert.rejects(
    areas("mask_nifti_5_slices_on_png"),
    /RangeError: Cannot read mask of case c1 as the mask of a flat image must have one slice: current value is 5 x 48 x 64/,
  );
  await assert.rejects(
    areas("mask_tiff_pages"),
    /RangeError: Cannot read mask as page must name one of a file with several: current value is 3 pages/,
  );
});

Deno.test("an NPY mask beside a NIfTI image in another order is refused", async () => {
  await assert.rejects(
    areas("mask_npy_zyx_on_nifti"),
    /RangeError: .* an image and a mask of which one lies in space must both do so.*current value is a mask without a place/,
  );
});

Deno.test("a sagittal series takes the NIfTI mask of the same voxels", async () => {
  const { cases } = await folderDataset(
    `${CASES}series_sagittal_nifti_mask`,
  );
  const found = await Promise.all(cases.map(async ({ id, readMask }) => {
    const { data, shape } = await readMask("1");
    assert.deepEqual(shape, [20, 24]);
    const sum = (index: (i: number) => number) =>
      data.reduce((all, inside, i) => all + inside * index(i), 0);
    return [
      id,
      sum(() => 1),
      sum((i) => Math.floor(i / 24)),
      sum((i) => i % 24),
    ];
  }));
  // Pixels, and their rows' and columns' sums, by SimpleITK's Resample.
  assert.deepEqual(found, [
    ["c1_slice002", 66, 594, 363],
    ["c1_slice003", 66, 594, 363],
    ["c1_slice004", 70, 636, 405],
    ["c1_slice005", 66, 594, 363],
  ]);
});

/** What is inside of plain values. */
const inside = (values: number[], options: MaskOptions = {}) => [
  ...insideOf({ values: Float32Array.from(values), channels: 1 }, options, "a"),
];

Deno.test("insideOf() takes labels above 0, fractions from 0.5 on, and white with gray edges from the middle on", () => {
  assert.deepEqual(inside([-1, 0, 1, 2, 7]), [0, 0, 1, 1, 1]);
  assert.deepEqual(inside([0, 1e-4, 0.5, 0.49, 1]), [0, 0, 1, 0, 1]);
  assert.deepEqual(inside([NaN, 0, 3]), [0, 0, 1]);
  // One value beside 0, however small: a scaled mask.
  assert.deepEqual(inside([0, 0.0039, 0.0039]), [0, 1, 1]);
  const soft = [...Array(20).keys()].map((k) => 10 * k + 5);
  const white = new Array(40).fill(255);
  const whole = [...soft, ...white];
  assert.deepEqual(inside(whole), whole.map((v) => v >= 128 ? 1 : 0));
});

Deno.test("insideOf() refuses values that can be read in two ways, and says which option decides", () => {
  const refused: [number[], RegExp][] = [
    [
      [0, 1, 255],
      /values between 0 and 255 must be told.*current value is 1, 255/,
    ],
    [[0, 128, 255, 255, 255], /label names.*ignore.*threshold/],
    [[0, 0.5, 2, 3.25], /whole numbers, or fractions of 1; threshold/],
    [[0, 0.25, 0.3], /fractions must reach 0.5; threshold/],
    [[...Array(600).keys()], /at most 512 labels, as an image has more/],
  ];
  for (const [values, message] of refused) {
    assert.throws(() => inside(values), message);
    assert.equal(inside(values, { threshold: 1 }).length, values.length);
  }
  assert.throws(
    () => inside([NaN, NaN]),
    /TypeError: .* must have finite values/,
  );
  assert.throws(() => inside([0, 1], { label: NaN }), /label must be finite/);
  assert.throws(
    () => inside([0, 1], { label: 1, threshold: 1 }),
    /either label or threshold/,
  );
  assert.deepEqual(inside([0, 1, 255], { ignore: 255 }), [0, 1, 0]);
  assert.deepEqual(inside([0, 1, 255], { label: [1] }), [0, 1, 0]);
});

Deno.test("readMask() refuses a JPEG whose values do not lie around 0 and 255", async () => {
  const { default: sharp } = await import("sharp");
  const jpeg = async (levels: number[]) => {
    const pixels = new Uint8Array(64 * 64);
    for (let i = 0; i < pixels.length; i++) {
      const far = Math.hypot(i % 64 - 31.5, (i >> 6) - 31.5);
      pixels[i] = levels[far < 10 ? 0 : far < 20 ? 1 : 2];
    }
    const raw = { width: 64, height: 64, channels: 1 } as const;
    return new Uint8Array(await sharp(pixels, { raw }).jpeg().toBuffer());
  };
  await assert.rejects(
    readMask(await jpeg([255, 128, 0])),
    /a JPEG's values must lie around 0 and 255; threshold tells/,
  );
  await assert.rejects(
    readMask(await jpeg([100, 50, 0])),
    /a JPEG's values must reach 128; threshold tells/,
  );
  const whole = await readMask(await jpeg([255, 255, 0]));
  const cup = await readMask(await jpeg([255, 128, 0]), { threshold: 192 });
  assert.ok(area(cup) < area(whole) / 2 && area(cup) > 250);
});

Deno.test("readMask() warns where nearly all of a mask is inside", async () => {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => warnings.push(text);
  try {
    const header =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 25), }";
    const npy = Uint8Array.of(
      ...[
        0x93,
        ...new TextEncoder().encode(
          `NUMPY\x01\x00v\x00${header.padEnd(117)}\n`,
        ),
      ],
      ...new Array(100).fill(1),
    );
    await readMask(zipSync({ "a.npy": npy }));
  } finally {
    console.warn = warn;
  }
  assert.match(warnings.join(), /100.0 % of it is inside. If its background/);
});

Deno.test("options have the names and types that they have, and those of the file's kind", async () => {
  const png = `${CASES}mask_label_choice/c1/image.png`;
  const nifti = `${CASES}mask_interpolated/c1/image.nii.gz`;
  // deno-lint-ignore no-explicit-any -- as a notebook gives them
  const read = (path: string, options: any) => readImage(path, options);
  for (
    const [path, options, message] of [
      [
        nifti,
        { Slice: 3 },
        /TypeError: .*no option "Slice": did you mean "slice"/,
      ],
      [nifti, { windows: [0, 1] }, /did you mean "window"/],
      [
        nifti,
        { slice: "3" },
        /TypeError: .*"slice" must be a number: current value is "3"/,
      ],
      [
        png,
        { slice: 3 },
        /RangeError: .* slice must be of a volume, a TIFF has page/,
      ],
      [png, { array: "image" }, /RangeError: .* array must be of a volume/],
      [nifti, { page: 1 }, /RangeError: .* page must be of a file with pages/],
      [
        nifti,
        { array: "image" },
        /RangeError: .* array must be of an NPZ file/,
      ],
      [
        nifti,
        { series: 3 },
        /RangeError: .* series must be of a folder of DICOM files/,
      ],
    ] as const
  ) {
    await assert.rejects(read(path, options), message);
  }
});

Deno.test("onGrid() turns a mask into the order of its image, and tells what lies beside", () => {
  // Stored x fastest: columns to the right, rows to posterior, slices up.
  const mask = ndarray(Uint8Array.from({ length: 24 }, (_, i) => i), [2, 3, 4]);
  const affine = [1, 0, 0, 5, 0, -2, 0, 7, 0, 0, 3, 9, 0, 0, 0, 1];
  // Columns downwards, rows to the left, slices to posterior: the corner (3, 0, 1).
  const image = {
    affine: [0, -1, 0, 8, 0, 0, -2, 7, -3, 0, 0, 12, 0, 0, 0, 1],
    shape: [3, 4, 2],
    spacing: [2, 1, 3],
  };
  const found = onGrid(mask, affine, image);
  assert.ok("mask" in found);
  for (let d = 0; d < 3; d++) {
    for (let h = 0; h < 4; h++) {
      for (let w = 0; w < 2; w++) {
        assert.equal(found.mask.get(d, h, w), mask.get(1 - w, d, 3 - h));
      }
    }
  }
  const moved = image.affine.with(3, 8.75);
  assert.deepEqual(onGrid(mask, affine, { ...image, affine: moved }), {
    apart: 0.75,
  });
  assert.deepEqual(
    onGrid(mask, affine, { ...image, shape: [3, 4, 5] }),
    { sides: [3, 4, 2] },
  );
});
