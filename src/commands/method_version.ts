import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest } from "../digest.ts";

/** The rooms whose code decides an evaluation's figures. */
const ROOMS = ["model", "spa", "evaluation", "baselines"];

/** Files there that show figures and do not change them. */
const SHOWN = /tables|summary|statistics|saved_evaluation/;

/**
 * The code without comments, imports and white space, which change no figure.
 */
function essence(code: string): string {
  return code
    .replaceAll(/\/\*[^]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/^(import|export) (type )?[^;=]*from "[^"]*";$/gm, "")
    .replaceAll(/\s+/g, "");
}

/**
 * Tells versions of the method apart: a digest of the code of the network, the
 * method, the simulated users and the baselines. Comments, imports and the form
 * of lines do not count, nor does a file's name.
 */
export function methodVersion(): string {
  const codes = ROOMS.flatMap((room) => {
    const folder = fileURLToPath(new URL(`../${room}/`, import.meta.url));
    return [...Deno.readDirSync(folder)]
      .filter(({ name }) => name.endsWith(".ts") && !SHOWN.test(name))
      .map(({ name }) => essence(Deno.readTextFileSync(join(folder, name))));
  });
  return digest(codes.sort());
}
