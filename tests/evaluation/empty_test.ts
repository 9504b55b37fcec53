import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { folderDataset } from "../../src/datasets/layouts.ts";
import { evaluateCases } from "../../src/evaluation/evaluate.ts";
import { raterAgreement } from "../../src/evaluation/rater_agreement.ts";

Deno.test("a dataset whose masks are all empty is refused, not evaluated to nothing", async () => {
  const dataset = await folderDataset(
    fileURLToPath(
      new URL("../fixtures/cases/evaluate_all_empty", import.meta.url),
    ),
  );
  const never = () => Promise.reject(new Error("no target, no method"));
  const idle = () =>
    Promise.resolve({ align: never, [Symbol.dispose]: () => {} });
  const message =
    /RangeError: Cannot .* as a mask must have something inside: current value is none that has in /;
  await assert.rejects(evaluateCases(dataset, {}, idle), message);
  await assert.rejects(raterAgreement(dataset), message);
  assert.deepEqual(await raterAgreement({ ...dataset, cases: [] }), []);
  // Of a part, as one process of several has it, nobody can tell.
  const part = { only: () => true };
  assert.equal((await evaluateCases(dataset, part, idle)).length, 0);
});
