import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../../src/arrays/contiguous.ts";

const array = ndarray(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3]);

Deno.test("contiguous() returns an array without gaps as it is", () => {
  assert.equal(contiguous(array), array);
  const column = array.transpose(1, 0).lo(0, 0).hi(3, 1); // 0, 1, 2
  assert.deepEqual([...contiguous(column).data], [0, 1, 2]);
});

Deno.test("contiguous() copies transposed, flipped, stepped and cut views", () => {
  const values = (view: typeof array) => [...contiguous(view).data];
  assert.deepEqual(values(array.transpose(1, 0)), [0, 3, 1, 4, 2, 5]);
  assert.deepEqual(values(array.step(1, -1)), [2, 1, 0, 5, 4, 3]);
  assert.deepEqual(values(array.step(1, 2)), [0, 2, 3, 5]);
  assert.deepEqual(values(array.lo(1, 1)), [4, 5]);
  assert.deepEqual(values(array.hi(2, 2)), [0, 1, 3, 4]);
  assert.deepEqual(contiguous(array.lo(1, 1)).shape, [1, 2]);
});

Deno.test("contiguous() copies views of masks and of three dimensions", () => {
  const bytes = ndarray(Uint8Array.from({ length: 12 }, (_, i) => i), [
    2,
    3,
    2,
  ]);
  const channel = contiguous(bytes.pick(null, null, 1));
  assert.ok(channel.data instanceof Uint8Array);
  assert.deepEqual([...channel.data], [1, 3, 5, 7, 9, 11]);
  const turned = contiguous(bytes.transpose(2, 0, 1));
  assert.deepEqual([...turned.data], [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
});

Deno.test("contiguous() keeps an empty array empty", () => {
  assert.equal(contiguous(array.hi(0, 3)).data.length, 0);
});
