/**
 * Training (Algorithm 1 of the paper): recipes, presets, `train`.
 *
 * @module
 */

export {
  type MixingConfig,
  type ModelConfig,
  type PresetName,
  presets,
  type SamConfig,
  type TinyVitConfig,
  type TinyVitStage,
  type VitConfig,
} from "../model/config.ts";
export { initializeWeights } from "../model/declare_weights.ts";
export {
  loadingProgress,
  ProgressBar,
  type ProgressOptions,
  trainingProgress,
  withProgress,
} from "../notebook/progress.ts";
export type { ProgressSink } from "../notebook/progress.ts";
export type { ProgressState } from "../notebook/progress.ts";
export type { ExampleOptions } from "../training/groups.ts";
export type { LossOptions } from "../training/loss.ts";
export type { TrainingReport } from "../training/tally.ts";
export { train } from "../training/train.ts";
export {
  adaptationRecipe,
  defaultRecipe,
  type Recipe,
  type TrainOptions,
} from "../training/recipe.ts";
export type { TrainingCase } from "../training/training_case.ts";
