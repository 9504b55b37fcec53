import {
  embeddingSide,
  type ModelConfig,
  presets,
  type SamConfig,
} from "./config.ts";

/** No figure of a config is larger. */
const LARGEST = 8192;

/** Whether a value is a whole number of `least` to `LARGEST`. */
function isSize(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= LARGEST;
}

/** An error about one figure of a config, in the house form. */
function refused(rule: string, found: unknown): RangeError {
  return new RangeError(
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
    "encoder.channels": encoder.channels,
    "encoder.heads": encoder.heads,
    "encoder.mlpChannels": encoder.mlpChannels,
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
    generatorChannels: config.generatorChannels,
  };
  const counts: Record<string, number> = {
    "encoder.depth": encoder.depth,
    "decoder.depth": decoder.depth,
    "decoder.detailChannels": decoder.detailChannels,
    "feedback.depth": feedback.depth,
  };
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
  if (channels % 2 !== 0) {
    throw refused("channels must be even", channels);
  }
  const inner = channels / decoder.attentionDownsample;
  const multiples: [string, number, string, number][] = [
    ["encoder.channels", encoder.channels, "encoder.heads", encoder.heads],
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
  ];
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
}

/** Refuses what segment-anything's networks cannot be. */
function checkSam(
  { window, globalBlocks, positionSide }: SamConfig,
  { encoder, decoder }: ModelConfig,
) {
  for (const [name, value] of Object.entries({ window, positionSide })) {
    if (isSize(value, 1)) continue;
    throw refused(`sam.${name} must be an integer of 1..${LARGEST}`, value);
  }
  for (const block of globalBlocks) {
    if (isSize(block, 0) && block < encoder.depth) continue;
    throw refused(
      `sam.globalBlocks must be blocks of the encoder, 0..${encoder.depth - 1}`,
      block,
    );
  }
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

/** Whether foreign JSON has a config's keys and types; `checkConfig` looks at its figures. */
export function isModelConfig(value: unknown): value is ModelConfig {
  if (typeof value !== "object" || value === null) return false;
  const { sam, pixelScaling = "min-max", scalarMoments = false, ...rest } =
    value as Partial<ModelConfig>;
  const { sam: pattern } = presets["sam-vit-b"];
  // any number of blocks may be global
  const fits = sam === undefined ||
    Array.isArray(sam?.globalBlocks) &&
      sameShape({ ...sam, globalBlocks: pattern!.globalBlocks }, pattern) &&
      sam.globalBlocks.every((block) => typeof block === "number");
  return fits && pixelScaling === "min-max" &&
    typeof scalarMoments === "boolean" && sameShape(rest, presets.tiny);
}
