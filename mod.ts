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

export { cleanMask } from "./src/arrays/clean_mask.ts";
export type { LoadModelOptions } from "./src/checkpoints/load_model.ts";
export { saveModel } from "./src/checkpoints/save_model.ts";
export {
  availableEngines,
  currentEngine,
  type EngineName,
  useEngine,
} from "./src/engine/engine.ts";
export { Figure } from "./src/figures/figure.ts";
export { figureOf, type Showable } from "./src/figures/figure_of.ts";
export { type ImageSource, readImage } from "./src/formats/read_image.ts";
export { readMask } from "./src/formats/read_mask.ts";
export { readVolume, type Volume, volumeSlice } from "./src/formats/volume.ts";
export { writeImage } from "./src/formats/write_image.ts";
export { writeMask } from "./src/formats/write_mask.ts";
export { Model } from "./src/model/model.ts";
export { annotate } from "./src/notebook/annotate.ts";
export { show } from "./src/notebook/display.ts";
export { loadModel } from "./src/notebook/load_model.ts";
export { pick, type PickRule } from "./src/notebook/pick.ts";
export { pickNext } from "./src/notebook/pick_next.ts";
export { pickStart } from "./src/notebook/pick_start.ts";
export { type Phantom, phantom } from "./src/phantoms/phantom.ts";
export { phantomVolume } from "./src/phantoms/phantom_volume.ts";
export { createRandom, type Random } from "./src/random.ts";
export {
  addPoint,
  type UpdateOptions,
  updatePreference,
} from "./src/spa/update_preference.ts";
export { type Candidate, cluster, type Proposal } from "./src/spa/cluster.ts";
export { decode } from "./src/spa/decode.ts";
export type { ImageEmbedding } from "./src/spa/embedding.ts";
export { encode } from "./src/spa/encode.ts";
export type { Action, Choice, Feedback, Point } from "./src/spa/feedback.ts";
export { followChoice, lookAt } from "./src/spa/follow_choice.ts";
export type { Look } from "./src/spa/follow_choice.ts";
export type { Box } from "./src/spa/frame.ts";
export type { GaussianMixture } from "./src/spa/mixture.ts";
export type { Predictions } from "./src/spa/predictions.ts";
export type { Preference } from "./src/spa/preference.ts";
export {
  type Profile,
  profileFromJSON,
  profileOf,
  profileToJSON,
} from "./src/spa/profile.ts";
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
export { Labels } from "./src/volumes/labels.ts";
export { VolumeSession } from "./src/volumes/volume_session.ts";
