/** Image files that were once read wrongly without a word: each is read rightly, or refused with the reason. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { volumeImage } from "../../src/formats/volume.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { close } from "../helpers/close.ts";

const CASES = fileURLToPath(new URL("../fixtures/cases/", import.meta.url));

Deno.test("tiles of a TIFF that cannot be decoded are refused, as strips are", async () => {
  for (
    const file of [
      "tiff_tiled_old_jpeg/ojpeg_tile",
      "tiff_tiled_truncated/trunc_tile",
    ]
  ) {
    await assert.rejects(
      readImage(`${CASES}${file}.tif`),
      /TypeError: Cannot read image as the file must be complete and undamaged/,
    );
  }
});

Deno.test("a JPEG with damage in its scan is refused", async () => {
  const folder = `${CASES}jpeg_corrupt_middle/`;
  await assert.rejects(
    readImage(`${folder}jpgrst.corr3.jpg`),
    /TypeError: .* must be complete and undamaged: .*[Cc]orrupt JPEG data/,
  );
  await readImage(`${folder}undamaged.jpg`);
});

Deno.test("CMYK is refused", async () => {
  await assert.rejects(
    readImage(`${CASES}tiff_cmyk_grey/cmyk_grey.tif`),
    /TypeError: .* its colors must be gray or red, green and blue: current value is CMYK/,
  );
});

/** LZW without any packing: every byte as its own code of 9 bits, the table cleared in time (TIFF 6.0, section 13). */
function plainLzw(bytes: Uint8Array): Uint8Array {
  const codes = bytes.length + Math.ceil(bytes.length / 250) + 1;
  const packed = new Uint8Array(Math.ceil(codes * 9 / 8));
  let [at, held, bits] = [0, 0, 0];
  const put = (code: number) => {
    held = (held << 9 | code) & 0xffffff;
    bits += 9;
    while (bits >= 8) packed[at++] = held >> (bits -= 8);
  };
  for (let i = 0; i < bytes.length; i++) {
    if (i % 250 === 0) put(256); // clear
    put(bytes[i]);
  }
  put(257); // end
  if (bits > 0) packed[at] = held << (8 - bits);
  return packed;
}

Deno.test("a valid LZW strip of more than 20 MB is read", async () => {
  const [width, height] = [5000, 2200];
  const samples = Uint16Array.from(
    { length: width * height },
    (_, k) => k % 65521,
  );
  const strip = plainLzw(new Uint8Array(samples.buffer));
  const tags = [
    [256, width],
    [257, height],
    [258, 16],
    [259, 5], // LZW
    [262, 1],
    [273, 256], // where the strip is
    [277, 1],
    [278, height],
    [279, strip.length],
  ];
  const file = new Uint8Array(256 + strip.length);
  file.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, tags.length]);
  const view = new DataView(file.buffer);
  tags.forEach(([tag, value], i) => {
    view.setUint16(10 + 12 * i, tag, true);
    view.setUint16(12 + 12 * i, 4, true); // LONG
    view.setUint32(14 + 12 * i, 1, true);
    view.setUint32(18 + 12 * i, value, true);
  });
  file.set(strip, 256);
  const { shape, data } = await readImage(file, { window: [0, 65535] });
  assert.deepEqual(shape, [height, width, 1]);
  for (let k = 0; k < data.length; k += 9973) {
    assert.equal(data[k], Math.fround(samples[k] / 65535));
  }
});

/** A TIFF of one row of red, green, blue and alpha that multiplies them (ExtraSamples 1). */
function associated(pixels: number[]): Uint8Array {
  const width = pixels.length / 4;
  const tags = [
    ...[[256, width], [257, 1], [258, 200], [259, 1], [262, 2], [273, 208]],
    ...[[277, 4], [278, 1], [279, pixels.length], [338, 1]],
  ];
  const file = new Uint8Array(208 + pixels.length);
  file.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, tags.length]);
  const view = new DataView(file.buffer);
  tags.forEach(([tag, value], i) => {
    const many = tag === 258;
    view.setUint16(10 + 12 * i, tag, true);
    view.setUint16(12 + 12 * i, many ? 3 : 4, true);
    view.setUint32(14 + 12 * i, many ? 4 : 1, true);
    view.setUint32(18 + 12 * i, value, true);
  });
  for (let i = 0; i < 4; i++) view.setUint16(200 + 2 * i, 8, true);
  file.set(pixels, 208);
  return file;
}

Deno.test("colors that are multiplied by alpha are refused, opaque ones read", async () => {
  await assert.rejects(
    readImage(associated([100, 50, 0, 128, 255, 0, 51, 255])),
    /TypeError: .* its colors must not be multiplied by alpha/,
  );
  const image = await readImage(associated([0, 51, 0, 255, 255, 0, 51, 255]));
  close(image.data, [0, 0.2, 0, 1, 0, 0.2]);
});

/** An NPY file of float32. */
function npy(shape: number[], values: number[]): Uint8Array {
  const header =
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const text = new TextEncoder().encode(
    `NUMPY\x01\x00v\x00${header.padEnd(117)}\n`,
  );
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return Uint8Array.of(0x93, ...text, ...data);
}

Deno.test("an NPY array that may be slices or colors is refused as an image, and read by its axis", async () => {
  const path = `${CASES}npy_rgba/hw4.npy`;
  await assert.rejects(
    readImage(path),
    /RangeError: .* either slice must name a slice or channelAxis the axis of the channels: current value is \[6,7,4\]/,
  );
  assert.deepEqual((await readImage(path, { channelAxis: 2 })).shape, [
    6,
    7,
    3,
  ]);
  assert.deepEqual((await readVolume(path)).values.shape, [6, 7, 4, 1]);
  const planes = npy([3, 2, 2], [...Array(12).keys()].map((k) => k / 11));
  await assert.rejects(
    readImage(planes),
    /channelAxis the axis of the channels/,
  );
  const image = await readImage(planes, { channelAxis: 0, window: [0, 1] });
  assert.deepEqual(image.shape, [2, 2, 3]);
  close(image.data, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map((k) => k / 11));
  const slice = await readImage(planes, { slice: 0, window: [0, 1] });
  close(slice.data, [0, 1, 2, 3].map((k) => k / 11));
  await assert.rejects(
    readImage(npy([2, 2], [1, 2, 3, 4]), { channelAxis: 0 }),
    /RangeError: .* channelAxis must be 0 or 2, of an array with three axes: current value is 0 of \[2,2\]/,
  );
});

Deno.test("volumes in time are no colors: channels must say which one is shown", () => {
  const values = ndarray(Float32Array.from({ length: 8 }, (_, i) => i), [
    1,
    2,
    2,
    2,
  ]);
  const volume = {
    ...{ values, color: false, inverted: false },
    layout: { axes: [2, 1, 0], flipped: [false, false, false] },
  } as const;
  assert.throws(
    () => volumeImage(volume, {}),
    /RangeError: .* channels must say which one or three of 2 are meant, as \[0\]/,
  );
  const image = volumeImage(volume, { channels: [1], window: [0, 7] });
  close(image.data, [1, 3, 5, 7].map((v) => v / 7));
});

Deno.test("an image without any finite value is refused", async () => {
  for (const read of [readImage, readVolume]) {
    await assert.rejects(
      read(npy([2, 2], [NaN, Infinity, NaN, -Infinity])),
      /TypeError: .* an image must have finite values: current value is none but NaN or infinity/,
    );
  }
  const image = await readImage(npy([2, 2], [NaN, 1, 2, 3]), {
    window: [1, 3],
  });
  close(image.data, [0, 0, 0.5, 1]);
});
