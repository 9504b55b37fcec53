import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { refusesFiles } from "../helpers/reference.ts";

/** An NPY file of version 1, as NEP 1 describes it. */
function npy(header: string, values: ArrayBufferView): Uint8Array {
  const text = new TextEncoder().encode(header.padEnd(117) + "\n");
  const head = [0x93, ...new TextEncoder().encode("NUMPY"), 1, 0];
  const bytes = new Uint8Array(values.buffer, 0, values.byteLength);
  return Uint8Array.of(...head, text.length, 0, ...text, ...bytes);
}

const describe = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`;
const six = [0, 1, 2, 3, 4, 5];

/** Written by numpy 2.4.6, with the values they hold. */
const FILES = [
  {
    name: "float64, [H, W]",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADgPwAAAAAAAPC/AAAAAAAAAEAAAAAAAAAIQA==",
    shape: [1, 2, 2, 1],
    values: [0.5, -1, 2, 3],
  },
  {
    name: "float32, big endian, Fortran order, [D, H, W]",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMywgMiwgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAQQAAAEGAAABAgAAAQUAAAEGgAAA/gAAAQRAAAEGIAABAoAAAQVAAAEGoAABAAAAAQSAAAEGQAABAwAAAQWAAAEGwAABAQAAAQTAAAEGYAABA4AAAQXAAAEG4AAA=",
    shape: [3, 2, 4, 1],
    values: [
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      11,
      12,
      13,
      14,
      15,
      16,
      17,
      18,
      19,
      20,
      21,
      22,
      23,
    ],
  },
  {
    name: "int16, [H, W, 3]",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr6//v//P/9//7///8AAAEAAgADAAQABQA=",
    shape: [1, 2, 2, 3],
    values: [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5],
  },
  {
    name: "uint16, [H, W, 1]",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPHUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIsIDEpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAP//",
    shape: [1, 1, 2, 1],
    values: [1, 65535],
  },
  {
    name: "truth values",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==",
    shape: [1, 1, 2, 1],
    values: [1, 0],
  },
  {
    name: "float16",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoANADA",
    shape: [1, 1, 2, 1],
    values: [0.25, -2],
  },
  {
    name: "int64, [D, H, W, C]",
    file:
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIsIDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAQAAAAAAAAABQAAAAAAAAAGAAAAAAAAAAcAAAAAAAAACAAAAAAAAAAJAAAAAAAAAAoAAAAAAAAACwAAAAAAAAAMAAAAAAAAAA0AAAAAAAAADgAAAAAAAAAPAAAAAAAAAA==",
    shape: [2, 2, 2, 2],
    values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  },
];

Deno.test("readVolume() reads NPY files as numpy wrote them", async () => {
  for (const { name, file, shape, values } of FILES) {
    const volume = await readVolume(Uint8Array.fromBase64(file));
    assert.deepEqual(volume.values.shape, shape, name);
    const [depth, height, width, channels] = shape;
    const read: number[] = [];
    for (let d = 0; d < depth; d++) {
      for (let h = 0; h < height; h++) {
        for (let w = 0; w < width; w++) {
          for (let c = 0; c < channels; c++) {
            read.push(volume.values.get(d, h, w, c));
          }
        }
      }
    }
    assert.deepEqual(read, values, name);
    assert.equal(volume.spacing, undefined);
  }
});

Deno.test("readImage() divides NPY bytes by 255 and windows other types", async () => {
  const bytes = npy(describe("|u1", "1, 3"), Uint8Array.of(0, 51, 255));
  assert.deepEqual(
    [...(await readImage(bytes)).data],
    [0, Math.fround(0.2), 1],
  );
  const hu = npy(describe("<i2", "1, 3"), Int16Array.of(-1350, -600, 150));
  const lung = await readImage(hu, { window: [-1350, 150] });
  assert.deepEqual([...lung.data], [0, 0.5, 1]);
  const mask = npy(describe("|b1", "1, 3"), Uint8Array.of(0, 1, 1));
  assert.deepEqual([...(await readMask(mask)).data], [0, 1, 1]);
});

Deno.test("readVolume() reads a shape that Python 2 wrote", async () => {
  const bytes = npy(describe("<f4", "2L, 3L"), Float32Array.from(six));
  const { values } = await readVolume(bytes);
  assert.deepEqual(values.shape, [1, 2, 3, 1]);
  assert.deepEqual([...values.data], six);
});

Deno.test("readVolume() takes the array of an NPZ file that it is asked for", async () => {
  const one = npy(describe("<f4", "2, 3"), Float32Array.from(six));
  const two = npy(describe("<f4", "1, 1"), Float32Array.of(7));
  for (const level of [0, 9] as const) {
    const single = zipSync({ "arr_0.npy": one }, { level });
    assert.deepEqual([...(await readVolume(single)).values.data], six);
    const several = zipSync({ "a.npy": one, "image.npy": two }, { level });
    assert.deepEqual([...(await readVolume(several)).values.data], [7]);
    const asked = await readVolume(several, { array: "a" });
    assert.deepEqual([...asked.values.data], six);
    await assert.rejects(
      readVolume(several, { array: "b" }),
      /RangeError: Cannot read image as array must be one of a, image: current value is b/,
    );
  }
});

Deno.test("readVolume() refuses NPY and NPZ files that lie, are cut off or are not supported", async () => {
  const floats = Float32Array.from(six);
  const honest = npy(describe("<f4", "2, 3"), floats);
  const zipped = zipSync({ "image.npy": honest });
  const lying = zipped.slice();
  const view = new DataView(lying.buffer);
  const end = lying.length - 22; // the end of the central directory
  view.setUint32(view.getUint32(end + 16, true) + 24, 2 ** 31, true);
  const cases: [Uint8Array, RegExp][] = [
    [honest.subarray(0, -1), /must hold its header's 152 bytes/],
    [honest.subarray(0, 60), /NPY header must be complete/],
    [honest.subarray(0, 10), /NPY header must be complete/],
    [npy(describe("<f4", "9, 9"), floats), /must hold its header's/],
    [npy(describe("<c8", "1, 3"), floats), /must name a real or integer type/],
    [npy(describe("|O", "1, 3"), floats), /must name a real or integer type/],
    [npy("{'shape': (2, 3)}", floats), /must name a real or integer type/],
    [npy(describe("<f4", "6,"), floats), /its shape must be/],
    [npy(describe("<f4", "2, LL"), floats), /must name .* a shape/],
    [npy(describe("<f4", "1, 1, 1, 2, 3"), floats), /its shape must be/],
    [zipped.subarray(0, -30), /undamaged NPZ file/],
    [lying, /its array image must have at most/],
    [zipSync({ "image.npy": Uint8Array.of(1, 2, 3) }), /must be an NPY file/],
  ];
  await refusesFiles(readVolume, cases);
  await assert.rejects(
    readVolume(npy(describe("<f4", "0, 3"), floats)),
    /RangeError: Cannot read image as it must have 1 \.\. 134217728 voxels: current value is 1 x 0 x 3 x 1/,
  );
});
