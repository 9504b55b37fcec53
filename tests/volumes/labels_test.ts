import assert from "node:assert/strict";
import ndarray from "ndarray";
import { Labels } from "../../src/volumes/labels.ts";

const masked = (...values: number[]) => ({
  mask: ndarray(Uint8Array.from(values), [2, 2]),
});

Deno.test("labels are joined into one mask, the later one on top", () => {
  const labels = new Labels();
  labels.add({ name: "kidney", session: masked(1, 1, 0, 0) });
  const cyst = labels.add({ name: "cyst", session: masked(0, 1, 1, 0) });
  assert.equal(cyst.value, 2);
  assert.deepEqual([...labels.mask.data], [1, 2, 2, 0]);
  assert.deepEqual(labels.names, ["kidney", "cyst"]);
  assert.equal(labels.get("cyst"), cyst);
  assert.equal(new Set(labels.all.map(({ color }) => color)).size, 2);
});

Deno.test("labels are saved with their sessions", () => {
  const labels = new Labels();
  const session = { ...masked(1, 0, 0, 0), toJSON: () => "its actions" };
  labels.add({ name: "tumor", color: "#ff0000", session });
  assert.deepEqual(JSON.parse(JSON.stringify(labels)), [
    { name: "tumor", color: "#ff0000", session: "its actions" },
  ]);
});

Deno.test("disposing labels disposes their sessions", () => {
  let disposed = 0;
  {
    using labels = new Labels();
    const one = { ...masked(1, 0, 0, 0), dispose: () => disposed++ };
    labels.add({ name: "one", session: one });
    labels.add({ name: "two", session: masked(1, 0, 0, 0) });
  }
  assert.equal(disposed, 1);
});

Deno.test("labels refuse names, colors and sizes that do not fit", () => {
  const labels = new Labels();
  assert.throws(() => labels.mask, /one at least: current value is none/);
  labels.add({ name: "one", session: masked(1, 0, 0, 0) });
  const add = (name: string, color?: string, session = masked(1, 0, 0, 0)) =>
    labels.add({ name, color, session });
  assert.throws(() => add("one"), /must be its own: current value is one/);
  assert.throws(() => add(" "), /must be a text/);
  assert.throws(() => add("two", "red"), /"#ff9f1c": current value is red/);
  const long = { mask: ndarray(new Uint8Array(6), [2, 3]) };
  assert.throws(() => add("two", undefined, long), /size, \[2,2\]/);
  for (let i = 1; i < 255; i++) add(`${i}`);
  assert.throws(() => add("256"), /255 at most/);
});
