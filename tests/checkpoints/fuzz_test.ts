import assert from "node:assert/strict";
import { fuzzCheckpoints } from "../helpers/checkpoint_fuzzer.ts";

Deno.test("2,000 damaged checkpoints meet clear errors, or load", async () => {
  const { refused, equal, changed } = await fuzzCheckpoints(2000, 1);
  assert.equal(refused + equal + changed, 2000);
  assert.ok(refused > 1000 && equal > 50 && changed > 10);
});
