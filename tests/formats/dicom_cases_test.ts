/** DICOM files that were once read wrongly without a word: each is read rightly, or refused with the reason. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { readImage } from "../../src/formats/read_image.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { close } from "../helpers/close.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const CASES = fileURLToPath(new URL("../fixtures/cases/", import.meta.url));

Deno.test("a gzipped DICOM file is read as the file in it", async () => {
  const path = `${CASES}dicom_gz_message/gzipped.dcm.gz`;
  const inside = new Uint8Array(gunzipSync(await Deno.readFile(path)));
  const { values } = await readVolume(path);
  assert.deepEqual(values.shape, [1, 40, 50, 1]);
  assert.deepEqual(values.data, (await readVolume(inside)).values.data);
});

Deno.test("a rescale intercept that is no number is refused, not taken for 0", async () => {
  await assert.rejects(
    readVolume(`${CASES}dicom_intercept_malformed/slope_comma.dcm`),
    /TypeError: .* its rescale intercept must be a number: current value is "-1024,"/,
  );
});

Deno.test("lossless JPEG is whole to the last pixel, gray and in color", async () => {
  for (
    const folder of [
      "dicom_jpeg_lossless_last_pixel",
      "dicom_jpeg_lossless_last_pixel_rgb",
    ]
  ) {
    const [{ values }, reference] = await Promise.all([
      readVolume(`${CASES}${folder}/image.dcm`),
      readVolume(`${CASES}${folder}/ref.npy`),
    ]);
    assert.deepEqual([...values.data], [...reference.values.data], folder);
  }
});

Deno.test("padding does not widen the window: tissue has most of its gray", async () => {
  const path = `${CASES}dicom_pixel_padding_window/pad_ct.dcm`;
  const { values, padding } = await readVolume(path);
  assert.deepEqual(padding, [-3024, -3024]); // -2000 stored, rescaled by -1024
  const { data } = await readImage(path);
  const tissue = data.filter((_, i) => Math.abs(values.data[i] - 16) < 100)
    .sort();
  const quartile = (part: number) => tissue[Math.floor(part * tissue.length)];
  assert.ok(tissue.length > 2500);
  assert.ok(quartile(0.25) < 0.45 && quartile(0.75) > 0.55);
});

Deno.test("a table in the file says how values are shown", async () => {
  const path = `${CASES}dicom_voi_lut_inverting/voi_lut_inverting.dcm`;
  const { values } = await readVolume(path);
  const { data } = await readImage(path);
  const most = values.data.indexOf(Math.max(...values.data));
  const least = values.data.indexOf(Math.min(...values.data));
  assert.ok(data[most] < 0.01 && data[least] > 0.99);
  const window = await readImage(path, { window: [0, 4093] });
  close(window.data, values.data.map((value) => value / 4093), 1e-6);
});

Deno.test("a table whose entries do not fit its bits is refused", async () => {
  const path = `${CASES}dicom_voi_lut_inverting/voi_lut_inverting.dcm`;
  const file = await Deno.readFile(path);
  // LUTDescriptor (0028,3002): entries, the first value, bits.
  const at = file.findIndex((_, i) =>
    [0x28, 0, 0x02, 0x30].every((byte, k) => file[i + k] === byte)
  );
  assert.equal(file[at + 12], 8);
  file[at + 12] = 5;
  await assert.rejects(
    readImage(file),
    /TypeError: .* the entries of a table of 5 bits must be below 32: current value is 255/,
  );
});

Deno.test("a sigmoid in the file is applied", async () => {
  const path = `${CASES}dicom_voi_sigmoid/win_sigmoid.dcm`;
  const { values } = await readVolume(path);
  close(
    (await readImage(path)).data,
    values.data.map((v) => 1 / (1 + Math.exp(-4 * (v - 2000) / 1000))),
  );
});

Deno.test("uncompressed YBR_FULL becomes red, green and blue", async () => {
  const { values } = await readVolume(`${CASES}dicom_ybr_full/ybr_full.dcm`);
  assert.deepEqual(values.shape, [1, 40, 50, 3]);
  // pydicom 3.0.2: pixel_array, its first pixels and their sums.
  assert.deepEqual([...values.data.subarray(0, 6)], [186, 0, 0, 236, 106, 215]);
  const expected = [257513, 255492, 252944];
  const sums = [0, 0, 0];
  values.data.forEach((value, i) => sums[i % 3] += value);
  sums.forEach((sum, channel) =>
    assert.ok(
      Math.abs(sum - expected[channel]) <= 20,
      `${sums} is not ${expected}`,
    )
  );
});

Deno.test("a report beside a series is left out", async () => {
  const folder = await temporaryFolder();
  const series = `${CASES}series_sagittal_nifti_mask/c1/image`;
  for (const { name } of Deno.readDirSync(series)) {
    await Deno.copyFile(join(series, name), join(folder, name));
  }
  const { values } = await readVolume(folder);
  const slice = await Deno.readFile(join(series, "000.dcm"));
  await Deno.writeFile(join(folder, "sr.dcm"), reportOf(slice));
  const beside = await readVolume(folder);
  assert.deepEqual(beside.values.shape, values.shape);
  assert.deepEqual(beside.values.data, values.data);
});

/** A file's elements in explicit little endian, without its rows, columns and pixels, of another series and as a report (SR). */
function reportOf(file: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const parts = [file.subarray(0, 132)];
  for (let at = 132; at < file.length;) {
    const tag = view.getUint16(at, true) * 2 ** 16 +
      view.getUint16(at + 2, true);
    const long = /OB|OW|SQ|UN|UT/.test(
      text.decode(file.subarray(at + 4, at + 6)),
    );
    const size = long
      ? view.getUint32(at + 8, true)
      : view.getUint16(at + 6, true);
    const end = at + (long ? 12 : 8) + size;
    const element = file.slice(at, end);
    if (tag === 0x00080060) element.set([0x53, 0x52], 8); // SR
    if (tag === 0x0020000e) element[element.length - 2] ^= 1; // another series
    if (![0x00280010, 0x00280011, 0x7fe00010].includes(tag)) {
      parts.push(element);
    }
    at = end;
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
