// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { DeviceTensor, HostTensor } from "../engine/tensors.ts";
import { resizeBilinear } from "../arrays/resize.ts";
import { type Model, programsOf } from "../model/model.ts";
import type { ModelConfig } from "../model/config.ts";
import { valueRange } from "../model/normalize.ts";
import { type Frame, frameOf, scalesOf } from "./frame.ts";

/**
 * An image as the network sees it: e_x, for all iterations and users. It owns
 * memory of the engine that was in use, and works in no other: call
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
  /** Place of the image in the network's square. */
  readonly frame: Frame;
  /** The image itself, [H, W, C], 0..1, where it is known: for figures. */
  readonly image?: NdArray<Float32Array>;
  /** Gives back the engine's memory; predictions made with it stay. */
  dispose(): void;
  /** See `dispose`. */
  [Symbol.dispose](): void;
}

/**
 * Scales an image so that its longer side is S, normalises its intensities and
 * pads it to S x S: with zeros where the network is SAM's, else with the edge's
 * own pixels, as in training.
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
  const { scaledHeight: height, scaledWidth: width } = frame;
  const scales = scalesOf(frame);
  const resized = resizeBilinear(image, height, width);
  const channels = image.shape[2];
  const { low, span } = valueRange(config, resized.data);
  const out = new Float32Array(S * S * 3);
  const [rows, columns] = config.sam ? [height, width] : [S, S];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = Math.min(y, height - 1) * width + Math.min(x, width - 1);
      for (let c = 0; c < 3; c++) {
        const value = resized.data[at * channels + c % channels];
        if (!Number.isFinite(value)) {
          throw new RangeError(
            `Cannot encode the image as its values must be finite: current value near (${
              Math.round(x / scales.x)
            }, ${Math.round(y / scales.y)}) is ${value}`,
          );
        }
        out[(y * S + x) * 3 + c] =
          ((value - low) / span - config.pixelMean[c]) /
          config.pixelDeviation[c];
      }
    }
  }
  return { data: out, shape: [1, S, S, 3] };
}

/**
 * Encodes an image, once for all iterations. Its longer side is scaled to S;
 * the rest of the square is padded with zeros where the network is SAM's, else
 * with the pixels of the image's edge.
 *
 * @param model The network.
 * @param image [H, W, C] with C 1 (grey) or 3 (colour), values in 0..1; any
 * range where the config's `pixelScaling` is "min-max".
 * @returns The embedding; it stays in the engine.
 * @throws {RangeError} When the image is empty, of another shape, or holds a
 * value that is not finite.
 * @throws {TypeError} When the model is disposed.
 *
 * @example Encode a phantom
 * ```ts
 * import { encode, loadModel, phantom } from "@spa-seg/spa";
 *
 * using model = await loadModel();
 * const { image } = phantom({ kind: "kidney", seed: 9 }); // or readImage
 * using embedding = await encode(model, image);
 * embedding.values.shape; // [1, 16, 16, 64]
 * ```
 */
export async function encode(
  model: Model,
  image: NdArray<Float32Array>,
): Promise<ImageEmbedding> {
  const { shape } = image;
  if (
    shape.length !== 3 || shape[0] < 1 || shape[1] < 1 ||
    (shape[2] !== 1 && shape[2] !== 3)
  ) {
    throw new RangeError(
      `Cannot encode the image as its shape must be [H, W, 1] or [H, W, 3]: current value is [${shape}]`,
    );
  }
  const frame = frameOf(shape[0], shape[1], model.config.imageSize);
  const weights = await model.deviceWeights();
  const pixels = preprocess(image, frame, model.config);
  const { image: { embedding, detail } } = await programsOf(model).encode({
    weights,
    pixels,
  });
  const dispose = () => {
    embedding.dispose();
    detail?.dispose();
  };
  return {
    values: embedding,
    detail,
    frame,
    image,
    dispose,
    [Symbol.dispose]: dispose,
  };
}
