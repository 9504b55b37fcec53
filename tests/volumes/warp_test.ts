import assert from "node:assert/strict";
import { displacementOf, warp } from "../../src/volumes/warp.ts";

const SIDE = 48;

/** A soft disk. */
function disk(x: number, y: number, radius: number): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const distance = Math.hypot(i % SIDE - x, Math.floor(i / SIDE) - y);
    return 1 / (1 + Math.exp(distance - radius));
  });
}

Deno.test("a disk that moved and grew takes its mask along", () => {
  const from = disk(22, 24, 8), to = disk(26, 22, 9);
  const field = displacementOf(from, to, SIDE);
  const moved = warp(from, field, SIDE);
  const error = (map: Float32Array) =>
    map.reduce((sum, value, i) => sum + Math.abs(value - to[i]), 0);
  assert.ok(error(moved) < 0.2 * error(from));
  // a place inside comes from 4 to the left and 2 below, or so
  const middle = 22 * SIDE + 26;
  assert.ok(Math.abs(field.x[middle] + 4) < 1.5, `${field.x[middle]}`);
  assert.ok(Math.abs(field.y[middle] - 2) < 1.5, `${field.y[middle]}`);
});

Deno.test("nothing moves between equal slices, nor to one that is the same everywhere", () => {
  const one = disk(20, 20, 7);
  for (const other of [one, new Float32Array(SIDE * SIDE)]) {
    const { x, y } = displacementOf(one, other, SIDE);
    assert.ok([...x, ...y].every((value) => value === 0));
  }
});
