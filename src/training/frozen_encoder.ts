import { upload } from "../engine/engine.ts";
import { jit } from "../engine/jit.ts";
import type { DeviceTensor } from "../engine/tensors.ts";
import type * as tf from "../engine/tf.ts";
import type { ModelConfig } from "../model/config.ts";
import { declareWeights } from "../model/declare_weights.ts";
import { frozenFeatures } from "../model/image_encoder.ts";
import type { HostFeatures } from "../model/region_finder.ts";
import type { HostWeights, Weights } from "../model/weights.ts";

/** A frozen encoder, compiled when first run. */
export class FrozenEncoder {
  /** Its weights: all of the image encoder that are not trained. */
  readonly weights: HostWeights;
  readonly #side: number;
  readonly #run;
  #device?: Promise<Record<string, DeviceTensor>>;

  /**
   * @param config The network's config, of a frozen TinyViT encoder.
   * @param weights All its weights.
   */
  constructor(config: ModelConfig, weights: HostWeights) {
    const declared = declareWeights(config);
    this.weights = new Map(
      [...weights].filter(([name]) =>
        name.startsWith("image_encoder.") && !declared.get(name)!.trainable
      ),
    );
    this.#side = config.imageSize;
    this.#run = jit(
      ({ weights, pixels }: { weights: Weights; pixels: tf.Tensor }) => ({
        ...frozenFeatures(weights, config, pixels),
      }),
      {
        name: "frozen features",
        // convolutions are fastest with weights that are known beforehand
        constant: (path) =>
          this.weights.get(path.slice("weights/".length))?.data,
      },
    );
  }

  /** The features of an image, normalized, [S, S, 3]: [1, h, h, c] and [1, 2h, 2h, c]. */
  async run(pixels: Float32Array): Promise<HostFeatures> {
    this.#device ??= upload(Object.fromEntries(this.weights));
    const shape = [1, this.#side, this.#side, 3];
    const weights = await this.#device;
    return await this.#run({ weights, pixels: { data: pixels, shape } });
  }

  /** Gives back the engine's memory. */
  async dispose(): Promise<void> {
    const device = await this.#device;
    this.#device = undefined;
    if (device) {
      for (const tensor of Object.values(device)) {
        tensor.dispose();
      }
    }
    this.#run.release();
  }
}
