import { checkConfig } from "../model/check_config.ts";
import {
  compareWeights,
  describeReport,
  type WeightReport,
} from "../model/compare_weights.ts";
import { isTinyVit, type ModelConfig, presets } from "../model/config.ts";
import { Model } from "../model/model.ts";
import { sizeOf } from "../engine/tensors.ts";
import type { HostWeights } from "../model/weights.ts";
import { declareWeights, initializeWeights } from "../model/declare_weights.ts";
import {
  alienWeights,
  familyOf,
  foldBatchNorms,
  guessConfig,
  measureFeatures,
  parseConfig,
} from "./_adapt.ts";
import { defaultCacheFolder } from "../files.ts";
import { download, type LoadProgress } from "./_download.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { networkPrefixes, renameAll } from "./names.ts";
import { openCheckpoint } from "./open_checkpoint.ts";
import { InputError, InputTypeError } from "../input_error.ts";

export type { LoadProgress, WeightReport };

/** The weights that come with the module, by name. */
const SHIPPED: ReadonlyMap<string, URL> = new Map([
  ["tiny", new URL("../../data/models/tiny.safetensors", import.meta.url)],
  ["small", new URL("../../data/models/small.safetensors.gz", import.meta.url)],
]);

/** Where a model is: the place of the weights that come with the module by their name. */
export function placeOf(source: string | URL): string | URL {
  return SHIPPED.get(`${source}`) ?? source;
}

/** Bytes read between two chances for timers and servers to run. */
const BYTES_PER_TURN = 2 ** 25;

/** How {@linkcode loadModel} loads. */
export interface LoadModelOptions {
  /**
   * The network, or the name of its preset. By default the one that the file's
   * metadata states, else the preset that the weights' shapes fit. MedSAM's
   * weights have SAM's shapes, so a file or folder whose own name contains
   * "medsam" is taken for MedSAM's; for another, give the preset "medsam-vit-b".
   */
  readonly config?: ModelConfig | keyof typeof presets;
  /**
   * Which network of a checkpoint that holds several is loaded, by the name
   * before its weights: "ema" of `{ model, ema }`. By default the only one.
   */
  readonly network?: string;
  /**
   * Whether weights of adapters and the like are left out, such as LoRA, which
   * the network does not know; its masks are then others than the checkpoint's.
   * Default: false, which refuses them.
   */
  readonly dropUnknown?: boolean;
  /** Seed of the weights that SPA adds to a SAM checkpoint. Default: 0. */
  readonly seed?: number;
  /**
   * Folder in which downloads are kept. Default: `spa-seg` in the
   * system's cache folder. Delete a file there to fetch it again.
   */
  readonly cacheFolder?: string;
  /** Called while bytes are downloaded and read. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /**
   * Called with what was loaded, missing and unexpected. By default a warning
   * of one line on the console where anything was missing or unexpected.
   */
  readonly onReport?: (report: WeightReport) => void;
}

/**
 * Loads a model: a file of `saveModel`, or SAM and MedSAM weights as PyTorch
 * `.pth`, safetensors, or a folder in Hugging Face's layout. On top of a SAM
 * checkpoint, what SPA adds is drawn afresh and must be trained. So is all but
 * the image encoder where a LiteMedSAM checkpoint is loaded as `small`.
 *
 * @param source Path or URL, or the name of weights that come with the module:
 * "small" (default), for images of many kinds, or "tiny", whose first proposal
 * takes a third of the time, for lung nodules in CT. A file of your own with such a
 * name is "./tiny". A file of http is downloaded once and kept.
 * @param options See {@linkcode LoadModelOptions}.
 * @returns The model, with the file's metadata.
 * @throws {Deno.errors.NotFound} When the file does not exist.
 * @throws {RangeError} When the file is no checkpoint, is damaged, lies about
 * its content, holds a value that is not finite, or has no config and none is
 * given, or there is no preset of the name given; when a weight is of a kind
 * that is not read, such as complex or sparse.
 * @throws {TypeError} When its weights are those of another network.
 * @throws {Error} When a download fails, or brings nothing for a minute.
 */
export async function loadModel(
  source: string | URL = "small",
  {
    config: given,
    network,
    dropUnknown = false,
    seed = 0,
    cacheFolder = defaultCacheFolder(),
    onProgress,
    onReport = (report) => warn(source, report),
  }: LoadModelOptions = {},
): Promise<Model> {
  if (typeof given === "string" && !Object.hasOwn(presets, given)) {
    throw new InputError(
      `Cannot load the model ${source} as config must be a ModelConfig or one of ${
        Object.keys(presets).join(", ")
      }: current value is ${given}`,
    );
  }
  const place = placeOf(source);
  const isRemote = /^https?:/.test(`${place}`);
  const path = isRemote
    ? await download(new URL(place), cacheFolder, onProgress)
    : place;
  using checkpoint = foldBatchNorms(await openCheckpoint(path));
  const { skipped } = checkpoint;
  const names = [...checkpoint.names, ...skipped.keys()];
  const prefix = choosePrefix(source, networkPrefixes(names), network);
  const { renamed, others } = renameAll(names, prefix);
  const shapes = new Map(
    [...renamed].filter(([, own]) => !skipped.has(own))
      .map(([name, own]) => [name, checkpoint.shape(own)]),
  );
  const { config: stated, ...facts } = checkpoint.metadata;
  if (facts.method !== undefined) {
    throw new InputTypeError(
      `Cannot load the model ${source} as its method must be SPA: current value is the baseline ${
        facts.method.slice(0, 80)
      }, which deno task evaluate takes`,
    );
  }
  const config = typeof given === "string"
    ? presets[given]
    : given ?? (stated === undefined
      ? guessConfig(shapes, `${source}`, dropUnknown)
      : parseConfig(stated, `${source}`));
  checkConfig(config);
  const declared = declareWeights(config);
  const taken = stated === undefined && isTinyVit(config.encoder) && !config.sam
    ? onlyEncoder(shapes)
    : shapes;
  const compared = compareWeights(declared, taken);
  for (const name of compared.missing) {
    const problem = skipped.get(renamed.get(name) ?? "");
    if (problem !== undefined) throw new InputError(problem);
  }
  const beside = [...renamed.keys()].filter((name) =>
    !taken.has(name) && (taken !== shapes || !declared.has(name))
  );
  const unexpected = [...compared.unexpected, ...beside, ...others];
  const report = { ...compared, unexpected };
  checkReport(source, config, report, stated !== undefined, familyOf(shapes));
  const alien = alienWeights(compared.unexpected);
  if (alien.length > 0 && !dropUnknown) {
    throw new InputTypeError(
      `Cannot load the model ${source} as its ${
        familyOf(shapes) ?? "network"
      } must have no weights that config "${
        config.name.slice(0, 80)
      }" does not know, or dropUnknown be true to leave them out: current value is ${
        describeReport({ ...compared, missing: [], unexpected: alien })
      }`,
    );
  }
  onReport(report);
  const weights = new Map([
    ...await readWeights(checkpoint, renamed, report.loaded, onProgress),
    ...initializeWeights(config, seed, report.missing),
  ]);
  const model = new Model(config, weights, facts);
  const fresh = report.missing.some((name) =>
    name.startsWith("image_encoder.features.")
  );
  if (!fresh) return model;
  using first = model;
  const measured = await measureFeatures(first);
  return new Model(config, new Map([...weights, ...measured]), facts);
}

/**
 * The image encoder's weights of a foreign checkpoint. SPA's layers on a frozen
 * encoder share names with the checkpoint's other weights but not their shapes.
 */
function onlyEncoder<T>(shapes: ReadonlyMap<string, T>): Map<string, T> {
  return new Map(
    [...shapes].filter(([name]) => name.startsWith("image_encoder.")),
  );
}

/** The prefix of the network to load. */
function choosePrefix(
  source: string | URL,
  prefixes: readonly string[],
  network: string | undefined,
): string {
  const names = prefixes.map((prefix) => prefix.replace(/\.$/, ""));
  const chosen = network === undefined && prefixes.length <= 1
    ? 0
    : names.indexOf(network ?? "none");
  if (chosen >= 0) return prefixes[chosen] ?? "";
  throw new InputError(
    `Cannot load the model ${source} as the option network must name one of its ${names.length}, ${
      names.map((name) => `"${name}"`).join(", ") || "which have no name"
    }: current value is ${network}`,
  );
}

/**
 * Refuses the checkpoint of another network. A file of this module must fit
 * exactly.
 */
function checkReport(
  source: string | URL,
  config: ModelConfig,
  report: WeightReport,
  exact: boolean,
  family: string | undefined,
): void {
  const declared = declareWeights(config);
  const other = !exact && family !== `ViT at ${config.imageSize} px` && family;
  const fits = report.misshapen.length === 0 &&
    (exact
      ? report.missing.length + report.unexpected.length === 0
      : report.missing.every((name) => declared.get(name)!.origin === "spa"));
  if (fits) return;
  throw new InputTypeError(
    `Cannot load the model ${source} as its weights must be those of config "${
      config.name.slice(0, 80)
    }"${other ? `, not of ${other}` : ""}: ${describeReport(report)}`,
  );
}

function warn(source: string | URL, report: WeightReport): void {
  const problems = describeReport(report);
  if (problems !== "") console.warn(`Loaded ${source}: ${problems}`);
}

/** Reads weights from disk, one after another. */
async function readWeights(
  checkpoint: Checkpoint,
  renamed: ReadonlyMap<string, string>,
  names: readonly string[],
  onProgress?: (progress: LoadProgress) => void,
): Promise<HostWeights> {
  const weights = new Map<
    string,
    { data: Float32Array; shape: readonly number[] }
  >();
  const sizes = names.map((name) =>
    4 * sizeOf(checkpoint.shape(renamed.get(name)!))
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let bytes = 0;
  let turn = 0;
  for (const [i, name] of names.entries()) {
    const own = renamed.get(name)!;
    if (!/float/.test(checkpoint.type(own))) {
      throw new InputError(
        `Cannot load the model as weight "${name}" must be of floats: current type is ${
          checkpoint.type(own)
        }`,
      );
    }
    const { data, shape } = await checkpoint.read(own);
    weights.set(name, { data: data as Float32Array, shape });
    bytes += sizes[i];
    onProgress?.({ phase: "read", bytes, total });
    if (bytes - turn < BYTES_PER_TURN) continue;
    turn = bytes;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return weights;
}
