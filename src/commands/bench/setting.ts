import { loadModel } from "../../checkpoints/load_model.ts";
import { CommandLine, THREADS } from "../command_line.ts";
import { readImage } from "../../formats/read_image.ts";
import { ENGINE_NAMES, type EngineName } from "../../engine/active_engine.ts";
import { useEngine } from "../../engine/engine.ts";
import type { Model } from "../../model/model.ts";

/** What one child process of the benchmark runs with. */
export interface Setting {
  readonly engine: EngineName;
  /** For `onnx`; the other engines have one. */
  readonly threads: number;
  /** The weights' file, where not the shipped ones. */
  readonly model?: string;
}

/** The image that is measured with, 128 x 128, and a click in its object. */
const SAMPLE = new URL(
  "../../../data/phantoms/kidney-9/image.png",
  import.meta.url,
);

/** A click inside the object of the measured image. */
export const CLICK = { x: 62, y: 60 };

/** A setting as a child's arguments, which {@linkcode openSetting} reads. */
export function settingArgs({ engine, threads, model }: Setting): string[] {
  const file = model === undefined ? [] : [`--model=${model}`];
  return [`--engine=${engine}`, `--threads=${threads}`, ...file];
}

/** Loads what a child's arguments name: engine, weights and image at once. */
export async function openSetting(
  args: readonly string[],
): Promise<{ line: CommandLine; model: Model; image: SampleImage }> {
  const line = new CommandLine("measure", args, {
    values: ["engine", "threads", "model", "repeats", "iterations"],
  });
  const [model, image] = await Promise.all([
    loadModel(line.text("model")),
    readImage(SAMPLE),
    useEngine(line.oneOf("engine", ENGINE_NAMES, "onnx"), {
      threads: line.integer("threads", 1, THREADS),
    }),
  ]);
  return { line, model, image };
}

type SampleImage = Awaited<ReturnType<typeof readImage>>;
