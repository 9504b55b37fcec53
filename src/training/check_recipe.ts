import type { Recipe, TrainOptions } from "./train.ts";

/** What an option may be, in words and as a test that NaN fails. */
interface Range {
  readonly rule: string;
  readonly holds: (value: number) => boolean;
}

const COUNT: Range = {
  rule: "an integer >= 1",
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
};
const WHOLE: Range = {
  rule: "a whole number >= 0",
  holds: (value) => Number.isSafeInteger(value) && value >= 0,
};
const RATE: Range = {
  rule: "> 0 and finite",
  holds: (value) => value > 0 && value < Infinity,
};
const AMOUNT: Range = {
  rule: ">= 0 and finite",
  holds: (value) => value >= 0 && value < Infinity,
};
const DURATION: Range = { rule: ">= 0", holds: (value) => value >= 0 };
const SHARE: Range = {
  rule: "within 0..1",
  holds: (value) => value >= 0 && value <= 1,
};
const DECAY: Range = {
  rule: ">= 0 and < 1",
  holds: (value) => value >= 0 && value < 1,
};

/**
 * Refuses a recipe that trains nothing, or something else than it says, so that
 * a bad figure is named at the start and not NaN after hours.
 *
 * @param options What goes with the recipe.
 * @throws {RangeError} When a figure is out of its range, or the batch is no
 * multiple of the users per image.
 */
export function checkRecipe(
  recipe: Recipe,
  { checkpointSeconds = 60, reportEvery = 100 }: Pick<
    TrainOptions,
    "checkpointSeconds" | "reportEvery"
  > = {},
): void {
  const { batch, usersPerImage, loss } = recipe;
  const figures: [name: string, value: number, range: Range][] = [
    ["steps", recipe.steps, COUNT],
    ["batch", batch, COUNT],
    ["usersPerImage", usersPerImage, COUNT],
    ["iterations", recipe.iterations, COUNT],
    ["learningRate", recipe.learningRate, RATE],
    ["warmUp", recipe.warmUp, AMOUNT],
    ["averageDecay", recipe.averageDecay, DECAY],
    ["phantomShare", recipe.phantomShare, SHARE],
    ["syntheticShare", recipe.syntheticShare, SHARE],
    ["regionShare", recipe.regionShare, SHARE],
    ["placements", recipe.placements, WHOLE],
    ["styleShare", recipe.styleShare, SHARE],
    ["clickShare", recipe.clickShare, SHARE],
    ["boxShare", recipe.boxShare, SHARE],
    ["maskShare", recipe.maskShare, SHARE],
    ["carryShare", recipe.carryShare, SHARE],
    ["loss.temperature", loss.temperature, RATE],
    ["loss.dice", loss.dice, AMOUNT],
    ["loss.mean", loss.mean, AMOUNT],
    ["loss.each", loss.each, AMOUNT],
    ["checkpointSeconds", checkpointSeconds, DURATION],
    ["reportEvery", reportEvery, COUNT],
  ];
  for (const [name, value, { rule, holds }] of figures) {
    if (holds(value)) continue;
    throw new RangeError(
      `Cannot train as ${name} must be ${rule}: current value is ${value}`,
    );
  }
  if (batch % usersPerImage !== 0) {
    throw new RangeError(
      `Cannot train as batch must be a multiple of usersPerImage: current values are ${batch} and ${usersPerImage}`,
    );
  }
}
