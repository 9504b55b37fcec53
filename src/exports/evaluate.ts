/**
 * Evaluation: `evaluate`, simulated users, metrics, agreement of raters.
 *
 * @module
 */

export {
  evaluate,
  type EvaluateOptions,
  type IterationResult,
  type TargetResult,
} from "../evaluation/evaluate.ts";
export type { Beginning, Damage, RegionChoice } from "../evaluation/targets.ts";
export type { Interaction } from "../evaluation/moves.ts";
export { padCases } from "../evaluation/pad_cases.ts";
export {
  type RaterAgreement,
  raterAgreement,
} from "../evaluation/rater_agreement.ts";
export {
  type SampleSetMetrics,
  sampleSetMetrics,
} from "../evaluation/sample_set.ts";
export { expectedCalibrationError } from "../metrics/sample_set.ts";
export { hd95, surfaceDice, type SurfaceOptions } from "../metrics/surface.ts";
export {
  type IterationsToTarget,
  iterationsToTarget,
} from "../metrics/iterations_to_target.ts";
export { dice, diceSoft, iou, meanMask } from "../metrics/overlap.ts";
export {
  diceMax,
  generalizedEnergyDistance,
  hungarianMatchedDice,
  type Masks,
  sampleSpread,
} from "../metrics/sample_set.ts";
export type {
  AnnotationImage,
  AnnotationItem,
  AnnotationVolume,
  FirstClick,
} from "../notebook/annotation_images.ts";
export type {
  AnnotationLabel,
  AnnotationRecord,
} from "../notebook/annotation_record.ts";
export { AnnotationReport } from "../notebook/annotation_report.ts";
export type { Asked } from "../notebook/ask.ts";
export type { FirstClicks } from "../notebook/annotation_images.ts";
export { evaluationProgress } from "../notebook/progress.ts";
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
} from "../spa/simulated_user.ts";
export type { Cell, Column, Table } from "../table.ts";
export {
  alignVolume,
  type AlignVolumeOptions,
  type VolumeMethod,
  type VolumeResult,
  type VolumeTarget,
} from "../volumes/align_volume.ts";
