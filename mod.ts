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
 *     samples: 48,
 *     seed: preference.iteration,
 *   });
 *   const predictions = await spa.decode(model, embedding, preference, {
 *     latents,
 *   });
 *   const proposal = spa.cluster(predictions, { candidates: 4 });
 *   preference = await spa.updatePreference(model, embedding, preference, {
 *     proposal,
 *     choice,
 *   });
 * }
 * ```
 *
 * @module
 */

export type {
  LoadModelOptions,
  LoadProgress,
  WeightReport,
} from "./src/checkpoints/load_model.ts";
export { saveModel } from "./src/checkpoints/save_model.ts";
export {
  availableEngines,
  currentEngine,
  type EngineInfo,
  type EngineName,
  type EngineOptions,
  useEngine,
} from "./src/engine/engine.ts";
export { Figure } from "./src/figures/figure.ts";
export {
  type ImageSource,
  readImage,
  type ReadImageOptions,
} from "./src/formats/read_image.ts";
export { readMask, type ReadMaskOptions } from "./src/formats/read_mask.ts";
export {
  readVolume,
  type ReadVolumeOptions,
  type Volume,
  volumeSlice,
} from "./src/formats/volume.ts";
export { writeImage } from "./src/formats/write_image.ts";
export { writeMask, type WriteMaskOptions } from "./src/formats/write_mask.ts";
export { Model } from "./src/model/model.ts";
export { annotate, type AnnotateOptions } from "./src/notebook/annotate.ts";
export { show } from "./src/notebook/display.ts";
export {
  figureOf,
  type Showable,
  type ShowOptions,
} from "./src/figures/figure_of.ts";
export { loadModel } from "./src/notebook/load_model.ts";
export {
  type AskOptions,
  pick,
  type PickOptions,
  type PickRule,
} from "./src/notebook/pick.ts";
export { pickNext, type PickNextOptions } from "./src/notebook/pick.ts";
export {
  type PickedStart,
  pickStart,
  type PickStartOptions,
} from "./src/notebook/pick.ts";
export { type Phantom, phantom } from "./src/phantoms/phantom.ts";
export {
  type PhantomVolume,
  phantomVolume,
  type PhantomVolumeKind,
  type PhantomVolumeRater,
} from "./src/phantoms/phantom_volume.ts";
export { createRandom, type Random } from "./src/random.ts";
export { addPoint, type PointUpdate } from "./src/spa/add_point.ts";
export {
  type Candidate,
  cluster,
  type Notice,
  type Proposal,
} from "./src/spa/cluster.ts";
export { cleanMask, type MaskCleaning } from "./src/arrays/clean_mask.ts";
export { decode, type DecodeOptions } from "./src/spa/decode.ts";
export type { Identity, ImageEmbedding, Looks } from "./src/spa/embedding.ts";
export { encode, type EncodeOptions } from "./src/spa/encode.ts";
export type {
  Action,
  Choice,
  Feedback,
  Point,
  Stroke,
} from "./src/spa/feedback.ts";
export type { Box } from "./src/spa/frame.ts";
export type { Frame } from "./src/spa/frame.ts";
export type { GaussianMixture } from "./src/spa/mixture.ts";
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
  Session,
  type SessionJSON,
  type SessionOptions,
} from "./src/spa/session.ts";
export {
  carryPreference,
  type Start,
  startPreference,
} from "./src/spa/start_preference.ts";
export {
  type ChoiceUpdate,
  type UpdateOptions,
  updatePreference,
} from "./src/spa/update_preference.ts";
export { type Label, Labels, type Masked } from "./src/volumes/labels.ts";
export type { Doubt, Suggestion } from "./src/volumes/suggestions.ts";
export type {
  PropagateOptions,
  PropagateProgress,
  VolumeAction,
  VolumeSessionJSON,
  VolumeSessionOptions,
} from "./src/volumes/volume_actions.ts";
export { VolumeSession } from "./src/volumes/volume_session.ts";
