import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { SPLITS } from "../datasets/_split.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { writeImage } from "../formats/write_image.ts";
import { writeMask } from "../formats/write_mask.ts";
import { presets } from "../model/config.ts";
import { createRandom } from "../random.ts";
import {
  drawAnyRegion,
  isMostlyBeside,
  placeImage,
} from "../training/augment.ts";
import { drawAnswers, segmentRegion } from "../training/synthetic_targets.ts";
import { DATA_OPTIONS, openCases } from "./command_cases.ts";
import {
  type Command,
  CommandLine,
  runCommand,
  SEEDS,
} from "./command_line.ts";

/** The raters of a family: the levels that each wants of every image. */
export const LEVELS = ["part", "object", "whole"] as const;

/** Regions tried in an image until one has a family. */
const TRIES = 8;

/**
 * Writes families in the plain layout: `ID/image.png`, a region of an image, and
 * `ID/rater_part.png`, `rater_object.png` and `rater_whole.png`, nested answers
 * to a click in the part. They are the synthetic targets of training, drawn on
 * other images.
 *
 * @param folder Where the cases' folders will be.
 * @param dataset The images.
 * @param most Families at most, of images at even steps.
 * @param seed Decides regions and answers.
 * @returns The families' names.
 */
export async function makeFamilies(
  folder: string,
  dataset: Pick<Dataset, "name" | "cases">,
  most: number,
  seed: number,
): Promise<string[]> {
  const { cases } = dataset;
  const config = presets.small;
  const { imageSize: S } = config;
  const names: string[] = [];
  const step = Math.max(1, cases.length / most);
  for (let at = 0; at < cases.length; at += step) {
    const item = cases[Math.floor(at)];
    const image = contiguous(await item.readImage());
    const [height, width] = image.shape;
    const random = createRandom(seed, Math.floor(at));
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const placement = drawAnyRegion(random, height, width);
      if (isMostlyBeside(placement, height, width)) continue;
      const pixels = placeImage(image, placement, config);
      const region = segmentRegion(pixels, S, S, random);
      const answers = drawAnswers(region, random);
      if (answers?.kind !== "levels") continue;
      if (answers.masks.length !== LEVELS.length) continue;
      const name = `${dataset.name}-${item.id}`.replaceAll("/", "-");
      await writeImage(
        ndarray(pixels, [S, S, 3]),
        join(folder, name, "image.png"),
      );
      for (const [i, level] of LEVELS.entries()) {
        await writeMask(
          ndarray(answers.masks[i], [S, S]),
          join(folder, name, `rater_${level}.png`),
        );
      }
      names.push(name);
      break;
    }
  }
  return names;
}

const COMMAND: Command = {
  action: "draw families",
  usage: ["deno task families --data FOLDER --out FOLDER [options]"],
  about:
    "Draws nested answers on regions of images, part, object and whole, as training does, in the plain layout that --data of the other commands reads.",
  options: {
    "": {
      ...DATA_OPTIONS,
      split: {
        words: SPLITS,
        default: "val",
        help: "split of the images",
      },
      out: { value: "FOLDER", help: "folder to write them to" },
      count: {
        value: "N",
        min: 1,
        max: 1e5,
        default: 20,
        help: "families of each data set at most, one to an image",
      },
      seed: { ...SEEDS, default: 0, help: "seed of regions and answers" },
    },
  },
};

if (import.meta.main) {
  await runCommand(async () => {
    const line = new CommandLine(COMMAND, Deno.args);
    if (line.help) return console.log(line.help);
    const folder = line.text("out");
    if (!folder) throw line.refuse("--out must name a folder", folder);
    const split = line.oneOf("split", SPLITS);
    const opened = await openCases(line, split);
    const [most, seed] = [line.integer("count"), line.integer("seed")];
    for (const { dataset } of opened) {
      const names = await makeFamilies(folder, dataset, most, seed);
      console.log(`${dataset.name}: ${names.length} families in ${folder}`);
    }
  });
}
