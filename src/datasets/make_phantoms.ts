import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandLine, runCommand } from "../command_line.ts";
import { phantom, PHANTOM_RATERS, type PhantomKind } from "./phantom.ts";
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
  const names: string[] = [];
  for (const [kind, seed] of SAMPLES) {
    const { image, masks } = phantom({ kind, seed });
    const name = `${kind}-${seed}`;
    await writeImage(join(folder, name, "image.png"), image);
    for (const rater of PHANTOM_RATERS) {
      await writeMask(join(folder, name, `rater_${rater}.png`), masks[rater]);
    }
    names.push(name);
  }
  return names;
}

const HELP = `deno task phantoms [--out FOLDER]

Paints the sample phantoms again, bit for bit, into data/phantoms or FOLDER.
`;

if (import.meta.main) {
  await runCommand(async () => {
    const line = new CommandLine("paint the phantoms", Deno.args, {
      values: ["out"],
    });
    if (line.has("help")) return console.log(HELP);
    const folder = line.text("out") ??
      fileURLToPath(new URL("../../data/phantoms", import.meta.url));
    const names = await makePhantoms(folder);
    console.log(`${names.length} phantoms in ${folder}: ${names.join(", ")}`);
  });
}
