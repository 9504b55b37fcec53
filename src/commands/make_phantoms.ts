import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Command,
  CommandLine,
  runCommand,
  SEEDS,
} from "./command_line.ts";
import {
  listPhantoms,
  phantom,
  PHANTOM_RATERS,
  type PhantomKind,
} from "../phantoms/phantom.ts";
import { writeImage } from "../formats/write_image.ts";
import { writeMask } from "../formats/write_mask.ts";

/** The phantoms in `data/phantoms`, chosen to show how they differ. */
export const SAMPLES: readonly (readonly [PhantomKind, number])[] = [
  ["fundus", 3],
  ["fundus", 18],
  ["nodule", 2], // on the chest wall, with a vessel
  ["nodule", 24], // spiculated
  ["nodule", 52], // part-solid, on the chest wall
  ["kidney", 1], // CT, tumor
  ["kidney", 9], // CT, cyst
  ["kidney", 13], // MR, cyst
];

/**
 * Writes phantoms in the plain layout: `ID/image.png` and `ID/rater_NAME.png`.
 *
 * @param folder Where the cases' folders will be.
 * @param list The phantoms. Default: the samples.
 * @returns The cases' names.
 */
export async function makePhantoms(
  folder: string,
  list: ReturnType<typeof listPhantoms> = SAMPLES.map(([kind, seed]) => ({
    id: `${kind}-${seed}`,
    kind,
    seed,
  })),
): Promise<string[]> {
  for (const { id, kind, seed } of list) {
    const { image, masks } = phantom({ kind, seed });
    await writeImage(image, join(folder, id, "image.png"));
    for (const rater of PHANTOM_RATERS) {
      await writeMask(masks[rater], join(folder, id, `rater_${rater}.png`));
    }
  }
  return list.map(({ id }) => id);
}

const COMMAND: Command = {
  action: "paint the phantoms",
  usage: ["deno task phantoms [options]"],
  about:
    "Paints the sample phantoms again, bit for bit; with --count, new ones of all kinds. Both are in the plain layout that --data of the other commands reads.",
  options: {
    "": {
      out: {
        value: "FOLDER",
        shown: "data/phantoms; with --count, out/phantoms",
        help: "folder to write them to",
      },
      count: { value: "N", min: 1, max: 1e5, help: "number of new phantoms" },
      seed: { ...SEEDS, default: 0, help: "seed of the new phantoms" },
    },
  },
};

if (import.meta.main) {
  await runCommand(async () => {
    const line = new CommandLine(COMMAND, Deno.args);
    if (line.help) return console.log(line.help);
    const count = line.integer("count", 0);
    const seed = line.integer("seed");
    const home = fileURLToPath(new URL("../../", import.meta.url));
    const folder = line.text("out") ??
      join(home, count > 0 ? "out/phantoms" : "data/phantoms");
    const names = await makePhantoms(
      folder,
      count > 0 ? listPhantoms(count, seed) : undefined,
    );
    console.log(`${names.length} phantoms in ${folder}: ${names.join(", ")}`);
  });
}
