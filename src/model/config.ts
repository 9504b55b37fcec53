/** What a network is made of: everything that fixes the shapes of its weights. */

/** Shape of a network. All sides are in pixels, all widths in channels. */
export interface ModelConfig {
  /** Name of the preset the network was made from. */
  readonly name: string;
  /** Input side S: images are resized so that their longer side is S. */
  readonly imageSize: number;
  /** Side P of an image patch; the embedding's side is h = S / P. */
  readonly patchSize: number;
  /** Intensity subtracted from each colour channel, image in 0..1. */
  readonly pixelMean: readonly [number, number, number];
  /** Intensity each colour channel is divided by. */
  readonly pixelDeviation: readonly [number, number, number];
  /** The Vision Transformer. */
  readonly encoder: {
    readonly channels: number;
    readonly depth: number;
    readonly heads: number;
    readonly mlpChannels: number;
  };
  /** Channels L of the image embedding, the prompts and the decoder. */
  readonly channels: number;
  /** Channels d of a latent preference z. */
  readonly latentChannels: number;
  /** Components M of the preference mixture. */
  readonly components: number;
  /** The two-way transformer of the mask decoder. */
  readonly decoder: {
    readonly depth: number;
    readonly heads: number;
    readonly mlpChannels: number;
    /** Channels of cross-attention: `channels` divided by this. */
    readonly attentionDownsample: number;
    /** Channels after the first and the second upscaling by two. */
    readonly upscaling: readonly [number, number];
    /**
     * False: SAM's upscaling, normalised, with a GELU after either step. True:
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
  };
  /** Hidden width of the two networks of the preference generator. */
  readonly generatorChannels: number;
}

/**
 * The four channels of the mask prompt (see `Feedback`): the chosen candidate
 * as clipped logits, its difference from the recommendation, the previous
 * choice, and its difference from the mean of the rejected candidates.
 */
export const MASK_CHANNELS = 4;

/** Prompt slots of one compiled program come in multiples of this. */
export const POINT_SLOTS = 4;

/** Embedding side h = S / P. */
export function embeddingSide(config: ModelConfig): number {
  return config.imageSize / config.patchSize;
}

/** Side of the decoder's own resolution, 4h. */
export function maskSide(config: ModelConfig): number {
  return 4 * embeddingSide(config);
}

/** The presets by name. */
export const presets: { readonly tiny: ModelConfig } = {
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
    feedback: { maskHidden: [16, 64], depth: 1, heads: 4, mlpChannels: 128 },
    generatorChannels: 128,
  },
};
