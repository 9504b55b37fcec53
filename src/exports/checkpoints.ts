/**
 * Checkpoints tensor by tensor, ONNX files, and the masks of plain SAM.
 *
 * @module
 */

export type {
  Checkpoint,
  CheckpointFormat,
  ElementType,
  ReadOptions,
} from "../checkpoints/checkpoint.ts";
export {
  exportOnnx,
  type ExportOnnxOptions,
} from "../checkpoints/export_onnx.ts";
export { fromHuggingFace, toHuggingFace } from "../checkpoints/names.ts";
export { openCheckpoint } from "../checkpoints/open_checkpoint.ts";
export type {
  DeviceTensor,
  DType,
  EagerOptions,
  HostData,
  HostTensor,
  Provider,
} from "../engine/engine.ts";
export type { HostWeights } from "../model/weights.ts";
export {
  type MaskPrompts,
  type PredictedMask,
  predictMasks,
  type PredictMasksOptions,
} from "../spa/predict_masks.ts";
