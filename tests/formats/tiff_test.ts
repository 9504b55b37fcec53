import assert from "node:assert/strict";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { close } from "../helpers/close.ts";
import { refusesFiles } from "../helpers/reference.ts";

/** A TIFF of one row, after TIFF 6.0, or a BigTIFF: `tags` besides those of its size. */
function tiff(
  samples: ArrayBufferView,
  tags: Record<number, number | number[]>,
  { width, little = true, big = false }: {
    width: number;
    little?: boolean;
    big?: boolean;
  },
): Uint8Array {
  const strip = 600;
  const all: Record<number, number | number[]> = {
    ...{ 256: width, 257: 1, 259: 1, 273: strip, 278: 1 },
    ...{ 279: samples.byteLength, ...tags },
  };
  const bytes = new Uint8Array(strip + samples.byteLength);
  const view = new DataView(bytes.buffer);
  const word = big ? 8 : 4;
  const write = (at: number, size: number, value: number) => {
    if (size === 2) view.setUint16(at, value, little);
    else if (size === 4) view.setUint32(at, value, little);
    else view.setBigUint64(at, BigInt(value), little);
  };
  bytes.fill(little ? 0x49 : 0x4d, 0, 2);
  write(2, 2, big ? 43 : 42);
  if (big) write(4, 2, 8);
  const start = big ? 16 : 8;
  write(big ? 8 : 4, word, start);
  const entries = Object.entries(all);
  write(start, big ? 8 : 2, entries.length);
  let free = 400; // of longer values
  for (const [i, [tag, value]] of entries.entries()) {
    const at = start + (big ? 8 : 2) + i * (4 + 2 * word);
    const values = [value].flat();
    write(at, 2, Number(tag));
    write(at + 2, 2, 3); // SHORT
    write(at + 4, word, values.length);
    const field = at + 4 + word;
    const inside = values.length * 2 <= word;
    if (!inside) write(field, word, free);
    values.forEach((v, k) => write((inside ? field : free) + 2 * k, 2, v));
    if (!inside) free += 2 * values.length;
  }
  bytes.set(
    new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
    strip,
  );
  return bytes;
}

/** Tags of gray samples: 0 is white, or black. */
const gray = (photometric: 0 | 1, bits: number, format = 1) => ({
  ...{ 258: bits, 262: photometric, 277: 1, 339: format },
});

Deno.test("readMask() takes the stored values of a TIFF whose 0 is white", async () => {
  const inside = [0, 1, 0, 1, 1];
  const files = [
    tiff(Uint8Array.of(0, 1, 0, 2, 254), gray(0, 8), { width: 5 }),
    tiff(Uint16Array.of(0, 1, 0, 2, 65534), gray(0, 16), { width: 5 }),
    tiff(Float32Array.of(0, 1e-9, 0, 0, 0).fill(1e-9, 3), gray(0, 32, 3), {
      width: 5,
    }),
    tiff(Uint32Array.of(0, 1, 0, 2, 9), gray(0, 32), { width: 5 }),
    tiff(Uint8Array.of(0b01011000), gray(0, 1), { width: 5 }),
    tiff(Uint8Array.of(0, 1, 0, 2, 9), gray(0, 8), { width: 5, little: false }),
    tiff(Uint8Array.of(0, 1, 0, 2, 9), gray(0, 8), { width: 5, big: true }),
  ];
  for (const [i, file] of files.entries()) {
    const before = file.slice();
    assert.deepEqual([...(await readMask(file)).data], inside, `${i}`);
    assert.deepEqual(file, before, "the caller's bytes are left as they are");
  }
});

Deno.test("readImage() shows a TIFF whose 0 is white so, windowed in stored values", async () => {
  const bytes = tiff(Uint8Array.of(0, 51, 255), gray(0, 8), { width: 3 });
  close((await readImage(bytes)).data, [1, 0.8, 0]);
  close((await readImage(bytes, { window: [0, 102] })).data, [1, 0.5, 0]);
  const deep = tiff(Uint16Array.of(500, 1000, 1500), gray(0, 16), { width: 3 });
  const image = await readImage(deep, { window: [500, 1500] });
  close(image.data, [1, 0.5, 0]);
  const plain = tiff(Uint8Array.of(0, 51, 255), gray(1, 8), { width: 3 });
  close((await readImage(plain)).data, [0, 0.2, 1]);
});

Deno.test("readImage() refuses floating-point TIFFs but those of 32 bits, naming the bits", async () => {
  const float = (samples: ArrayBufferView, bits: number) =>
    tiff(samples, gray(1, bits, 3), { width: 2 });
  const real = float(Float32Array.of(-1.5, 4.5), 32);
  close((await readImage(real, { window: [-1.5, 4.5] })).data, [0, 1]);
  // The same values as numpy stores them in 2 and in 8 bytes.
  const half = Uint16Array.of(0xbe00, 0x4480);
  await refusesFiles(readImage, [
    [
      float(half, 16),
      /floating-point samples of a TIFF must have 32 bits: current value is 16 bits/,
    ],
    [
      float(Float64Array.of(-1.5, 4.5), 64),
      /32 bits: current value is 64 bits/,
    ],
  ]);
});

Deno.test("readImage() refuses a TIFF of several gray channels, and drops alpha alone", async () => {
  const samples = Uint8Array.from({ length: 10 }, (_, i) => 51 * (i % 5));
  const channels = (count: number, extra?: number[]) => {
    const tags: Record<number, number | number[]> = {
      ...{ 258: new Array(count).fill(8), 262: 1, 277: count },
    };
    if (extra) tags[338] = extra;
    return tiff(samples.subarray(0, 2 * count), tags, { width: 2 });
  };
  await refusesFiles(readImage, [
    [channels(2), /must have 1 channel or 3.*: current value is 2 channels/],
    [channels(2, [0]), /current value is 2 channels/],
    [channels(5, [0, 0, 0, 0]), /current value is 5 channels/],
  ]);
  const image = await readImage(channels(2, [2]));
  assert.deepEqual(image.shape, [1, 2, 1]);
  close(image.data, [0, 0.4]);
});
