import {
  embeddingSide,
  isTinyVit,
  type MixingConfig,
  type ModelConfig,
  presets,
  type SamConfig,
  type TinyVitConfig,
  tinyVitPatch,
  type VitConfig,
} from "./config.ts";
import { InputError } from "../input_error.ts";

/** The largest number of a config. */
const LARGEST = 8192;

/** Whether a value is a whole number of `least` to `LARGEST`. */
function isSize(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= LARGEST;
}

/** An error about one figure of a config, in the house form. */
function refused(rule: string, found: unknown): RangeError {
  return new InputError(
    `Cannot build the model as ${rule}: current value is ${found}`,
  );
}

/**
 * Refuses a config that makes no network, so that a bad figure is named when
 * the model is built and not as a shape somewhere inside it.
 *
 * @throws {RangeError} When a size is not a whole number in its range, or two
 * of them do not fit.
 */
export function checkConfig(config: ModelConfig): void {
  const { encoder, decoder, feedback, patchSize, channels } = config;
  const sizes: Record<string, number> = {
    imageSize: config.imageSize,
    patchSize,
    channels,
    latentChannels: config.latentChannels,
    components: config.components,
    "decoder.heads": decoder.heads,
    "decoder.mlpChannels": decoder.mlpChannels,
    "decoder.attentionDownsample": decoder.attentionDownsample,
    "decoder.upscaling[0]": decoder.upscaling[0],
    "decoder.upscaling[1]": decoder.upscaling[1],
    "feedback.maskHidden[0]": feedback.maskHidden[0],
    "feedback.maskHidden[1]": feedback.maskHidden[1],
    "feedback.heads": feedback.heads,
    "feedback.mlpChannels": feedback.mlpChannels,
    "feedback.mixing.channels": feedback.mixing?.channels ?? 1,
    generatorChannels: config.generatorChannels,
  };
  const counts: Record<string, number> = {
    "decoder.depth": decoder.depth,
    "decoder.detailChannels": decoder.detailChannels,
    "feedback.depth": feedback.depth,
  };
  feedback.mixing?.dilations.forEach((dilation, i) => {
    sizes[`feedback.mixing.dilations[${i}]`] = dilation;
  });
  const multiples: Multiple[] = [];
  if (isTinyVit(encoder)) listTinyVit(encoder, sizes, counts, multiples);
  else listVit("encoder", encoder, sizes, counts, multiples);
  for (const [least, numbers] of [[1, sizes], [0, counts]] as const) {
    for (const [name, value] of Object.entries(numbers)) {
      if (isSize(value, least)) continue;
      throw refused(
        `${name} must be an integer of ${least}..${LARGEST}`,
        value,
      );
    }
  }
  if (!Number.isInteger(embeddingSide(config))) {
    throw refused(
      `imageSize must be a multiple of patchSize, ${patchSize}`,
      config.imageSize,
    );
  }
  if (decoder.detailChannels > 0 && patchSize % 2 !== 0) {
    throw refused("patchSize must be even for the detail path", patchSize);
  }
  const { lastUpscaling } = decoder;
  if (lastUpscaling !== undefined) {
    if (lastUpscaling !== 4) {
      throw refused("decoder.lastUpscaling must be 4 or absent", lastUpscaling);
    }
    if (!decoder.plainUpscaling) {
      throw refused(
        "decoder.plainUpscaling must be true where decoder.lastUpscaling is 4",
        false,
      );
    }
  }
  if (channels % 2 !== 0) {
    throw refused("channels must be even", channels);
  }
  const inner = channels / decoder.attentionDownsample;
  multiples.push(
    ["channels", channels, "decoder.heads", decoder.heads],
    ["channels", channels, "feedback.heads", feedback.heads],
    [
      "channels",
      channels,
      "decoder.attentionDownsample",
      decoder.attentionDownsample,
    ],
    [
      "channels / decoder.attentionDownsample",
      inner,
      "decoder.heads",
      decoder.heads,
    ],
  );
  for (const [name, value, of, divisor] of multiples) {
    if (value % divisor === 0) continue;
    throw refused(`${name} must be a multiple of ${of}, ${divisor}`, value);
  }
  if (!config.pixelMean.every((value) => Math.abs(value) <= LARGEST)) {
    throw refused(
      `pixelMean must be of -${LARGEST}..${LARGEST}`,
      config.pixelMean,
    );
  }
  if (!config.pixelDeviation.every((value) => value > 0 && value <= LARGEST)) {
    throw refused(
      `pixelDeviation must be > 0 and <= ${LARGEST}`,
      config.pixelDeviation,
    );
  }
  if (config.sam) checkSam(config.sam, config);
  if (isTinyVit(encoder)) checkTinyVit(encoder, config);
}

/** A number and its required divisor, with their names. */
type Multiple = [name: string, value: number, of: string, divisor: number];

/** The figures of a Vision Transformer, by name. */
function listVit(
  name: string,
  { channels, depth, heads, mlpChannels }: VitConfig,
  sizes: Record<string, number>,
  counts: Record<string, number>,
  multiples: Multiple[],
) {
  sizes[`${name}.channels`] = channels;
  sizes[`${name}.heads`] = heads;
  sizes[`${name}.mlpChannels`] = mlpChannels;
  counts[`${name}.depth`] = depth;
  multiples.push([`${name}.channels`, channels, `${name}.heads`, heads]);
}

/** The figures of TinyViT, by name. */
function listTinyVit(
  { stages, neckChannels, trunk }: TinyVitConfig,
  sizes: Record<string, number>,
  counts: Record<string, number>,
  multiples: Multiple[],
) {
  sizes["encoder.neckChannels"] = neckChannels;
  if (trunk) listVit("encoder.trunk", trunk, sizes, counts, multiples);
  stages.forEach(({ channels, depth, heads, window }, i) => {
    const name = `encoder.stages[${i}]`;
    sizes[`${name}.channels`] = channels;
    counts[`${name}.depth`] = depth;
    if (i === 0) return;
    sizes[`${name}.heads`] = heads;
    sizes[`${name}.window`] = window;
    multiples.push([`${name}.channels`, channels, `${name}.heads`, heads]);
  });
}

/** Refuses a TinyViT whose stages do not fit together. */
function checkTinyVit(
  { stages, neckChannels, trunk }: TinyVitConfig,
  config: ModelConfig,
) {
  const { patchSize, channels, sam, decoder } = config;
  if (stages.length !== 4) {
    throw refused("encoder.stages must be 4", stages.length);
  }
  if (stages[0].channels % 2 !== 0) {
    throw refused(
      "encoder.stages[0].channels must be even",
      stages[0].channels,
    );
  }
  if (!sam !== (trunk !== undefined)) {
    throw refused(
      "encoder.trunk must be there where sam is not, and only there",
      JSON.stringify(trunk),
    );
  }
  const patch = tinyVitPatch(config);
  if (patch !== 4 && patch !== 16) {
    throw refused(
      `patchSize must be ${trunk ? "8 or 32" : "4 or 16"} for TinyViT`,
      patchSize,
    );
  }
  if (sam && neckChannels !== channels) {
    throw refused(
      `encoder.neckChannels must be channels, ${channels}, for SAM`,
      neckChannels,
    );
  }
  if (!sam && decoder.detailChannels === 0) {
    throw refused(
      "decoder.detailChannels must be at least 1 for TinyViT's features",
      decoder.detailChannels,
    );
  }
}

/** Refuses configs that segment-anything's networks cannot have. */
function checkSam(sam: SamConfig | true, { encoder, decoder }: ModelConfig) {
  if (isTinyVit(encoder) !== (sam === true)) {
    throw refused(
      "sam must be true for TinyViT, and SAM's own figures for a Vision Transformer",
      JSON.stringify(sam),
    );
  }
  if (sam !== true && !isTinyVit(encoder)) checkSamEncoder(sam, encoder.depth);
  if (decoder.plainUpscaling) {
    throw refused("decoder.plainUpscaling must be false for SAM", true);
  }
  if (decoder.detailChannels > 0) {
    throw refused(
      "decoder.detailChannels must be 0 for SAM",
      decoder.detailChannels,
    );
  }
}

/** Refuses configs that segment-anything's image encoder cannot have. */
function checkSamEncoder(
  { window, globalBlocks, positionSide }: SamConfig,
  depth: number,
) {
  for (const [name, value] of Object.entries({ window, positionSide })) {
    if (isSize(value, 1)) continue;
    throw refused(`sam.${name} must be an integer of 1..${LARGEST}`, value);
  }
  for (const block of globalBlocks) {
    if (isSize(block, 0) && block < depth) continue;
    throw refused(
      `sam.globalBlocks must be blocks of the encoder, 0..${depth - 1}`,
      block,
    );
  }
}

/** Whether two values have the same keys and types of leaves, at any depth. */
function sameShape(value: unknown, pattern: unknown): boolean {
  if (typeof pattern !== "object" || pattern === null) {
    return typeof value === typeof pattern;
  }
  if (typeof value !== "object" || value === null) return false;
  const entries = Object.entries(pattern);
  return Object.keys(value).length === entries.length &&
    entries.every(([key, part]) =>
      sameShape((value as Record<string, unknown>)[key], part)
    );
}

/** Whether foreign JSON is the shape of TinyViT; any number of stages fits. */
function fitsTinyVit(encoder: object): boolean {
  const { stages, trunk, ...rest } = encoder as Partial<TinyVitConfig>;
  const { stages: pattern, ...others } = presets["lite-medsam"]
    .encoder as TinyVitConfig;
  return (trunk === undefined || sameShape(trunk, presets.tiny.encoder)) &&
    Array.isArray(stages) &&
    stages.every((stage) => sameShape(stage, pattern[0])) &&
    sameShape(rest, others);
}

/** Whether foreign JSON is the shape of mixing blocks, any number of them. */
function fitsMixing(mixing: unknown): boolean {
  if (typeof mixing !== "object" || mixing === null) return false;
  const { channels, dilations, ...rest } = mixing as Partial<MixingConfig>;
  return typeof channels === "number" && Array.isArray(dilations) &&
    dilations.every((dilation) => typeof dilation === "number") &&
    Object.keys(rest).length === 0;
}

/** Whether foreign JSON has a config's keys and types; `checkConfig` looks at its figures. */
export function isModelConfig(value: unknown): value is ModelConfig {
  if (typeof value !== "object" || value === null) return false;
  const {
    sam,
    pixelScaling = "min-max",
    scalarMoments = false,
    encoder,
    decoder,
    feedback,
    ...rest
  } = value as Partial<ModelConfig>;
  if (typeof encoder !== "object" || encoder === null) return false;
  if (typeof decoder !== "object" || decoder === null) return false;
  if (typeof feedback !== "object" || feedback === null) return false;
  const { sam: pattern } = presets["sam-vit-b"];
  // any number of blocks may be global
  const fits = sam === undefined || sam === true ||
    Array.isArray(sam?.globalBlocks) &&
      sameShape(
        { ...sam, globalBlocks: (pattern as SamConfig).globalBlocks },
        pattern,
      ) &&
      sam.globalBlocks.every((block) => typeof block === "number");
  const { mixing, ...shared } = feedback;
  const { lastUpscaling = 4, ...upscaling } = decoder;
  const { encoder: vit, decoder: plain, feedback: tiny, ...others } =
    presets.tiny;
  return fits && pixelScaling === "min-max" &&
    typeof scalarMoments === "boolean" &&
    typeof lastUpscaling === "number" && sameShape(upscaling, plain) &&
    ("stages" in encoder ? fitsTinyVit(encoder) : sameShape(encoder, vit)) &&
    (mixing === undefined || fitsMixing(mixing)) &&
    sameShape({ ...shared, mixing: tiny.mixing }, tiny) &&
    sameShape(rest, others);
}
