import assert from "node:assert/strict";
import { checkRecipe } from "../../src/training/recipe.ts";
import type { LossOptions } from "../../src/training/loss.ts";
import {
  defaultRecipe,
  type Recipe,
  type TrainOptions,
} from "../../src/training/recipe.ts";
import { longRecipe, recipe } from "../helpers/small_training.ts";

type Numbers<T> = Partial<Record<keyof T, number[]>>;

/** Values that must be refused, with the rule that the error gives. */
const REFUSED: [string, Numbers<Recipe & LossOptions & TrainOptions>][] = [
  ["an integer >= 1", {
    steps: [0, -1, 2.5, NaN, Infinity],
    batch: [0, -2, 1.5, NaN],
    usersPerImage: [0, -1, 0.5, NaN],
    iterations: [0, -1, 1.5, NaN],
    reportEvery: [0, -1, 1.5, NaN, Infinity],
  }],
  ["> 0 and finite", {
    learningRate: [0, -1e-3, NaN, Infinity],
    temperature: [0, -0.15, NaN, Infinity],
  }],
  [">= 0 and finite", {
    warmUp: [-1, NaN, Infinity],
    dice: [-0.3, NaN, Infinity],
    mean: [-0.3, NaN, Infinity],
    each: [-0.3, NaN, Infinity],
  }],
  [">= 0 and < 1", { averageDecay: [-0.1, 1, 2, NaN] }],
  ["within 0..1", {
    phantomShare: [-0.1, 1.1, 7, NaN],
    styleShare: [-0.1, 1.1, NaN],
    carryShare: [-0.1, 1.1, NaN],
  }],
  [">= 0", { checkpointSeconds: [-1, NaN] }],
];

/** The default recipe with one figure changed, wherever it belongs. */
function check(name: string, value: number): void {
  const { loss } = defaultRecipe;
  if (name in loss) {
    checkRecipe({ ...defaultRecipe, loss: { ...loss, [name]: value } });
  } else if (name in defaultRecipe) {
    checkRecipe({ ...defaultRecipe, [name]: value });
  } else checkRecipe(defaultRecipe, { [name]: value });
}

for (const [rule, figures] of REFUSED) {
  for (const [figure, values] of Object.entries(figures)) {
    const name = figure in defaultRecipe.loss ? `loss.${figure}` : figure;
    Deno.test(`checkRecipe() wants ${name} to be ${rule}`, () => {
      for (const value of values) {
        assert.throws(
          () => check(figure, value),
          new RangeError(
            `Cannot train as ${name} must be ${rule}: current value is ${value}`,
          ),
        );
      }
    });
  }
}

Deno.test("checkRecipe() wants the batch to be a multiple of the users per image", () => {
  for (const [batch, usersPerImage] of [[5, 2], [1, 2]]) {
    assert.throws(
      () => checkRecipe({ ...defaultRecipe, batch, usersPerImage }),
      new RangeError(
        `Cannot train as batch must be a multiple of usersPerImage: current values are ${batch} and ${usersPerImage}`,
      ),
    );
  }
});

Deno.test("checkRecipe() takes recipes, the ends of their ranges included", () => {
  for (const good of [defaultRecipe, recipe, longRecipe]) checkRecipe(good);
  const ones = { steps: 1, batch: 1, usersPerImage: 1, iterations: 1 };
  for (const share of [0, 1]) {
    checkRecipe({
      ...defaultRecipe,
      ...ones,
      ...{ warmUp: 0, averageDecay: 0 },
      ...{ phantomShare: share, styleShare: share, carryShare: share },
      loss: { ...defaultRecipe.loss, dice: 0, mean: 0, each: 0 },
    }, { checkpointSeconds: share === 0 ? 0 : Infinity, reportEvery: 1 });
  }
});
