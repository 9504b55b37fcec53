import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest } from "../digest.ts";

/** The rooms whose code decides an evaluation's figures. */
const ROOMS = ["model", "spa", "evaluation", "baselines"];

/** Files there that show figures and do not change them. */
const SHOWN = /tables|summary|statistics|saved_evaluation/;

/** The beginning of a declaration that stands by itself in a file. */
const DECLARATION =
  /^(?=(?:export )?(?:async |abstract )?(?:function|class|const|let|type|interface)\b)/m;

/**
 * A file's declarations without comments, imports, white space and whether they
 * are exported, which change no figure.
 */
export function declarations(code: string): string[] {
  return code
    .replaceAll(/\/\*[^]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/^(import|export) (type )?[^;=]*from "[^"]*";$/gm, "")
    .split(DECLARATION)
    .map((part) => part.replace(/^export /, "").replaceAll(/\s+/g, ""))
    .filter(Boolean);
}

/**
 * Tells versions of the method apart: a digest of the code of the network, the
 * method, the simulated users and the baselines. Comments, imports and the form
 * of lines do not count, nor in which file a declaration stands.
 */
export function methodVersion(): string {
  const codes = ROOMS.flatMap((room) => {
    const folder = fileURLToPath(new URL(`../${room}/`, import.meta.url));
    return [...Deno.readDirSync(folder)]
      .filter(({ name }) => name.endsWith(".ts") && !SHOWN.test(name))
      .flatMap(({ name }) =>
        declarations(Deno.readTextFileSync(join(folder, name)))
      );
  });
  return digest(codes.sort());
}
