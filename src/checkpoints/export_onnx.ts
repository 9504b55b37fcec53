import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkTarget, writeFileAtomic } from "../files.ts";
import { encodeModelParts, type OnnxModel } from "../engine/onnx.ts";
import { type TensorSpec, traceFunction } from "../engine/trace.ts";
import type { Model } from "../model/model.ts";
import type { Weights } from "../model/weights.ts";
import { InputError } from "../input_error.ts";
import * as tf from "../engine/tf.ts";
import {
  embeddingSide,
  MASK_CHANNELS,
  maskSide,
  type ModelConfig,
  promptSide,
} from "../model/config.ts";
import { encodeImage } from "../model/image_encoder.ts";
import { decodeMasks, predictSamMasks } from "../model/mask_decoder.ts";
import { normalizePixels } from "../model/normalize.ts";
import { generatePreference } from "../model/preference_generator.ts";
import {
  encodeFeedback,
  encodeMaskPrompts,
  encodePrompts,
  type MaskPromptInputs,
  type PromptInputs,
} from "../model/prompt_encoder.ts";

/** Options of {@linkcode exportOnnx}. */
export interface ExportOnnxOptions {
  /**
   * Latents N of one proposal, at least 1. Default: 48. The decoder
   * takes them all at once, as a choice draws their mean toward it.
   */
  readonly samples?: number;
  /**
   * Prompt slots, at least 2. Default: 8. A click fills one, a box two; clicks
   * without a box need one more.
   */
  readonly slots?: number;
  /**
   * Whether weights lie in a file of their own, `encoder.onnx.data`. By default
   * only where they would make the file larger than the 2 GB that ONNX allows.
   */
  readonly externalData?: boolean;
}

/** What a protobuf message may hold. */
const MAX_BYTES = 2 ** 31 - 1;
/** Where each weight of a file of weights begins: at a multiple of this. */
const ALIGNMENT = 4096;

/**
 * Exports a model as ONNX files, for any ONNX runtime of any language:
 *
 * - `encoder.onnx`, once per image: the image to its embedding.
 * - `generator.onnx`: clicks and choices to the preference distribution.
 * - `decoder.onnx`: latents drawn from it to probability maps.
 * - `predictor.onnx`, of a SAM: prompts to masks and predicted IoU.
 *
 * Weights are inside, by segment-anything's names. Shapes are fixed, all inputs
 * are float32, images are RGB with values in 0..1. Each file's description says
 * what its inputs are, and its metadata hold the config as JSON beside the
 * model's own. Only standard operators are used (version 20: ONNX Runtime 1.17
 * and later). The repository's `tests/reference/run_exported.py` runs the files
 * in Python.
 *
 * @example Export the shipped model
 * ```ts
 * import { loadModel } from "@spa-seg/spa";
 * import { exportOnnx } from "@spa-seg/spa/checkpoints";
 *
 * const folder = await Deno.makeTempDir();
 * await exportOnnx(await loadModel(), folder); // encoder.onnx, ...
 * ```
 *
 * @example Encode an image in Python, after `pip install onnxruntime`
 * ```py
 * encoder = onnxruntime.InferenceSession("exported/encoder.onnx")
 * print(encoder.get_modelmeta().description)
 * outputs = encoder.run(None, {"image": image, "size": size})
 * ```
 *
 * @param model The network.
 * @param folder Where to; it is made if it is not there. Every file is written
 * whole or not at all.
 * @param options See {@linkcode ExportOnnxOptions}.
 * @returns The files' paths.
 * @throws {RangeError} When the folder cannot be made, a file's name in it is a
 * folder's, or an option is not a whole number in its range.
 */
export async function exportOnnx(
  model: Model,
  folder: string | URL,
  { samples = 48, slots = 8, externalData }: ExportOnnxOptions = {},
): Promise<string[]> {
  const least = { samples: 1, slots: 2 };
  for (const [name, value] of Object.entries({ samples, slots })) {
    const minimum = least[name as keyof typeof least];
    if (Number.isSafeInteger(value) && value >= minimum) continue;
    throw new InputError(
      `Cannot export the model as ${name} must be an integer >= ${minimum}: current value is ${value}`,
    );
  }
  const root = folder instanceof URL ? fileURLToPath(folder) : folder;
  const programs = exportedPrograms(model.config, { samples, slots });
  const paths: string[] = [];
  for (const program of programs) {
    const path = join(root, `${program.name}.onnx`);
    await checkTarget(path);
    const traced = describe(traceProgram(program, model), program, model);
    paths.push(...await writeProgram(traced, path, externalData));
  }
  return paths;
}

/** A program with the model's weights as constants, its names as Python's. */
function traceProgram(program: ExportedProgram, model: Model): OnnxModel {
  const specs: Record<string, TensorSpec> = {};
  for (const [name, { data, shape }] of model.weights) {
    specs[name] = { shape, dtype: "float32", data };
  }
  const inputs = Object.entries(program.inputs);
  for (const [name, shape] of inputs) {
    specs[snakeCase(name)] = { shape, dtype: "float32" };
  }
  const run = (tensors: Weights) => {
    const own = inputs.map(([name]) => [name, tensors[snakeCase(name)]]);
    const outputs = program.run(tensors, Object.fromEntries(own));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, x]) => [snakeCase(name), x]),
    );
  };
  return traceFunction(program.name, run, specs, { standard: true }).model;
}

/** The program with its description and metadata. */
function describe(
  traced: OnnxModel,
  { description }: ExportedProgram,
  { metadata, config }: Model,
): OnnxModel {
  const facts = { ...metadata, config: JSON.stringify(config) };
  return { ...traced, description, metadata: facts };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Writes a program, its weights inside or beside it. */
async function writeProgram(
  program: OnnxModel,
  path: string,
  externalData?: boolean,
): Promise<string[]> {
  const parts = encodeModelParts(program);
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (!(externalData ?? bytes > MAX_BYTES)) {
    await writeFileAtomic(path, parts);
    return [path];
  }
  const location = `${program.name}.onnx.data`;
  const beside: Uint8Array[] = [];
  let offset = 0;
  const constants = program.constants.map((constant) => {
    const { data, name } = constant;
    if (name.startsWith("#")) return constant; // a small one without a name
    const { buffer, byteOffset, byteLength } = data;
    const padding = (ALIGNMENT - byteLength % ALIGNMENT) % ALIGNMENT;
    beside.push(
      new Uint8Array(buffer, byteOffset, byteLength),
      new Uint8Array(padding),
    );
    const external = { location, offset };
    offset += byteLength + padding;
    return { ...constant, external };
  });
  await writeFileAtomic(`${path}.data`, beside);
  await writeFileAtomic(path, encodeModelParts({ ...program, constants }));
  return [path, `${path}.data`];
}

/** The sizes that are free to choose. */
interface ProgramShapes {
  /** Latents N of one proposal. */
  readonly samples: number;
  /** Prompt slots T. */
  readonly slots: number;
}

/** A program that is exported; tensors by name. */
interface ExportedProgram {
  /** The file's name without its ending. */
  readonly name: string;
  /** What it does, takes and gives. */
  readonly description: string;
  /** Shapes of its inputs, all of them float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** The program as a function of weights and inputs. */
  run(weights: Weights, inputs: TensorsByName): TensorsByName;
}

/** Tensors by name. */
type TensorsByName = Readonly<Record<string, tf.Tensor>>;
type Feedback = TensorsByName & PromptInputs;
type Points = TensorsByName & MaskPromptInputs;

const POINTS = `points: (x, y) in pixels of the square. labels: 1 a click \
inside, 0 outside, 2 and 3 a box's top left and bottom right corner, -1 at \
(0, 0) after the clicks where there is no box, -2 an empty slot. has_mask: 1 \
where there is a mask, else 0.`;
const FEEDBACK = `${POINTS} mask, of maps averaged to its side: the \
choice's logits / 4, 2 (choice - recommendation), the choice before it, 2 \
(choice - mean of the rejected); zeros at first. clicks: bumps of 2 pixels' \
deviation at the clicks, negative outside.`;

/** The programs of a network, for one image at a time. */
function exportedPrograms(
  config: ModelConfig,
  { samples: N, slots: T }: ProgramShapes,
): ExportedProgram[] {
  const { imageSize: S, channels: L, latentChannels: d } = config;
  const h = embeddingSide(config);
  const side = maskSide(config);
  const { detailChannels, upscaling } = config.decoder;
  const embedding = [1, h, h, L];
  const points = { points: [1, T, 2], labels: [1, T], hasMask: [1] };
  const cells = promptSide(config);
  const feedback = {
    ...points,
    mask: [1, cells, cells, MASK_CHANNELS],
    clicks: [1, cells, cells, 1],
  };

  const encoder: ExportedProgram = {
    name: "encoder",
    description: `An image to its embedding, once per image. image: RGB, its \
longer side resized to ${S} pixels, at the top left of the square; what is \
beside it does not count. size: its height and width there.`,
    inputs: { image: [1, S, S, 3], size: [2] },
    run(weights, { image, size }) {
      const pixels = normalizePixels(config, image, size);
      const { detail, ...rest } = encodeImage(weights, config, pixels);
      return detail ? { ...rest, detail } : rest;
    },
  };
  const generator: ExportedProgram = {
    name: "generator",
    description: `Feedback to the preference distribution, a mixture of \
Gaussians. evidence: log evidence of the choices for each component; zeros at \
first. ${FEEDBACK}`,
    inputs: { embedding, ...feedback, evidence: [1, config.components] },
    run(weights, { embedding, evidence, ...inputs }) {
      const prompts = encodePrompts(weights, config, inputs as Feedback);
      const { pooled } = encodeFeedback(weights, config, embedding, prompts);
      return { ...generatePreference(weights, config, pooled, evidence) };
    },
  };
  const decoder: ExportedProgram = {
    name: "decoder",
    description:
      `Latents drawn from the preference distribution to probability \
maps, which cover the square. choice: logits of the chosen map, clipped to \
0.02..0.98; zeros at first. ${FEEDBACK}`,
    inputs: {
      embedding,
      ...(detailChannels > 0 ? { detail: [1, h * h, 4 * upscaling[0]] } : {}),
      ...feedback,
      latents: [1, N, d],
      choice: [1, side, side],
    },
    run(weights, { embedding, detail, latents, choice, ...inputs }) {
      const prompts = encodePrompts(weights, config, inputs as Feedback);
      const logits = decodeMasks(weights, config, {
        feedback: encodeFeedback(weights, config, embedding, prompts),
        prompts,
        latents,
        choice,
        hasMask: inputs.hasMask,
        shares: tf.fill([1, N], 1 / N),
        detail,
      });
      const maps = tf.reshape(logits, [1, N, side, side]);
      return { probabilities: tf.sigmoid(maps) };
    },
  };
  const predictor: ExportedProgram = {
    name: "predictor",
    description:
      `Plain SAM: prompts to the logits and the predicted IoU of four \
masks, the one for prompts without doubt first. mask: logits of an earlier \
prediction; zeros at first. ${POINTS}`,
    inputs: { embedding, ...points, mask: [1, side, side, 1] },
    run(weights, { embedding, ...inputs }) {
      const prompts = encodeMaskPrompts(weights, config, inputs as Points);
      return { ...predictSamMasks(weights, config, embedding, prompts) };
    },
  };
  return [encoder, generator, decoder, ...(config.sam ? [predictor] : [])];
}
