import assert from "node:assert/strict";
import { once } from "../src/once.ts";

Deno.test("once() loads once, for calls at the same time too", async () => {
  let loads = 0;
  const load = once(() => Promise.resolve(++loads));
  assert.deepEqual(await Promise.all([load(), load()]), [1, 1]);
  assert.equal(await load(), 1);
});

Deno.test("once() tries again after a failure", async () => {
  let loads = 0;
  const load = once(async () => {
    await Promise.resolve();
    if (++loads === 1) throw new Error("no network");
    return loads;
  });
  await assert.rejects(load(), /no network/);
  assert.equal(await load(), 2);
});
