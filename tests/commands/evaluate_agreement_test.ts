import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Case } from "../../src/datasets/dataset.ts";
import {
  agreementTable,
  raterAgreement,
} from "../../src/evaluation/rater_agreement.ts";

/** A case whose raters drew these pixels. */
function caseOf(id: string, drawn: Record<string, number[]>): Case {
  return {
    id,
    patient: id[0],
    raters: Object.keys(drawn),
    readImage: () => Promise.reject(new Error("no image")),
    readMask: (rater) =>
      Promise.resolve(ndarray(Uint8Array.from(drawn[rater]), [1, 4])),
  };
}

Deno.test("raterAgreement() compares each rater with the others, one by one and together", async () => {
  const cases = [
    caseOf("a1", { r: [1, 1, 0, 0], s: [1, 1, 1, 1], t: [0, 0, 1, 1] }),
    caseOf("b1", { r: [1, 0, 0, 0], s: [0, 0, 0, 0] }), // r is alone
  ];
  const found = await raterAgreement({ name: "two", cases });
  const third = 2 / 3;
  assert.deepEqual(
    found.map((
      { rater, another, majority, best },
    ) => [rater, another, majority, best]),
    [
      ["r", (third + 0) / 2, third, third], // s or t: all four
      ["s", (third + third) / 2, 1, third],
      ["t", (0 + third) / 2, third, third],
    ],
  );
  const { rows } = agreementTable(found);
  assert.deepEqual(rows.map(([, value]) => (value as number).toFixed(4)), [
    "0.4444",
    "0.7778",
    "0.6667",
  ]);
});

Deno.test("evaluate agreement prints how raters agree, without a model", async () => {
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "src/commands/evaluate/main.ts",
        "agreement",
        ...args,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    return [code, new TextDecoder().decode(code === 0 ? stdout : stderr)];
  };
  const [code, printed] = await run("--data", "data/phantoms");
  assert.equal(code, 0, `${printed}`);
  assert.match(`${printed}`, /^phantoms: 8 cases\n\n\| instead of/);
  assert.match(`${printed}`, /\| majority of the others \| 0\.8719 /);
  assert.deepEqual(await run("--data", "data/phantoms", "--rater", "a"), [
    1,
    "Cannot compare the raters as its options must be those of --help: Unknown option '--rater'\n",
  ]);
});
