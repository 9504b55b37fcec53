/** The config of a network: everything that fixes the shapes of its weights. */

/** Shape of a network. All sides are in pixels, all widths in channels. */
export interface ModelConfig {
  /** Name of the preset the network was made from. */
  readonly name: string;
  /** Input side S: images are resized so that their longer side is S. */
  readonly imageSize: number;
  /** Side P of an image patch; the embedding's side is h = S / P. */
  readonly patchSize: number;
  /** Intensity subtracted from each color channel, image in 0..1. */
  readonly pixelMean: readonly [number, number, number];
  /** Intensity each color channel is divided by. */
  readonly pixelDeviation: readonly [number, number, number];
  /**
   * "min-max": before mean and deviation, every image is stretched so that its
   * least value is 0 and its greatest 1. Absent: values are taken as they are.
   */
  readonly pixelScaling?: "min-max";
  /** The image encoder: a Vision Transformer, or TinyViT. */
  readonly encoder: VitConfig | TinyVitConfig;
  /** Channels L of the image embedding, the prompts and the decoder. */
  readonly channels: number;
  /** Channels d of a latent preference z. */
  readonly latentChannels: number;
  /** Components M of the preference mixture. */
  readonly components: number;
  /**
   * True: a component has one mean and one deviation for all latent channels
   * (the paper's vector of 2M numbers). Absent: one of each per channel.
   */
  readonly scalarMoments?: boolean;
  /** The two-way transformer of the mask decoder. */
  readonly decoder: {
    /** Two-way blocks. */
    readonly depth: number;
    readonly heads: number;
    readonly mlpChannels: number;
    /** Channels of cross-attention: `channels` divided by this. */
    readonly attentionDownsample: number;
    /** Channels after the first and the second upscaling. */
    readonly upscaling: readonly [number, number];
    /**
     * Factor of the second upscaling; the first is by two. Absent: two as well.
     */
    readonly lastUpscaling?: 4;
    /**
     * False: SAM's upscaling, normalized, with a GELU after either step. True:
     * one ReLU, after the first step; the second is then linear and merges
     * with the hypernetwork's filter, for half of the decoder's memory traffic.
     */
    readonly plainUpscaling: boolean;
    /**
     * Channels of the detail path: features of the image at twice the
     * embedding's resolution that join the upscaling (as SAM 2's
     * high-resolution features do); 0 for none, as in SAM.
     */
    readonly detailChannels: number;
  };
  /** Prompt and feedback encoding. */
  readonly feedback: {
    /** Channels of the mask prompt after its first and second halving. */
    readonly maskHidden: readonly [number, number];
    /** Transformer blocks that mix image, click and mask once per iteration. */
    readonly depth: number;
    readonly heads: number;
    readonly mlpChannels: number;
    /**
     * Residual blocks of two 3 x 3 convolutions that come before these blocks;
     * what an image needs once per iteration costs little there. Absent: none.
     */
    readonly mixing?: MixingConfig;
  };
  /** Hidden width of the two networks of the preference generator. */
  readonly generatorChannels: number;
  /**
   * Present where image encoder, prompt encoder and mask decoder are
   * segment-anything's own: its weights keep their names and shapes, and what
   * SPA adds has weights of its own. Absent for the smaller network of `tiny`.
   */
  readonly sam?: SamConfig | true;
}

/** Residual blocks that mix the cells around a click with the image's. */
export interface MixingConfig {
  /** Channels between the two convolutions of a block. */
  readonly channels: number;
  /** Of each block, how far apart the first convolution's taps are, in cells. */
  readonly dilations: readonly number[];
}

/** Shape of a Vision Transformer. */
export interface VitConfig {
  /** Channels of a token. */
  readonly channels: number;
  /** Blocks. */
  readonly depth: number;
  /** Heads of attention. */
  readonly heads: number;
  /** Channels of an MLP's hidden layer. */
  readonly mlpChannels: number;
}

/**
 * Shape of TinyViT (Wu et al., "TinyViT: Fast Pretraining Distillation for Small
 * Vision Transformers", 2022) in the form that MobileSAM and LiteMedSAM gave it:
 * the last stage keeps the resolution of the one before. Its first stage is
 * convolutional, the others have attention in windows. Its weights are never
 * trained.
 */
export interface TinyVitConfig {
  /** The stages, from the finest to the coarsest; the last two are of one side. */
  readonly stages: readonly [
    TinyVitStage,
    TinyVitStage,
    TinyVitStage,
    TinyVitStage,
  ];
  /** Channels of its neck. */
  readonly neckChannels: number;
  /**
   * A trained Vision Transformer of the image and of TinyViT's embedding, whose
   * grid is twice as fine. Absent where the config has `sam`.
   */
  readonly trunk?: VitConfig;
}

/** One stage of TinyViT. */
export interface TinyVitStage {
  /** Channels of a cell. */
  readonly channels: number;
  /** Blocks. */
  readonly depth: number;
  /** Heads of attention; 0 for the first stage, which has none. */
  readonly heads: number;
  /** Side of an attention window, in cells; 0 for the first stage. */
  readonly window: number;
}

/** Whether an image encoder is TinyViT. */
export function isTinyVit(
  encoder: ModelConfig["encoder"],
): encoder is TinyVitConfig {
  return "stages" in encoder;
}

/** Side of TinyViT's own patches: where a trunk follows, half of the network's. */
export function tinyVitPatch({ encoder, patchSize }: ModelConfig): number {
  return isTinyVit(encoder) && encoder.trunk ? patchSize / 2 : patchSize;
}

/**
 * The parts of segment-anything's Vision Transformer. With another image
 * encoder, the config has `true` here.
 */
export interface SamConfig {
  /** Side of an attention window of the encoder, in patches. */
  readonly window: number;
  /** Indices of the encoder's blocks with global attention. */
  readonly globalBlocks: readonly number[];
  /**
   * Side of the grid of patches that the position weights were trained for;
   * other image sizes interpolate them.
   */
  readonly positionSide: number;
}

/**
 * The four channels of the mask prompt (see `Feedback`): the chosen candidate
 * as clipped logits, its difference from the recommendation, the previous
 * choice, and its difference from the mean of the rejected candidates.
 */
export const MASK_CHANNELS = 4;

/**
 * Prompt slots of the smallest compiled program: a click and SAM's padding
 * point. The next ones have twice as many.
 */
export const POINT_SLOTS = 2;

/** Means that a component of the mixture has, and deviations: d, or 1. */
export function momentChannels(
  { latentChannels, scalarMoments }: ModelConfig,
): number {
  return scalarMoments ? 1 : latentChannels;
}

/** Embedding side h = S / P. */
export function embeddingSide(config: ModelConfig): number {
  return config.imageSize / config.patchSize;
}

/** Values of one activation that a processor's caches hold well: 4 MB. */
const CACHED_VALUES = 2 ** 20;

/** Samples that the decoder takes at once: more are slower, and need more memory. */
export function samplesAtOnce(config: ModelConfig): number {
  const values = embeddingSide(config) ** 2 * config.channels;
  return Math.max(1, Math.floor(CACHED_VALUES / values));
}

/** Factor of the decoder's second upscaling. */
export function lastUpscaling({ decoder }: ModelConfig): number {
  return decoder.lastUpscaling ?? 2;
}

/** Side m of the probability maps, the decoder's own resolution: 4h or 8h. */
export function maskSide(config: ModelConfig): number {
  return 2 * lastUpscaling(config) * embeddingSide(config);
}

/** Side of the maps that the network takes as a prompt, 4h as in SAM. */
export function promptSide(config: ModelConfig): number {
  return 4 * embeddingSide(config);
}

/** Mask tokens of the decoder: SAM's four (one mask, or three), else one. */
export function maskTokens({ sam }: ModelConfig): number {
  return sam ? 4 : 1;
}

/** Names of the presets. */
export type PresetName =
  | "tiny"
  | "small"
  | "lite-medsam"
  | "mobile-sam"
  | "sam-vit-b"
  | "sam-vit-l"
  | "sam-vit-h"
  | "medsam-vit-b";

/** A preset with segment-anything's networks; MLPs are four times as wide. */
function samPreset(
  name: PresetName,
  { channels, depth, heads, globalBlocks }: {
    channels: number;
    depth: number;
    heads: number;
    globalBlocks: readonly number[];
  },
): ModelConfig {
  return {
    name,
    imageSize: 1024,
    patchSize: 16,
    pixelMean: [123.675 / 255, 116.28 / 255, 103.53 / 255],
    pixelDeviation: [58.395 / 255, 57.12 / 255, 57.375 / 255],
    encoder: { channels, depth, heads, mlpChannels: 4 * channels },
    channels: 256,
    latentChannels: 64,
    components: 16,
    decoder: {
      depth: 2,
      heads: 8,
      mlpChannels: 2048,
      attentionDownsample: 2,
      upscaling: [64, 32],
      plainUpscaling: false,
      detailChannels: 0,
    },
    feedback: { maskHidden: [4, 16], depth: 0, heads: 8, mlpChannels: 1024 },
    generatorChannels: 256,
    sam: { window: 14, globalBlocks, positionSide: 64 },
  };
}

/** TinyViT of 5 million parameters, that of MobileSAM and LiteMedSAM. */
const TINY_VIT_5M: TinyVitConfig = {
  stages: [
    { channels: 64, depth: 2, heads: 0, window: 0 },
    { channels: 128, depth: 2, heads: 4, window: 7 },
    { channels: 160, depth: 6, heads: 5, window: 14 },
    { channels: 320, depth: 2, heads: 10, window: 7 },
  ],
  neckChannels: 256,
};

const VIT_B = {
  channels: 768,
  depth: 12,
  heads: 12,
  globalBlocks: [2, 5, 8, 11],
};

/**
 * The presets by name. Those of SAM (Kirillov et al., "Segment Anything",
 * 2023) run at any multiple of 16 pixels: `{ ...presets["sam-vit-b"],
 * imageSize: 512 }`.
 *
 * `medsam-vit-b` is SAM's ViT-B on MedSAM's intensities (Ma et al., "Segment
 * anything in medical images", 2024): each image stretched to 0..1, no mean and
 * deviation. Its weights have the names and shapes of SAM's and do not say whose
 * they are: `loadModel` takes a file with "medsam" in its name for one; for
 * others name the preset, `loadModel(file, { config: "medsam-vit-b" })`.
 * MedSAM's code also distorts an image to a square; here its sides keep their
 * ratio, as in SAM, so resize it first to do as MedSAM does.
 */
export const presets: Readonly<Record<PresetName, ModelConfig>> = {
  "lite-medsam": {
    ...samPreset("lite-medsam", VIT_B),
    imageSize: 256,
    patchSize: 4,
    pixelMean: [0, 0, 0],
    pixelDeviation: [1, 1, 1],
    pixelScaling: "min-max",
    encoder: TINY_VIT_5M,
    sam: true,
  },
  "mobile-sam": {
    ...samPreset("mobile-sam", VIT_B),
    encoder: TINY_VIT_5M,
    sam: true,
  },
  "sam-vit-b": samPreset("sam-vit-b", VIT_B),
  "medsam-vit-b": {
    ...samPreset("medsam-vit-b", VIT_B),
    pixelMean: [0, 0, 0],
    pixelDeviation: [1, 1, 1],
    pixelScaling: "min-max",
  },
  "sam-vit-l": samPreset("sam-vit-l", {
    channels: 1024,
    depth: 24,
    heads: 16,
    globalBlocks: [5, 11, 17, 23],
  }),
  "sam-vit-h": samPreset("sam-vit-h", {
    channels: 1280,
    depth: 32,
    heads: 16,
    globalBlocks: [7, 15, 23, 31],
  }),
  tiny: {
    name: "tiny",
    imageSize: 128,
    patchSize: 8,
    pixelMean: [0.4, 0.4, 0.4],
    pixelDeviation: [0.3, 0.3, 0.3],
    encoder: { channels: 128, depth: 4, heads: 4, mlpChannels: 256 },
    channels: 64,
    latentChannels: 64,
    components: 16,
    decoder: {
      depth: 1,
      heads: 4,
      mlpChannels: 128,
      attentionDownsample: 1,
      upscaling: [32, 8],
      plainUpscaling: true,
      detailChannels: 32,
    },
    feedback: {
      maskHidden: [16, 64],
      depth: 1,
      heads: 4,
      mlpChannels: 128,
      mixing: { channels: 128, dilations: [1, 2, 4] },
    },
    generatorChannels: 128,
  },
  small: {
    name: "small",
    imageSize: 128,
    patchSize: 8,
    pixelMean: [0, 0, 0],
    pixelDeviation: [1, 1, 1],
    pixelScaling: "min-max",
    encoder: {
      ...TINY_VIT_5M,
      trunk: { channels: 128, depth: 4, heads: 4, mlpChannels: 256 },
    },
    channels: 64,
    latentChannels: 64,
    components: 16,
    decoder: {
      depth: 1,
      heads: 4,
      mlpChannels: 128,
      attentionDownsample: 1,
      upscaling: [64, 8],
      lastUpscaling: 4,
      plainUpscaling: true,
      detailChannels: 48,
    },
    feedback: {
      maskHidden: [16, 64],
      depth: 1,
      heads: 4,
      mlpChannels: 128,
      mixing: { channels: 112, dilations: [1, 2, 4] },
    },
    generatorChannels: 128,
  },
};
