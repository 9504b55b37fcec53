import assert from "node:assert/strict";
import { SpareBuffers } from "../../src/engine/spare_buffers.ts";

/** A quarter of what is kept in all. */
const QUARTER = 2 ** 22; // float32

Deno.test("SpareBuffers give a buffer back once, for its own type and size", () => {
  const spare = new SpareBuffers();
  const floats = new Float32Array(20_000);
  spare.keep(floats);
  assert.equal(spare.take("int32", 20_000), undefined);
  assert.equal(spare.take("float32", 20_001), undefined);
  assert.equal(spare.take("float32", 20_000), floats);
  assert.equal(spare.take("float32", 20_000), undefined);
});

Deno.test("SpareBuffers let go of the oldest beyond 64 MB", () => {
  const spare = new SpareBuffers();
  const sizes = [0, 1, 2, 3].map((i) => QUARTER - i);
  for (const size of sizes) spare.keep(new Float32Array(size));
  const small = new Int32Array(20_000); // too much with the others
  spare.keep(small);
  assert.equal(spare.take("float32", sizes[0]), undefined);
  for (const size of sizes.slice(1)) {
    assert.equal(spare.take("float32", size)?.length, size);
  }
  assert.equal(spare.take("int32", 20_000), small);
});

Deno.test("SpareBuffers count only what they hold", () => {
  const spare = new SpareBuffers();
  for (let i = 0; i < 9; i++) {
    spare.keep(new Float32Array(QUARTER));
    assert.ok(spare.take("float32", QUARTER));
  }
  const kept = new Float32Array(QUARTER);
  spare.keep(kept);
  spare.keep(new Float32Array(3 * QUARTER));
  assert.equal(spare.take("float32", QUARTER), kept);
});

Deno.test("SpareBuffers keep neither small ones, nor one that is too large, nor any once cleared", () => {
  const spare = new SpareBuffers();
  spare.keep(new Uint8Array(100));
  spare.keep(new Float32Array(4 * QUARTER + 1));
  spare.keep(new Float32Array(QUARTER));
  spare.clear();
  assert.equal(spare.take("bool", 100), undefined);
  assert.equal(spare.take("float32", 4 * QUARTER + 1), undefined);
  assert.equal(spare.take("float32", QUARTER), undefined);
});
