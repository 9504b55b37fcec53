import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandLine, runCommand, SEEDS } from "../command_line.ts";
import type { Case } from "./dataset.ts";
import {
  phantom,
  PHANTOM_RATERS,
  type PhantomKind,
  type PhantomRater,
  phantoms,
} from "./phantom.ts";
import { writeImage, writeMask } from "./write_image.ts";

/** The phantoms in `data/phantoms`: a choice that shows what differs. */
export const SAMPLES: readonly (readonly [PhantomKind, number])[] = [
  ["fundus", 3],
  ["fundus", 18],
  ["nodule", 2], // on the chest wall, with a vessel
  ["nodule", 24], // spiculated
  ["nodule", 52], // part-solid, on the chest wall
  ["kidney", 1], // CT, tumour
  ["kidney", 9], // CT, cyst
  ["kidney", 13], // MR, cyst
];

/**
 * Writes the sample phantoms in the plain layout: `KIND-SEED/image.png` and `KIND-SEED/rater_NAME.png`.
 *
 * @param folder Where the cases' folders will be.
 * @returns The cases' names.
 */
export async function makePhantoms(folder: string): Promise<string[]> {
  return await writeCases(
    folder,
    SAMPLES.map(([kind, seed]) => {
      const { image, masks } = phantom({ kind, seed });
      return {
        id: `${kind}-${seed}`,
        raters: PHANTOM_RATERS,
        readImage: () => Promise.resolve(image),
        readMask: (rater) => Promise.resolve(masks[rater as PhantomRater]),
      };
    }),
  );
}

/** Writes cases in the plain layout; returns their names. */
async function writeCases(
  folder: string,
  cases: readonly Omit<Case, "patient">[],
): Promise<string[]> {
  for (const item of cases) {
    const place = join(folder, item.id);
    await writeImage(join(place, "image.png"), await item.readImage());
    for (const rater of item.raters) {
      const mask = await item.readMask(rater);
      await writeMask(join(place, `rater_${rater}.png`), mask);
    }
  }
  return cases.map(({ id }) => id);
}

const HELP = `deno task phantoms [options]

Paints the sample phantoms again, bit for bit; with --count, new ones of all
kinds. Both are in the plain layout that --data of the other commands reads.

  --out FOLDER         where they go   (data/phantoms; with --count, out/phantoms)
  --count N            how many new ones
  --seed N             of new ones                                          (0)
`;

if (import.meta.main) {
  await runCommand(async () => {
    const line = new CommandLine("paint the phantoms", Deno.args, {
      values: ["out", "count", "seed"],
    });
    if (line.has("help")) return console.log(HELP);
    const count = line.integer("count", 0, { min: 1, max: 1e5 });
    const seed = line.integer("seed", 0, SEEDS);
    const home = fileURLToPath(new URL("../../", import.meta.url));
    const folder = line.text("out") ??
      join(home, count > 0 ? "out/phantoms" : "data/phantoms");
    const names = count > 0
      ? await writeCases(folder, phantoms({ count, seed }).cases)
      : await makePhantoms(folder);
    console.log(`${names.length} phantoms in ${folder}: ${names.join(", ")}`);
  });
}
