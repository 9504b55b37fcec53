import assert from "node:assert/strict";
import sharp from "sharp";
import { readVolume } from "../../src/formats/volume.ts";
import { close } from "../helpers/close.ts";
import { element } from "../helpers/dicom_element.ts";

/** A DICOM file of one frame of colors, coded or as it stands. */
function fileOf(
  { syntax, photometric, rows, columns, pixels }: {
    syntax: string;
    photometric: string;
    rows: number;
    columns: number;
    pixels: number[];
  },
): Uint8Array {
  return Uint8Array.from([
    ...[...new Array(128).fill(0), ...new TextEncoder().encode("DICM")],
    ...element(2, 0x10, "UI", syntax),
    ...element(0x28, 2, "US", 3),
    ...element(0x28, 4, "CS", photometric),
    ...element(0x28, 6, "US", 0),
    ...element(0x28, 0x10, "US", rows),
    ...element(0x28, 0x11, "US", columns),
    ...element(0x28, 0x100, "US", 8),
    ...element(0x28, 0x101, "US", 8),
    ...element(0x28, 0x102, "US", 7),
    ...element(0x28, 0x103, "US", 0),
    ...pixels,
  ]);
}

/** Encapsulated pixel data of one fragment. */
function encapsulated(coded: Uint8Array): number[] {
  const even = coded.length % 2 === 0 ? [...coded] : [...coded, 0];
  const length = [0, 8, 16, 24].map((bits) => even.length >> bits & 255);
  return [
    ...[0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 255, 255, 255, 255],
    ...[0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0], // no offsets
    ...[0xfe, 0xff, 0, 0xe0, ...length, ...even],
    ...[0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0],
  ];
}

/** A JPEG of one red, in luma and chroma, with and without the JFIF marker that says so. */
async function redJpeg() {
  const red = { r: 255, g: 0, b: 0 };
  const untold = new Uint8Array(
    await sharp({
      create: { width: 16, height: 16, channels: 3, background: red },
    }).jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer(),
  );
  assert.notEqual(untold[3], 0xe0);
  const jfif = [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
  const marker = [0xff, 0xe0, 0, 16, ...jfif];
  return {
    told: Uint8Array.of(0xff, 0xd8, ...marker, ...untold.subarray(2)),
    untold,
  };
}

Deno.test("readVolume() takes a JPEG's components as the file calls them, unless the JPEG says itself", async () => {
  const { told, untold } = await redJpeg();
  const first = async (coded: Uint8Array, photometric: string) => {
    const { values } = await readVolume(fileOf({
      ...{ syntax: "1.2.840.10008.1.2.4.50", photometric },
      ...{ rows: 16, columns: 16, pixels: encapsulated(coded) },
    }));
    return [0, 1, 2].map((channel) => values.get(0, 8, 8, channel));
  };
  // ITU T.871: Y = 0.299 * 255, Cb = 128 - 0.1687 * 255, Cr = 128 + 0.5 * 255.
  close(await first(untold, "RGB"), [76, 85, 255], 2);
  for (const photometric of ["YBR_FULL_422", "YBR_FULL"]) {
    close(await first(untold, photometric), [255, 0, 0], 2);
    close(await first(told, photometric), [255, 0, 0], 2);
  }
  close(await first(told, "RGB"), [255, 0, 0], 2);
});

Deno.test("readVolume() names the colors of uncompressed files that it does not take", async () => {
  const bytes = Uint8Array.of(76, 85, 255, 0);
  const file = fileOf({
    ...{ syntax: "1.2.840.10008.1.2.1", photometric: "YBR_PARTIAL_420" },
    ...{ rows: 1, columns: 1, pixels: element(0x7fe0, 0x10, "OB", bytes) },
  });
  await assert.rejects(
    readVolume(file),
    /TypeError: Cannot read image as its colors must be RGB or YBR_FULL: current value is YBR_PARTIAL_420/,
  );
});

Deno.test("readVolume() reads bytes that a big-endian file keeps in words of 16 bits", async () => {
  const u2 = (value: number) => [value >> 8, value & 255];
  const ascii = (text: string) => [...new TextEncoder().encode(text)];
  const short = (
    group: number,
    number: number,
    vr: string,
    value: number[],
  ) => [
    ...[...u2(group), ...u2(number), ...ascii(vr), ...u2(value.length)],
    ...value,
  ];
  const stored = [20, 10, 40, 30, 60, 50]; // 10, 20, 30 ... in words
  const file = (vr: string) =>
    Uint8Array.from([
      ...[...new Array(128).fill(0), ...ascii("DICM")],
      ...element(2, 0x10, "UI", "1.2.840.10008.1.2.2\0"),
      ...short(0x28, 2, "US", u2(3)),
      ...short(0x28, 4, "CS", ascii("RGB ")),
      ...short(0x28, 6, "US", u2(0)),
      ...short(0x28, 0x10, "US", u2(1)),
      ...short(0x28, 0x11, "US", u2(2)),
      ...short(0x28, 0x100, "US", u2(8)),
      ...short(0x28, 0x101, "US", u2(8)),
      ...short(0x28, 0x102, "US", u2(7)),
      ...short(0x28, 0x103, "US", u2(0)),
      ...[...u2(0x7fe0), ...u2(0x10), ...ascii(vr), 0, 0, 0, 0, ...u2(6)],
      ...stored,
    ]);
  const values = async (vr: string) => [
    ...(await readVolume(file(vr))).values.data,
  ];
  assert.deepEqual(await values("OW"), [10, 20, 30, 40, 50, 60]);
  assert.deepEqual(await values("OB"), stored);
});
