import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { resizeBilinear } from "../../src/arrays/resize.ts";
import { close } from "../helpers/close.ts";

const row = (...values: number[]) =>
  ndarray(Float32Array.from(values), [1, values.length]);

Deno.test("resizeBilinear() doubles a row at half-pixel centers, edges repeated", () => {
  // Output centers -0.25, 0.25, 0.75, 1.25 of the input
  close(resizeBilinear(row(0, 1), 1, 4).data, [0, 0.25, 0.75, 1]);
});

Deno.test("resizeBilinear() halves a row with a triangle two pixels wide each way", () => {
  // Center 0.5: weights 3/4, 3/4, 1/4 at pixels 0, 1, 2, over their sum 7/4
  close(resizeBilinear(row(0, 7, 14, 21), 1, 2).data, [5, 16]);
});

Deno.test("resizeBilinear() resizes columns as it does rows", () => {
  const column = ndarray(Float32Array.of(0, 7, 14, 21), [4, 1]);
  const half = resizeBilinear(column, 2, 1);
  assert.deepEqual(half.shape, [2, 1]);
  close(half.data, [5, 16]);
});

// numpy: a = sin(arange(35)**2 * 0.7) / 2 + 0.5, rounded to 3 digits, 5 x 7
// deno-fmt-ignore
const SOURCE = [
  0.5, 0.822, 0.667, 0.508, 0.01, 0.012, 0.534,
  0.627, 0.865, 0.575, 0.887, 0.561, 0.633, 0.059,
  0.071, 0.704, 0.436, 0.973, 0.785, 0.99, 0.306,
  0.867, 0.264, 0.302, 0.94, 0.135, 0.962, 0.989,
  0.915, 0.03, 0.997, 0.694, 0.747, 0.947, 0.014,
];

Deno.test("resizeBilinear() gives what Pillow's BILINEAR gives, larger and smaller", () => {
  const source = ndarray(Float32Array.from(SOURCE), [5, 7]);
  // Image.fromarray(a, mode="F").resize((width, height), Image.BILINEAR), Pillow 13.0.0
  // deno-fmt-ignore
  const recorded: [number, number, number[]][] = [
    [3, 4, [
      0.680483, 0.682143, 0.371343, 0.304007,
      0.490524, 0.620733, 0.753129, 0.626788,
      0.557639, 0.613451, 0.666577, 0.657905,
    ]],
    [2, 9, [
      0.471136, 0.681985, 0.68646, 0.61096, 0.788364, 0.499702, 0.480712, 0.457182, 0.308545,
      0.690455, 0.441394, 0.427591, 0.632848, 0.866818, 0.57904, 0.747828, 0.792848, 0.481273,
    ]],
    [8, 3, [
      0.673786, 0.417529, 0.198, 0.693067, 0.550143, 0.291875,
      0.699272, 0.724831, 0.430647, 0.513424, 0.766669, 0.611406,
      0.441438, 0.717092, 0.730737, 0.483312, 0.576099, 0.788638,
      0.524504, 0.669768, 0.66871, 0.553286, 0.753588, 0.570929,
    ]],
  ];
  for (const [height, width, expected] of recorded) {
    const resized = resizeBilinear(source, height, width);
    assert.deepEqual(resized.shape, [height, width]);
    close(resized.data, expected);
  }
});

Deno.test("resizeBilinear() leaves an image of the wanted size as it is", () => {
  const source = ndarray(Float32Array.from(SOURCE), [5, 7]);
  const same = resizeBilinear(source, 5, 7);
  assert.deepEqual(same.data, source.data);
  assert.notEqual(same.data, source.data);
});

Deno.test("resizeBilinear() resizes each channel by itself", () => {
  const gray = ndarray(Float32Array.from(SOURCE), [5, 7]);
  const color = ndarray(new Float32Array(105), [5, 7, 3]);
  for (let i = 0; i < 35; i++) {
    color.data.set([SOURCE[i], 0.5, 1 - SOURCE[i]], 3 * i);
  }
  const resized = resizeBilinear(color, 3, 4);
  assert.deepEqual(resized.shape, [3, 4, 3]);
  const reference = [...resizeBilinear(gray, 3, 4).data];
  close(resized.data, reference.flatMap((v) => [v, 0.5, 1 - v]));
});

Deno.test("resizeBilinear() takes a view, such as a transposed image", () => {
  const source = ndarray(Float32Array.from(SOURCE), [5, 7]);
  const turned = resizeBilinear(source.transpose(1, 0), 4, 3);
  close(turned.data, [
    ...[0.680483, 0.490524, 0.557639],
    ...[0.682143, 0.620733, 0.613451],
    ...[0.371343, 0.753129, 0.666577],
    ...[0.304007, 0.626788, 0.657905],
  ]);
});

Deno.test("resizeBilinear() refuses sizes and shapes that make no image", () => {
  const source = ndarray(Float32Array.from(SOURCE), [5, 7]);
  for (const size of [0, -1, 2.5, NaN]) {
    assert.throws(
      () => resizeBilinear(source, size, 4),
      /RangeError: Cannot resize as height must be a whole number >= 1/,
    );
  }
  assert.throws(
    () => resizeBilinear(ndarray(new Float32Array(35), [35]), 1, 4),
    /RangeError: Cannot resize as the array's shape must be .*: current value is \[35\]/,
  );
  assert.throws(
    () => resizeBilinear(ndarray(new Float32Array(0), [0, 7]), 1, 4),
    /current value is \[0,7\]/,
  );
});
