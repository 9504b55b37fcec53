/**
 * Every figure by itself; `figureOf` of the root picks the one of a value.
 *
 * @module
 */

export {
  candidatesFigure,
  type CandidatesFigureOptions,
} from "../figures/candidates_figure.ts";
export {
  datasetFigure,
  type DatasetFigureOptions,
} from "../figures/dataset_figure.ts";
export {
  diceFigure,
  type DiceFigureOptions,
  type DiceSeries,
} from "../figures/dice_figure.ts";
export { differencesFigure } from "../figures/differences_figure.ts";
export {
  entropyFigure,
  type EntropyFigureOptions,
} from "../figures/entropy_figure.ts";
export {
  evaluationFigure,
  type EvaluationFigureOptions,
  raterSeries,
} from "../figures/evaluation_figure.ts";
export type { FigureSource } from "../figures/figure.ts";
export {
  imageFigure,
  type ImageFigureOptions,
} from "../figures/image_figure.ts";
export { learningFigure } from "../figures/learning_figure.ts";
export { maskFigure, type MaskFigureOptions } from "../figures/mask_figure.ts";
export {
  mixtureFigure,
  type MixtureFigureOptions,
} from "../figures/mixture_figure.ts";
export { modelFigure } from "../figures/model_figure.ts";
export { ratersFigure } from "../figures/raters_figure.ts";
export { stackFigures } from "../figures/stack_figures.ts";
export { targetsFigure } from "../figures/targets_figure.ts";
export { variantsFigure } from "../figures/variants_figure.ts";
