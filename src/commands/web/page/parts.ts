/**
 * The page's larger files: scripts that each hand over one text, as a page of
 * `file://` may load scripts and nothing else.
 *
 * @module
 */
import { readSafetensors } from "../../../checkpoints/safetensors.ts";
import { useEngine } from "../../../engine/engine.ts";
import type { ModelConfig } from "../../../model/config.ts";
import { Model } from "../../../model/model.ts";
import { declareWeights } from "../../../model/declare_weights.ts";
import type { HostWeights } from "../../../model/weights.ts";
import { engineParts } from "../doors/worker_threads.ts";

/** What the scripts hand over, by name. */
export interface PageParts {
  /** Code of the Worker. */
  worker?: string;
  /** ONNX Runtime's WebAssembly: gzip, in base64. */
  wasm?: string;
  /** The model: safetensors in gzip, in base64. */
  model?: string;
}

/** The place where they put it. */
const PARTS = "spaParts";

/** Loads a part of the page. */
async function loadPart(name: keyof PageParts): Promise<string> {
  const script = document.createElement("script");
  script.src = `${name}.js`;
  await new Promise<void>((resolve, reject) => {
    script.onload = () => resolve();
    script.onerror = () =>
      reject(new Error(`${name}.js is not beside the page, or cannot be read`));
    document.head.append(script);
  });
  script.remove();
  const parts = (globalThis as { [PARTS]?: PageParts })[PARTS]!;
  const text = parts[name]!;
  delete parts[name]; // it is large
  return text;
}

/** The bytes of a part in gzip and base64. */
async function unpack(text: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.fromBase64(text);
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).arrayBuffer();
}

/** Loads the model, and the engine that it runs on. */
export async function loadParts(): Promise<Model> {
  const engine = async () => {
    const [code, wasm] = await Promise.all([
      loadPart("worker"),
      loadPart("wasm").then(unpack),
    ]);
    engineParts.current = { code, wasm };
    await useEngine("onnx", { threads: 1 });
  };
  const weights = async () => {
    const bytes = await unpack(await loadPart("model"));
    return readSafetensors(new Uint8Array(bytes));
  };
  const [{ tensors, metadata }] = await Promise.all([weights(), engine()]);
  const { config: stated, ...facts } = metadata;
  const config: ModelConfig = JSON.parse(stated);
  // in the order that every model has: its digest is of all weights in turn
  const ordered = Array.from(
    declareWeights(config).keys(),
    (name) => [name, tensors.get(name)!] as const,
  );
  return new Model(config, new Map(ordered) as HostWeights, facts);
}
