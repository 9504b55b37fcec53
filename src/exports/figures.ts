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
export { differencesFigure } from "../figures/evaluation_figures.ts";
export {
  entropyFigure,
  type EntropyFigureOptions,
} from "../figures/entropy_figure.ts";
export {
  evaluationFigure,
  type EvaluationFigureOptions,
  raterSeries,
} from "../figures/evaluation_figures.ts";
export type { FigureSource } from "../figures/figure.ts";
export {
  imageFigure,
  type ImageFigureOptions,
} from "../figures/image_figure.ts";
export { learningFigure } from "../figures/learning_figure.ts";
export { maskFigure, type MaskFigureOptions } from "../figures/image_figure.ts";
export {
  mixtureFigure,
  type MixtureFigureOptions,
} from "../figures/mixture_figure.ts";
export { modelFigure } from "../figures/model_figure.ts";
export { ratersFigure } from "../figures/evaluation_figures.ts";
export { stackFigures } from "../figures/figure.ts";
export { targetsFigure } from "../figures/evaluation_figures.ts";
export { variantsFigure } from "../figures/evaluation_figures.ts";
export {
  type AreaStrip,
  volumeFigure,
  type VolumeFigureOptions,
  type VolumeMask,
} from "../figures/volume_figure.ts";
