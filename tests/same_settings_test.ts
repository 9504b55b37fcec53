import assert from "node:assert/strict";
import { findDifference } from "../src/same_settings.ts";

Deno.test("findDifference() looks into nested settings, in any order", () => {
  const before = { a: 1, b: { c: 2, d: [3] } };
  assert.equal(
    findDifference(before, { b: { d: [3], c: 2 }, a: 1 }),
    undefined,
  );
  assert.deepEqual(
    findDifference(before, { a: 1, b: { c: 2, d: [4] } }),
    { name: "b.d", was: "[3]", is: "[4]" },
  );
});

Deno.test("findDifference() takes a setting that one of them lacks for its default", () => {
  const defaults = { a: 1, b: { c: 2 } };
  for (const [one, other] of [[{}, { a: 1 }], [{ b: {} }, { b: { c: 2 } }]]) {
    assert.equal(findDifference(one, other, defaults), undefined);
    assert.equal(findDifference(other, one, defaults), undefined);
  }
  assert.deepEqual(
    findDifference({}, { a: 2 }, defaults),
    { name: "a", was: "1", is: "2" },
  );
  assert.deepEqual(
    findDifference({ e: null }, {}, defaults),
    { name: "e", was: "null", is: "not given" },
  );
});

Deno.test("findDifference() shows the beginning of a long value", () => {
  const found = findDifference({ a: "x".repeat(100) }, { a: "y" });
  assert.equal(found?.was, `"${"x".repeat(79)}...`);
  assert.equal(found?.is, '"y"');
});
