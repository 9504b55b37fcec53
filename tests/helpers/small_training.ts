/** A training run of a few seconds; as a program, one that can be killed. */
import { useEngine } from "../../src/engine/engine.ts";
import { createRandom } from "../../src/random.ts";
import { defaultLoss } from "../../src/training/loss.ts";
import type { TrainingCase } from "../../src/training/training_case.ts";
import { train } from "../../src/training/train.ts";
import type { Recipe } from "../../src/training/recipe.ts";
import { discImage, discMask, smallConfig } from "./small_model.ts";

/** Discs whose raters draw them smaller and larger. */
export const discs: TrainingCase[] = Array.from({ length: 6 }, (_, i) => {
  const random = createRandom(i, 8);
  const x = 16 + 3 * random.normal(), y = 14 + 3 * random.normal();
  const radius = 6 + 4 * random.uniform();
  return {
    image: discImage(30, 32, { x, y, radius }),
    masks: [-2, 0, 2].map((change) =>
      discMask(30, 32, { x, y, radius: radius + change })
    ),
  };
});

export const recipe: Recipe = {
  steps: 12,
  batch: 4,
  usersPerImage: 2,
  samples: 0,
  iterations: 3,
  learningRate: 3e-3,
  schedule: "cosine",
  warmUp: 5,
  averageDecay: 0.9,
  phantomShare: 0,
  syntheticShare: 0.3,
  regionShare: 0.5,
  placements: 0,
  styleShare: 0.5,
  clickShare: 0.3,
  boxShare: 0.2,
  maskShare: 0.2,
  neighborShare: 0.3,
  carryShare: 0.5,
  seed: 1,
  loss: defaultLoss,
};

/** The recipe of the run that is killed. */
export const longRecipe: Recipe = { ...recipe, steps: 24 };

if (import.meta.main) {
  await useEngine("auto", { threads: 1 });
  await train(smallConfig, discs, longRecipe, {
    checkpoint: Deno.args[0],
    checkpointSeconds: 0,
    reportEvery: 1,
    onReport: ({ step }) => {
      console.log(step);
      // slowly, so that whoever kills it has the time to
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    },
  });
}
