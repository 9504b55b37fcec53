/** An image, or a region of it, as the network sees it. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { digest } from "../digest.ts";
import type { DeviceTensor, HostTensor } from "../engine/tensors.ts";
import type { ModelConfig } from "../model/config.ts";
import { type Model, programsOf } from "../model/model.ts";
import { valueRange } from "../model/normalize.ts";
import type { HostFeatures } from "../model/region_finder.ts";
import { showValue } from "../options.ts";
import { type Box, type Frame, sampleRegion } from "./frame.ts";
import { closePrepared } from "./prepared.ts";
import { InputError, InputTypeError } from "../input_error.ts";

/** What an embedding was made from. It tells embeddings apart. */
export interface Identity {
  /** Number of the model in this process. */
  readonly model: number;
  /** Tells images apart: a digest of the size and of evenly spread pixels. */
  readonly image: string;
  /** A digest of all that the network sees: pixels and place of the region. */
  readonly seen: string;
}

/** The looks it took to find the region. */
export interface Looks {
  /** How often the network looked; 1 where the region was given. */
  readonly count: number;
  /** From the first look until the embedding was ready, in ms. */
  readonly milliseconds: number;
  /** The regions looked at, in order. */
  readonly regions: readonly Box[];
  /**
   * How far off the last one's side may be, in octaves, where one click alone told
   * the object's size: see `Start`.
   */
  readonly doubt?: number;
}

/**
 * A region of an image as the network sees it: e_x, for all iterations and users.
 * It owns memory of the engine that was in use, and works in no other: call
 * `dispose()`, or declare it with `using`.
 */
export interface ImageEmbedding {
  /** e_x in the engine, [1, h, h, L]. */
  readonly values: DeviceTensor;
  /**
   * The image's detail features, where the network has them, [1, h * h, 4 * c],
   * c the channels after the decoder's first upscaling.
   */
  readonly detail?: DeviceTensor;
  /** Places of the image, the region and the network's square. */
  readonly frame: Frame;
  /** The square part of the image that the network looks at: `frame.region`. */
  readonly region: Box;
  /** How the region was found. */
  readonly looks: Looks;
  /** What it was made from. Preferences, predictions and proposals carry it. */
  readonly identity: Identity;
  /** The image itself, [H, W, C], 0..1: for figures. */
  readonly image: NdArray<Float32Array>;
  /** Gives back the engine's memory; predictions made with it stay. */
  dispose(): void;
  /** See `dispose`. */
  [Symbol.dispose](): void;
}

/**
 * Scales the region of an image to the network's square, normalizes its
 * intensities, and fills what lies beyond the image: with zeros where the network
 * is SAM's, else with the edge's own pixels, as in training.
 *
 * @param image [H, W, C], 0..1.
 * @returns [1, S, S, 3].
 */
export function preprocess(
  image: NdArray<Float32Array>,
  frame: Frame,
  config: ModelConfig,
): HostTensor {
  const S = config.imageSize;
  const { top, left, pixels: { data, shape } } = sampleRegion(image, frame);
  const [height, width, channels] = shape;
  const { low, span } = valueRange(config, data);
  const out = new Float32Array(S * S * 3);
  const within = (at: number, size: number) =>
    Math.min(size - 1, Math.max(0, at));
  const [firstRow, firstColumn] = config.sam ? [top, left] : [0, 0];
  const [rows, columns] = config.sam ? [top + height, left + width] : [S, S];
  for (let y = firstRow; y < rows; y++) {
    const row = within(y - top, height) * width;
    for (let x = firstColumn; x < columns; x++) {
      const at = (row + within(x - left, width)) * channels;
      for (let c = 0; c < 3; c++) {
        out[(y * S + x) * 3 + c] =
          ((data[at + c % channels] - low) / span - config.pixelMean[c]) /
          config.pixelDeviation[c];
      }
    }
  }
  return { data: out, shape: [1, S, S, 3] };
}

/** Most pixels of an image: 16,384 x 16,384. */
const MOST_PIXELS = 2 ** 28;

/** Values may leave 0..1 by this much: those of a resized image do. */
const ROUNDING = 1e-3;

/**
 * Throws unless an image can be encoded.
 *
 * @throws {TypeError} When it is no ndarray.
 * @throws {RangeError} When its shape is no image's, it has too many pixels, or a
 * value is not in 0..1.
 */
export function checkImage(image: NdArray<Float32Array>): void {
  const { shape, stride, data, offset } = image ?? {};
  if (!Array.isArray(shape) || !data) {
    throw new InputTypeError(
      `Cannot encode the image as it must be an ndarray, as of readImage(): current value is ${
        showValue(image)
      }`,
    );
  }
  if (
    shape.length !== 3 || shape[0] < 1 || shape[1] < 1 ||
    (shape[2] !== 1 && shape[2] !== 3)
  ) {
    throw new InputError(
      `Cannot encode the image as its shape must be [H, W, 1] or [H, W, 3]: current value is [${shape}]`,
    );
  }
  const [height, width, channels] = shape;
  if (height * width > MOST_PIXELS) {
    throw new InputError(
      `Cannot encode the image as it must have at most ${MOST_PIXELS} pixels: current value is ${height} x ${width}. Cut out the part around the object, or read a smaller level of the file`,
    );
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = offset + y * stride[0] + x * stride[1];
      for (let c = 0; c < channels; c++) {
        const value = data[at + c * stride[2]];
        if (value >= -ROUNDING && value <= 1 + ROUNDING) continue;
        throw new InputError(
          Number.isFinite(value)
            ? `Cannot encode the image as its values must be in 0..1: current value at (${x}, ${y}) is ${value}. Give readImage() a window for physical values such as Hounsfield units, or divide bytes by 255`
            : `Cannot encode the image as its values must be finite: current value at (${x}, ${y}) is ${value}`,
        );
      }
    }
  }
}

const modelNumbers = new WeakMap<Model, number>();
let models = 0;

/** The number of a model in this process. */
export function modelNumber(model: Model): number {
  let number = modelNumbers.get(model);
  if (number === undefined) modelNumbers.set(model, number = ++models);
  return number;
}

/** Pixels along a side that tell images apart. */
const SPREAD = 128;

/** A digest of an image's size and of evenly spread pixels. */
export function digestImage(
  { shape, stride, data, offset }: NdArray<Float32Array>,
): string {
  const [height, width, channels] = shape;
  const rows = Math.min(height, SPREAD), columns = Math.min(width, SPREAD);
  const values = new Float32Array(rows * columns * channels);
  let i = 0;
  for (let r = 0; r < rows; r++) {
    const y = Math.floor((r + 0.5) * height / rows);
    for (let k = 0; k < columns; k++) {
      const x = Math.floor((k + 0.5) * width / columns);
      for (let c = 0; c < channels; c++) {
        values[i++] =
          data[offset + y * stride[0] + x * stride[1] + c * stride[2]];
      }
    }
  }
  return digest([`${shape}`, values]);
}

/**
 * Encodes one region of an image that `checkImage` takes.
 */
export async function encodeRegion(
  model: Model,
  image: NdArray<Float32Array>,
  frame: Frame,
): Promise<ImageEmbedding> {
  return (await encodeWithFeatures(model, image, frame, false)).embedding;
}

/**
 * The same, with the features that its object is found by, where `wanted`.
 *
 * @returns The embedding, and the features of a model that has such.
 */
export async function encodeWithFeatures(
  model: Model,
  image: NdArray<Float32Array>,
  frame: Frame,
  wanted = true,
): Promise<{ embedding: ImageEmbedding; features?: HostFeatures }> {
  const start = performance.now();
  const weights = await model.deviceWeights();
  const pixels = preprocess(image, frame, model.config);
  const { image: { embedding, detail }, features } = await programsOf(model)
    .encode({ weights, pixels });
  const dispose = () => {
    embedding.dispose();
    detail?.dispose();
    closePrepared(encoded);
  };
  const { left, top, right, bottom } = frame.region;
  const encoded: ImageEmbedding = {
    values: embedding,
    detail,
    frame,
    region: frame.region,
    looks: {
      count: 1,
      milliseconds: performance.now() - start,
      regions: [frame.region],
    },
    identity: {
      model: modelNumber(model),
      image: digestImage(image),
      seen: digest([
        `${[frame.height, frame.width, left, top, right, bottom]}`,
        pixels.data as Float32Array,
      ]),
    },
    image,
    dispose,
    [Symbol.dispose]: dispose,
  };
  const found = features as Partial<
    Record<keyof HostFeatures, DeviceTensor>
  >;
  const host = wanted && found.embedding && found.finer
    ? {
      embedding: await found.embedding.read(),
      finer: await found.finer.read(),
    }
    : undefined;
  for (const tensor of Object.values(found)) tensor.dispose();
  return { embedding: encoded, features: host };
}

/** Whether two embeddings are of the same region, image and model. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.model === b.model && a.seen === b.seen;
}
