/** What is measured of a recommendation, and that it takes no time. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { evaluateBaseline } from "../../src/baselines/evaluate.ts";
import { METHODS } from "../../src/baselines/methods.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { evaluate, measureProposal } from "../../src/evaluation/evaluate.ts";
import { Model } from "../../src/model/model.ts";
import { drawWeights } from "../../src/model/declare_weights.ts";
import { handProposal } from "../helpers/proposal.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });

/** A mask of 12 x 16 with 4 x 4 pixels, as many rows and columns beside the recommendation. */
function aside(rows: number, columns: number) {
  const mask = ndarray(new Uint8Array(12 * 16), [12, 16]);
  for (let i = 0; i < 16; i++) {
    mask.set(4 + rows + (i >> 2), 4 + columns + i % 4, 1);
  }
  return mask;
}

for (
  const [rows, columns, spacing, iou, hd95] of [
    [0, 0, 0.7, 1, 0],
    [0, 2, undefined, 8 / 24, 2], // pixels
    [0, 2, 0.7, 8 / 24, 1.4],
    [0, 2, [0.5, 2], 8 / 24, 4],
    [2, 0, [0.5, 2], 8 / 24, 1],
    [0, 6, 1, 0, 6],
  ] as const
) {
  const unit = spacing ? `mm of ${spacing}` : "pixels";
  Deno.test(`measureProposal() of ${rows} rows and ${columns} columns aside: IoU ${iou.toFixed(2)}, ${hd95} in ${unit}`, () => {
    const mask = aside(rows, columns);
    const found = measureProposal(handProposal(), { mask, spacing }, new Map());
    assert.equal(found.iou, iou);
    assert.ok(Math.abs(found.hd95! - hd95) < 1e-9, `${found.hd95}`);
  });
}

Deno.test("measureProposal() takes an empty recommendation as the image's diagonal away", () => {
  const proposal = handProposal();
  const mask = ndarray(new Uint8Array(12 * 16), [12, 16]);
  const nothing = {
    ...proposal,
    recommended: { ...proposal.recommended, mask },
  };
  const of = (spacing?: number) =>
    measureProposal(nothing, { mask: aside(0, 0), spacing }, new Map());
  assert.deepEqual([of().iou, of().hd95, of(0.5).hd95], [0, 20, 10]);
});

/** Runs with a clock that stands still but for a second whenever the target is read. */
async function readingTakesTime(
  run: (dataset: Dataset) => Promise<{ milliseconds: number }[]>,
): Promise<void> {
  const { now } = performance;
  let clock = 0;
  const at = { x: 11, y: 10, radius: 6 };
  const mask = discMask(20, 24, at);
  const { data } = mask;
  Object.defineProperty(mask, "data", {
    get() {
      clock += 1000;
      return data;
    },
  });
  performance.now = () => clock;
  try {
    const times = await run({
      name: "discs",
      cases: [{
        ...{ id: "a", patient: "a", spacing: 0.7, raters: ["1"] },
        readImage: () => Promise.resolve(discImage(20, 24, at)),
        readMask: () => Promise.resolve(mask),
      }],
    });
    assert.ok(clock > 10_000, `${clock}`);
    assert.deepEqual(times.map(({ milliseconds }) => milliseconds), [0, 0]);
  } finally {
    performance.now = now;
  }
}

Deno.test("the milliseconds of an iteration are those of the method, not of measuring it", async () => {
  const options = { iterations: 2, samples: 8 };
  await readingTakesTime(async (dataset) => {
    const model = new Model(smallConfig, noisyWeights(smallConfig));
    return [...(await evaluate(model, dataset, options))[0].iterations];
  });
  for (const method of ["click", "unet"]) {
    const config = { method, network: smallConfig, raters: 1 };
    const weights = drawWeights(METHODS[method].declare(config), 1);
    await readingTakesTime(async (dataset) => {
      const baseline = { config, weights, metadata: {} };
      const [{ iterations }] = await evaluateBaseline(
        baseline,
        dataset,
        options,
      );
      return [...iterations];
    });
  }
});
