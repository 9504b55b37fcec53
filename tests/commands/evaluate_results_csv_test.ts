import assert from "node:assert/strict";
import { resultsCSV } from "../../src/commands/evaluate/publish.ts";
import { sampleSetOf } from "../helpers/evaluation_results.ts";

const target = {
  case: 'lobe, "left"',
  patient: "p1",
  rater: "2",
  iterations: [
    {
      ...{ dice: 0.75, iou: 0.6, hd95: 3.5, best: 0.8125, spread: 0.02 },
      milliseconds: 41.239,
    },
    { dice: 0.875, best: 0.9, spread: 0.01, milliseconds: 40 }, // saved before
  ],
};

Deno.test("resultsCSV() writes a row per target and iteration", () => {
  assert.equal(
    resultsCSV({ both: [target] }),
    [
      "variant,case,patient,rater,iteration,dice,best,spread,ms,iou,hd95_mm,hd95_px,set,part,object_left,object_top,object_right,object_bottom,region_left,region_top,region_right,region_bottom,looks,looks_ms",
      'both,"lobe, ""left""",p1,2,1,0.750000,0.812500,0.020000,41.24,0.600000,,3.500000,,,,,,,,,,,,',
      'both,"lobe, ""left""",p1,2,2,0.875000,0.900000,0.010000,40.00,,,,,,,,,,,,,,,',
      "",
    ].join("\n"),
  );
});

Deno.test("resultsCSV() has HD95 in millimeters in a column of its own", () => {
  for (const spacing of [0.5, [1, 0.5]] as const) {
    const [, row] = resultsCSV({ both: [{ ...target, spacing }] }).split("\n");
    assert.ok(row.includes(",41.24,0.600000,3.500000,,"), row);
  }
});

Deno.test("resultsCSV() tells where the target is and where the network looked", () => {
  const object = { left: 9.5, top: 8.5, right: 19.5, bottom: 28.5 };
  const region = { left: -15.5, top: -11.5, right: 44.5, bottom: 48.5 };
  const looks = { count: 2, milliseconds: 81.256 };
  const known = { set: "nerve", part: 3, object, region, looks };
  const [, row] = resultsCSV({ both: [{ ...target, ...known }] }).split("\n");
  assert.equal(
    row.split(",").slice(-12).join(","),
    "nerve,3,9.5,8.5,19.5,28.5,-15.5,-11.5,44.5,48.5,2,81.26",
  );
});

Deno.test("resultsCSV() leaves empty what one target has and another lacks", () => {
  const [first] = target.iterations;
  const of = (rater: string, raters: Record<string, number>) => ({
    case: "a",
    patient: "a",
    rater,
    iterations: [{ ...first, raters }],
  });
  const sampleSet = sampleSetOf(0.25);
  const lines = resultsCSV({
    both: [{ ...of("1", { 1: 0.5, 3: 0.25 }), sampleSet }, of("2", { 2: 1 })],
  }).split("\n");
  assert.deepEqual(lines[0].split(",").slice(24), [
    ...["dice_1", "dice_3", "dice_2"],
    ...Object.keys(sampleSet).map((name) => `samples_${name}`),
  ]);
  assert.deepEqual(lines[1].split(",").slice(24, 28), [
    "0.500000",
    "0.250000",
    "",
    "0.250000",
  ]);
  assert.equal(lines[2].split(",").slice(24).join(","), ",,1.000000,,,,,,,");
});
