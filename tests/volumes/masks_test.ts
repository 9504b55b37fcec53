import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { packMask, unpackMask } from "../../src/arrays/packed_mask.ts";
import { createRandom } from "../../src/random.ts";
import {
  interpolateMasks,
  signedDistance,
} from "../../src/volumes/interpolate.ts";

const mask = (...rows: string[]) =>
  ndarray(Uint8Array.from(rows.join(""), Number), [
    rows.length,
    rows[0].length,
  ]);

Deno.test("packMask() keeps a window's bits, and unpackMask() gives the mask back", () => {
  const random = createRandom(3);
  for (const share of [0, 0.02, 0.5, 1]) {
    const whole = ndarray(
      Uint8Array.from(
        { length: 11 * 17 },
        () => random.uniform() < share ? 1 : 0,
      ),
      [11, 17],
    );
    const packed = packMask(whole);
    assert.deepEqual(unpackMask(packed).data, whole.data);
    assert.equal(
      packed.area,
      whole.data.reduce((a: number, b: number) => a + b, 0),
    );
  }
  const { bits, top, left, height, width } = packMask(
    mask("0000", "0011", "0010", "0000"),
  );
  assert.deepEqual([top, left, height, width], [1, 2, 2, 2]);
  assert.deepEqual([...bits], [0b0111]); // 1 1 1 0, the first one lowest
});

Deno.test("signedDistance() is half a pixel at either side of the border", () => {
  assert.deepEqual(
    [...signedDistance(mask("0011100"))],
    [-1.5, -0.5, 0.5, 1.5, 0.5, -0.5, -1.5],
  );
});

Deno.test("interpolateMasks() goes from one mask to the next, and not beyond them", () => {
  // A run of 1 pixel becomes one of 5: halfway the distances' mean is
  // (-1.5 + .5) / 2 < 0, (-.5 + 1.5) / 2 > 0, (.5 + 2.5) / 2 > 0: 3 pixels
  const masks = new Map([[1, mask("0001000")], [3, mask("0111110")]]);
  const volume = interpolateMasks(masks, 5);
  assert.deepEqual(volume.shape, [5, 1, 7]);
  const rows = [0, 1, 2, 3, 4].map((z) =>
    volume.data.slice(7 * z, 7 * z + 7).join("")
  );
  assert.deepEqual(rows, [
    "0000000",
    "0001000",
    "0011100",
    "0111110",
    "0000000",
  ]);
});

Deno.test("interpolateMasks() refuses no masks, other sizes and slices that are not there", () => {
  const one = mask("01");
  assert.throws(() => interpolateMasks(new Map(), 3), /at least one/);
  assert.throws(
    () => interpolateMasks(new Map([[3, one]]), 3),
    /0\.\.2: current value is 3/,
  );
  assert.throws(
    () => interpolateMasks(new Map([[0, one], [1, mask("011")]]), 3),
    /one size, \[1,2\]: current value is \[1,3\]/,
  );
});
