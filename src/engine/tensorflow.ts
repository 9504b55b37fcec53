/**
 * libtensorflow through tfjs-node, which the user installs.
 *
 * @module
 */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { EnvironmentError } from "../input_error.ts";

const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];
const VERSION = "4.22.0";

/**
 * Loads tfjs-node from a folder's node_modules; it is no import of this module
 * as an install script of its own fetches libtensorflow.
 *
 * @param folder The folder; by default that of SPA_TENSORFLOW, else the
 * current one.
 */
export function loadTensorFlow(
  folder: string = Deno.env.get("SPA_TENSORFLOW") ?? Deno.cwd(),
): void {
  const require = createRequire(pathToFileURL(resolve(folder, "deno.json")));
  // node:util lost two functions that tfjs-node 4.22.0 calls.
  const util = require("node:util");
  util.isNullOrUndefined ??= (value: unknown) => value == null;
  util.isArray ??= Array.isArray;
  let reason = `${PACKAGES.join(" or ")} is not installed in ${folder}`;
  for (const specifier of PACKAGES.filter((s) => resolves(require, s))) {
    try {
      require(specifier);
      return;
    } catch (error) {
      reason = `${specifier} does not load: ${(error as Error).message}`;
    }
  }
  throw new EnvironmentError(
    `Cannot use the engine "tensorflow" as ${reason}. To install it, run: ` +
      `npm install --prefix FOLDER ${PACKAGES[0]}@${VERSION} (or ` +
      `${PACKAGES[1]}, without a GPU), then name the folder: ` +
      `useEngine("tensorflow", { tensorflowFolder: "FOLDER" }), or ` +
      `SPA_TENSORFLOW=FOLDER in the environment`,
  );
}

function resolves(require: NodeJS.Require, specifier: string): boolean {
  try {
    require.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}
