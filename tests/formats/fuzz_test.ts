import assert from "node:assert/strict";
import { fuzzReaders } from "../helpers/reader_fuzzer.ts";

Deno.test("every damaged image file is read as promised or refused with a clear error", async () => {
  const { refused, read } = await fuzzReaders(1000, 1);
  assert.ok(refused > 100 && read > 100, `${refused} refused, ${read} read`);
});
