/**
 * SPA: segmentation preference alignment for medical images (Zhu et al., ICCV
 * 2025). One click; a recommended segmentation and four distinct candidates;
 * pick the nearest; a few picks later the segmentation is yours.
 *
 * @example Align with a click and two choices
 * ```ts
 * import * as spa from "@spa-seg/spa";
 *
 * const model = await spa.loadModel();
 * const { image } = spa.phantom({ kind: "kidney", seed: 9 }); // or readImage
 * const embedding = await spa.encode(model, image);
 * let preference = await spa.startPreference(model, embedding, {
 *   points: [{ x: 50, y: 35 }],
 * });
 * for (const choice of [0, 1]) {
 *   const latents = spa.sampleGMM(preference.distribution, {
 *     count: 48,
 *     seed: preference.iteration,
 *   });
 *   const predictions = await spa.decode(model, embedding, latents, preference);
 *   const proposal = spa.cluster(predictions, { count: 4 });
 *   preference = await spa.updatePreference(
 *     model,
 *     embedding,
 *     preference,
 *     proposal,
 *     choice,
 *   );
 * }
 * ```
 *
 * @module
 */

export type {
  Checkpoint,
  CheckpointFormat,
  ElementType,
  ReadOptions,
} from "./src/checkpoints/checkpoint.ts";
export {
  exportOnnx,
  type ExportOnnxOptions,
} from "./src/checkpoints/export_onnx.ts";
export type {
  LoadModelOptions,
  LoadProgress,
  WeightReport,
} from "./src/checkpoints/load_model.ts";
export { fromHuggingFace, toHuggingFace } from "./src/checkpoints/names.ts";
export { openCheckpoint } from "./src/checkpoints/open_checkpoint.ts";
export { saveModel } from "./src/checkpoints/save_model.ts";
export type { Case, Dataset } from "./src/datasets/dataset.ts";
export { folderDataset } from "./src/datasets/folder.ts";
export { lidcCrops } from "./src/datasets/lidc_crops.ts";
export {
  openDataset,
  type OpenDatasetOptions,
} from "./src/datasets/open_dataset.ts";
export {
  type Phantom,
  phantom,
  PHANTOM_KINDS,
  PHANTOM_RATERS,
  type PhantomKind,
  type PhantomRater,
  phantoms,
} from "./src/phantoms/phantom.ts";
export { qubiq, type QubiqOptions } from "./src/datasets/qubiq.ts";
export {
  type ImageSource,
  readImage,
  type ReadImageOptions,
  readMask,
} from "./src/formats/read_image.ts";
export { refuge2, type Refuge2Options } from "./src/datasets/refuge2.ts";
export {
  type Layout,
  readVolume,
  type ReadVolumeOptions,
  type SliceOptions,
  type Volume,
  volumeSlice,
} from "./src/formats/volume.ts";
export { writeImage, writeMask } from "./src/formats/write_image.ts";
export { writeNiftiMask } from "./src/formats/write_nifti_mask.ts";
export {
  availableEngines,
  currentEngine,
  type DeviceTensor,
  type DType,
  type EagerOptions,
  type EngineInfo,
  type EngineName,
  type EngineOptions,
  type HostData,
  type HostTensor,
  type Provider,
  useEngine,
} from "./src/engine/engine.ts";
export {
  evaluate,
  type EvaluateOptions,
  type IterationResult,
  type TargetResult,
} from "./src/evaluation/evaluate.ts";
export {
  type RaterAgreement,
  raterAgreement,
} from "./src/evaluation/rater_agreement.ts";
export {
  type SampleSetMetrics,
  sampleSetMetrics,
} from "./src/evaluation/sample_set.ts";
export { expectedCalibrationError } from "./src/metrics/calibration.ts";
export { hd95 } from "./src/metrics/hd95.ts";
export {
  type IterationsToTarget,
  iterationsToTarget,
} from "./src/metrics/iterations_to_target.ts";
export { dice, diceSoft, iou, meanMask } from "./src/metrics/overlap.ts";
export {
  diceMax,
  generalisedEnergyDistance,
  hungarianMatchedDice,
  type Masks,
  sampleSpread,
} from "./src/metrics/sample_set.ts";
export {
  type ModelConfig,
  type PresetName,
  presets,
  type SamConfig,
} from "./src/model/config.ts";
export { Model } from "./src/model/model.ts";
export { type HostWeights, initializeWeights } from "./src/model/weights.ts";
export { annotate, type AnnotateOptions } from "./src/notebook/annotate.ts";
export type { AnnotationImage } from "./src/notebook/annotation_images.ts";
export type { AnnotationRecord } from "./src/notebook/annotation_record.ts";
export { AnnotationReport } from "./src/notebook/annotation_report.ts";
export type { Asked } from "./src/notebook/ask.ts";
export {
  candidatesFigure,
  type CandidatesFigureOptions,
} from "./src/figures/candidates_figure.ts";
export {
  datasetFigure,
  type DatasetFigureOptions,
} from "./src/figures/dataset_figure.ts";
export {
  diceFigure,
  type DiceFigureOptions,
  type DiceSeries,
} from "./src/figures/dice_figure.ts";
export { show } from "./src/notebook/display.ts";
export {
  figureOf,
  type Showable,
  type ShowOptions,
} from "./src/figures/figure_of.ts";
export { differencesFigure } from "./src/figures/evaluation_figures.ts";
export {
  entropyFigure,
  type EntropyFigureOptions,
} from "./src/figures/entropy_figure.ts";
export {
  evaluationFigure,
  type EvaluationFigureOptions,
  raterSeries,
} from "./src/figures/evaluation_figures.ts";
export { Figure, type FigureSource } from "./src/figures/figure.ts";
export type { FirstClicks } from "./src/notebook/annotation_images.ts";
export {
  imageFigure,
  type ImageFigureOptions,
} from "./src/figures/image_figure.ts";
export { learningFigure } from "./src/figures/learning_figure.ts";
export { loadModel } from "./src/notebook/load_model.ts";
export {
  maskFigure,
  type MaskFigureOptions,
} from "./src/figures/image_figure.ts";
export {
  mixtureFigure,
  type MixtureFigureOptions,
} from "./src/figures/mixture_figure.ts";
export { modelFigure } from "./src/figures/model_figure.ts";
export {
  type AskOptions,
  pick,
  type PickOptions,
  type PickRule,
} from "./src/notebook/pick.ts";
export {
  applyPick,
  pickNext,
  type PickNextOptions,
} from "./src/notebook/pick.ts";
export { pickPoint, type PickPointOptions } from "./src/notebook/pick.ts";
export type { Picked } from "./src/notebook/picked.ts";
export {
  evaluationProgress,
  loadingProgress,
  ProgressBar,
  type ProgressOptions,
  trainingProgress,
  withProgress,
} from "./src/notebook/progress.ts";
export type { ProgressSink } from "./src/notebook/progress.ts";
export type { ProgressState } from "./src/notebook/progress.ts";
export { ratersFigure } from "./src/figures/evaluation_figures.ts";
export { stackFigures } from "./src/figures/figure.ts";
export { targetsFigure } from "./src/figures/evaluation_figures.ts";
export { variantsFigure } from "./src/figures/evaluation_figures.ts";
export { createRandom, type Random } from "./src/random.ts";
export { addPoint } from "./src/spa/add_point.ts";
export { type Candidate, cluster, type Proposal } from "./src/spa/cluster.ts";
export { decode } from "./src/spa/decode.ts";
export { encode, type ImageEmbedding } from "./src/spa/encode.ts";
export type { Box, Choice, Feedback, Point } from "./src/spa/feedback.ts";
export type { Frame } from "./src/spa/frame.ts";
export type { GaussianMixture } from "./src/spa/mixture.ts";
export {
  type MaskPrompts,
  type PredictedMask,
  predictMasks,
  type PredictMasksOptions,
} from "./src/spa/predict_masks.ts";
export type { KeptSamples, Predictions } from "./src/spa/predictions.ts";
export type { Preference } from "./src/spa/preference.ts";
export {
  type Profile,
  profileFromJSON,
  profileOf,
  profileToJSON,
} from "./src/spa/profile.ts";
export type { ProposalOptions } from "./src/spa/propose.ts";
export { type Latents, sampleGMM } from "./src/spa/sample_gmm.ts";
export {
  type Action,
  Session,
  type SessionJSON,
  type SessionOptions,
} from "./src/spa/session.ts";
export {
  boundingBox,
  candidateDice,
  clickInside,
  errorClick,
  jitterBox,
  nearestUser,
  noisyUser,
  randomUser,
  type SimulatedUser,
} from "./src/spa/simulated_user.ts";
export { type Start, startPreference } from "./src/spa/start_preference.ts";
export {
  type UpdateOptions,
  updatePreference,
} from "./src/spa/update_preference.ts";
export type { Cell, Column, Table } from "./src/table.ts";
export type { ExampleOptions } from "./src/training/groups.ts";
export type { LossOptions } from "./src/training/loss.ts";
export type { TrainingReport } from "./src/training/tally.ts";
export {
  defaultRecipe,
  type Recipe,
  train,
  type TrainOptions,
} from "./src/training/train.ts";
export type { TrainingCase } from "./src/training/training_case.ts";
