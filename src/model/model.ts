/** A network ready to run: config, weights, compiled programs. */

import * as tf from "../engine/tf.ts";
import { displayable } from "../displayable.ts";
import { activeEngine, engineInUse } from "../engine/active_engine.ts";
import { upload } from "../engine/engine.ts";
import { jit } from "../engine/jit.ts";
import type { DeviceTensor } from "../engine/tensors.ts";
import { checkConfig } from "./check_config.ts";
import { checkWeights } from "./compare_weights.ts";
import { isTinyVit, type ModelConfig } from "./config.ts";
import { adaptFeatures, encodeImage, frozenFeatures } from "./image_encoder.ts";
import {
  decodeSamples,
  keepChoice,
  predictSamMasks,
  type SharedInputs,
  shareInputs,
} from "./mask_decoder.ts";
import { generatePreference } from "./preference_generator.ts";
import {
  encodeFeedback,
  encodeMaskPrompts,
  encodePrompts,
  type MaskPromptInputs,
  type PromptInputs,
} from "./prompt_encoder.ts";
import { hasFinder } from "./region_finder.ts";
import type { HostWeights, Weights } from "./weights.ts";
import { declareWeights } from "./declare_weights.ts";
import { InputTypeError } from "../input_error.ts";

/** Inputs of the generator's program. */
interface GenerateInputs extends PromptInputs {
  readonly weights: Weights;
  readonly embedding: tf.Tensor;
  readonly evidence: tf.Tensor;
}

/** Inputs of the program for what all samples share. */
interface ShareInputs extends PromptInputs {
  readonly weights: Weights;
  readonly embedding: tf.Tensor;
}

/** Inputs of the decoder's program. */
interface DecodeInputs {
  readonly weights: Weights;
  readonly shared: SharedInputs;
  readonly detail?: tf.Tensor;
  readonly latents: tf.Tensor;
}

/** Inputs of the program that joins what the decoder made, some samples each. */
interface JoinInputs {
  readonly weights: Weights;
  readonly parts: readonly tf.Tensor[];
  readonly choice: tf.Tensor;
  readonly hasMask: tf.Tensor;
  readonly shares: tf.Tensor;
}

/** Inputs of plain SAM's program. */
interface PredictInputs extends MaskPromptInputs {
  readonly weights: Weights;
  readonly embedding: tf.Tensor;
}

/** Beginning of a weight's place among a program's inputs. */
const WEIGHTS = "weights/";

/** The network's programs, compiled when first called. */
function compilePrograms(config: ModelConfig, own: HostWeights) {
  // convolutions are fastest with weights that are known beforehand
  const constant = isTinyVit(config.encoder)
    ? (path: string) =>
      path.startsWith(WEIGHTS)
        ? own.get(path.slice(WEIGHTS.length))?.data
        : undefined
    : undefined;
  const encode = jit(
    ({ weights, pixels }: { weights: Weights; pixels: tf.Tensor }) => {
      if (!hasFinder(config)) {
        return { image: encodeImage(weights, config, pixels), features: {} };
      }
      const features = frozenFeatures(weights, config, pixels);
      const { embedding } = features;
      const image = adaptFeatures(weights, config, embedding, pixels);
      return { image, features: { ...features } };
    },
    { name: "encode", resident: ["image", "features"], constant },
  );
  const generate = jit(
    ({ weights, embedding, evidence, ...inputs }: GenerateInputs) => {
      const prompts = encodePrompts(weights, config, inputs);
      const feedback = encodeFeedback(weights, config, embedding, prompts);
      const { pooled } = feedback;
      const shared = shareInputs(weights, config, feedback, prompts);
      const made = generatePreference(weights, config, pooled, evidence);
      return { ...made, shared: { ...shared } };
    },
    { name: "generate", resident: ["shared"] },
  );
  const share = jit(
    ({ weights, embedding, ...inputs }: ShareInputs) => {
      const prompts = encodePrompts(weights, config, inputs);
      const feedback = encodeFeedback(weights, config, embedding, prompts);
      const shared = shareInputs(weights, config, feedback, prompts);
      return { shared: { ...shared } };
    },
    { name: "share", resident: ["shared"] },
  );
  const decode = jit(
    ({ weights, shared, latents, detail }: DecodeInputs) => ({
      logits: decodeSamples(weights, config, shared, latents, detail),
    }),
    { name: "decode", resident: ["logits"] },
  );
  const join = jit(
    ({ weights, parts, choice, hasMask, shares }: JoinInputs) => {
      const [B, N] = shares.shape;
      const all = tf.concat([...parts], 1);
      const logits = tf.slice(all, [0, 0, 0], [B, N!, all.shape[2]!]);
      const kept = keepChoice(weights, logits, choice, hasMask, shares);
      return { probabilities: tf.sigmoid(kept) };
    },
    { name: "join" },
  );
  const predict = jit(
    ({ weights, embedding, ...inputs }: PredictInputs) => {
      const prompts = encodeMaskPrompts(weights, config, inputs);
      return { ...predictSamMasks(weights, config, embedding, prompts) };
    },
    { name: "predict" },
  );
  return { encode, generate, share, decode, join, predict };
}

const programs = new WeakMap<Model, ReturnType<typeof compilePrograms>>();

/** The compiled programs of a model. */
export function programsOf(model: Model): ReturnType<typeof compilePrograms> {
  return programs.get(model)!;
}

/**
 * A network with its weights. It owns device memory: call `dispose()`, or
 * declare it with `using`.
 */
export class Model {
  /** The network's shape. */
  readonly config: ModelConfig;
  /** The weights on the host, by segment-anything's names. */
  readonly weights: HostWeights;
  /** Free-form facts about the weights: training data, license, figures. */
  readonly metadata: Readonly<Record<string, string>>;
  /** A promise, so that calls made at the same time upload once. */
  #device?: {
    engine: string;
    /** Of ONNX Runtime's Worker, which may have been replaced. */
    runtime: unknown;
    weights: Promise<Record<string, DeviceTensor>>;
  };
  #disposed = false;

  /**
   * Builds a model.
   *
   * @param config The network's shape.
   * @param weights All weights of such a network and no others, by
   * segment-anything's names.
   * @param metadata Facts about the weights.
   * @throws {RangeError} When the config makes no network.
   * @throws {TypeError} When a weight is missing, unexpected or misshapen, or
   * has more or fewer values than its shape.
   */
  constructor(
    config: ModelConfig,
    weights: HostWeights,
    metadata: Readonly<Record<string, string>> = {},
  ) {
    checkConfig(config);
    const declared = declareWeights(config);
    checkWeights("build the model", config.name, declared, weights);
    this.config = config;
    this.weights = weights;
    this.metadata = metadata;
    programs.set(this, compilePrograms(config, weights));
  }

  /**
   * The weights in the current engine, uploaded once, by name.
   *
   * @throws {TypeError} When the model is disposed.
   */
  async deviceWeights(): Promise<Record<string, DeviceTensor>> {
    this.#checkAlive();
    const { info, runtime } = activeEngine() ?? await engineInUse();
    const engine = info.name;
    this.#checkAlive(); // an upload now would never be disposed
    if (
      this.#device?.engine !== engine || this.#device.runtime !== runtime
    ) {
      this.#release();
      const weights = upload(Object.fromEntries(this.weights));
      const device = { engine, runtime, weights };
      this.#device = device;
      weights.catch(() => { // the next call tries again
        if (this.#device === device) this.#device = undefined;
      });
    }
    const uploaded = await this.#device.weights;
    this.#checkAlive();
    return uploaded;
  }

  #checkAlive() {
    if (this.#disposed) {
      throw new InputTypeError("Cannot use the model as it is disposed");
    }
  }

  #release() {
    this.#device?.weights.then(
      (weights) => Object.values(weights).forEach((tensor) => tensor.dispose()),
      () => {}, // the caller gets the error
    );
    this.#device = undefined;
  }

  /**
   * Gives back the device memory and the compiled programs. What computes with
   * the model then throws a TypeError; config and weights stay, to be saved.
   */
  dispose(): void {
    this.#release();
    for (const program of Object.values(programsOf(this))) program.release();
    this.#disposed = true;
  }

  /** See `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

displayable("model", Model.prototype);
