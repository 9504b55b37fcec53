import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest } from "../digest.ts";

/** The rooms whose code decides an evaluation's figures. */
const ROOMS = ["model", "spa", "evaluation", "baselines"];

/** Files there that show figures and do not change them. */
const SHOWN = /tables|summary|statistics|saved_evaluation/;

/**
 * The declarations of a file without comments, imports, white space and the word
 * `export`, which change no figure.
 */
function declarationsOf(code: string): string[] {
  return code
    .replaceAll(/\/\*[^]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/^(import|export) (type )?[^;=]*from "[^"]*";$/gm, "")
    .split(/\n(?=[a-z])/) // a declaration begins at the left edge
    .map((text) => text.replace(/^export /, "").replaceAll(/\s+/g, ""))
    .filter((text) => text !== "");
}

/**
 * A digest of code, wherever its declarations stand.
 *
 * @param codes The text of each file.
 */
export function versionOf(codes: readonly string[]): string {
  return digest(codes.flatMap(declarationsOf).sort());
}

/**
 * Tells versions of the method apart: a digest of the code of the network, the
 * method, the simulated users and the baselines. Comments, imports and the form
 * of lines do not count, nor does the file that a declaration stands in.
 */
export function methodVersion(): string {
  return versionOf(ROOMS.flatMap((room) => {
    const folder = fileURLToPath(new URL(`../${room}/`, import.meta.url));
    return [...Deno.readDirSync(folder)]
      .filter(({ name }) => name.endsWith(".ts") && !SHOWN.test(name))
      .map(({ name }) => Deno.readTextFileSync(join(folder, name)));
  }));
}
