/**
 * Types that a program seldom names: options of the root's functions and parts
 * of their results. Those that are named more often stand in the root.
 *
 * @module
 */

export type { MaskCleaning } from "../arrays/clean_mask.ts";
export type { LoadProgress, WeightReport } from "../checkpoints/load_model.ts";
export type { EngineInfo, EngineOptions } from "../engine/engine.ts";
export type { ShowOptions } from "../figures/figure_of.ts";
export type { ReadImageOptions } from "../formats/read_image.ts";
export type { ReadMaskOptions } from "../formats/read_mask.ts";
export type { ReadVolumeOptions } from "../formats/volume.ts";
export type { WriteMaskOptions } from "../formats/write_mask.ts";
export type { AnnotateOptions } from "../notebook/annotate_options.ts";
export type { AskOptions, Offer, PickOptions } from "../notebook/pick.ts";
export type { PickNextOptions } from "../notebook/pick_next.ts";
export type {
  PickedStart,
  PickedVolumeStart,
  PickStartOptions,
  PickVolumeStartOptions,
} from "../notebook/pick_start.ts";
export type {
  PickNextInVolumeOptions,
  VolumeRule,
} from "../notebook/pick_volume.ts";
export type { Picked, VolumeStep } from "../notebook/picked.ts";
export type {
  PhantomVolume,
  PhantomVolumeKind,
  PhantomVolumeRater,
} from "../phantoms/phantom_volume.ts";
export type { ChoiceUpdate, PointUpdate } from "../spa/update_preference.ts";
export type { Notice } from "../spa/cluster.ts";
export type { DecodeOptions } from "../spa/decode.ts";
export type { Identity, Looks } from "../spa/embedding.ts";
export type { EncodeOptions } from "../spa/encode.ts";
export type { Stroke } from "../spa/feedback.ts";
export type { Frame } from "../spa/frame.ts";
export type { KeptSamples } from "../spa/predictions.ts";
export type { ProposalOptions } from "../spa/propose.ts";
export type { Doubt, Suggestion } from "../volumes/suggestions.ts";
export type {
  AcceptAction,
  PropagateOptions,
  PropagateProgress,
  SliceAction,
  VolumeAction,
  VolumeSessionJSON,
  VolumeSessionOptions,
} from "../volumes/volume_actions.ts";
export type { Label, Masked } from "../volumes/labels.ts";
