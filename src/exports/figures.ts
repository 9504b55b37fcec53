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
  learningFigure,
} from "../figures/dice_figure.ts";
export {
  componentsFigure,
  differencesFigure,
  evaluationFigure,
  type EvaluationFigureOptions,
  raterSeries,
  ratersFigure,
  targetsFigure,
  variantsFigure,
} from "../figures/evaluation_figures.ts";
export {
  entropyFigure,
  type EntropyFigureOptions,
  imageFigure,
  type ImageFigureOptions,
  maskFigure,
  type MaskFigureOptions,
} from "../figures/image_figure.ts";
export { type FigureSource, stackFigures } from "../figures/figure.ts";
export {
  mixtureFigure,
  type MixtureFigureOptions,
} from "../figures/mixture_figure.ts";
export { modelFigure } from "../figures/model_figure.ts";
export {
  type AreaStrip,
  volumeFigure,
  type VolumeFigureOptions,
  type VolumeMask,
} from "../figures/volume_figure.ts";
