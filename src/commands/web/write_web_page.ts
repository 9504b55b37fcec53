/**
 * The page as a folder of files: its code and the Worker's in one bundle each,
 * ONNX Runtime and the model as texts, which a page of `file://` may load.
 *
 * @module
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../../checkpoints/safetensors.ts";
import { writeFileAtomic } from "../../files.ts";
import { InputError } from "../../input_error.ts";
import type { Model } from "../../model/model.ts";

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../../", import.meta.url);

/** The replacements, in a browser, of modules that only Deno has. */
const DOORS = {
  "node:crypto": "doors/crypto.ts",
  "node:worker_threads": "doors/worker_threads.ts",
  "onnxruntime-node": "doors/onnxruntime.ts",
  [new URL("../../engine/tensorflow.ts", HERE).href]: "doors/no_tensorflow.ts",
};

/**
 * Writes the page.
 *
 * @param folder Where to; it is made if it is not there.
 * @param model What it segments with; its weights are rounded to float16.
 * @returns Sizes of the files in bytes, by name.
 */
export async function writeWebPage(
  folder: string,
  model: Model,
): Promise<Map<string, number>> {
  const metadata = { ...model.metadata, config: JSON.stringify(model.config) };
  const weights = writeSafetensors(model.weights, metadata, {
    dtype: "float16",
  });
  const files = new Map<string, string>([
    ["index.html", await Deno.readTextFile(new URL("page/index.html", HERE))],
    ["page.css", await Deno.readTextFile(new URL("page/page.css", HERE))],
    ["page.js", await bundle("page/page.ts")],
    ["worker.js", partScript("worker", await bundle("doors/worker.ts"))],
    ["wasm.js", partScript("wasm", await pack(await readWasm()))],
    ["model.js", partScript("model", await pack(weights))],
  ]);
  const sizes = new Map<string, number>();
  for (const [name, text] of files) {
    await writeFileAtomic(join(folder, name), text);
    sizes.set(name, new TextEncoder().encode(text).length);
  }
  return sizes;
}

/** A script that hands a part over to `page/parts.ts`. */
function partScript(name: string, text: string): string {
  return `(globalThis.spaParts ??= {}).${name} = ${JSON.stringify(text)};\n`;
}

/** Bytes in gzip and base64. */
async function pack(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).toBase64();
}

/** ONNX Runtime for browsers, of the version that deno.json names. */
async function readWasm(): Promise<Uint8Array<ArrayBuffer>> {
  await import("onnxruntime-web/wasm"); // a package is found once it is loaded
  const { resolve } = createRequire(import.meta.url);
  return await Deno.readFile(
    resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"),
  );
}

/** A script of this folder with all that it imports, as one classic script. */
async function bundle(entry: string): Promise<string> {
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const doors = Object.entries(DOORS).map(([name, file]) => [
    name,
    new URL(file, HERE).href,
  ]);
  const map = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const text = JSON.stringify({
      imports: { ...imports, ...Object.fromEntries(doors) },
    });
    await Deno.writeTextFile(map, text);
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          ...[
            "bundle",
            "--quiet",
            "--import-map",
            map,
            "--platform",
            "browser",
          ],
          ...[
            "--format",
            "esm",
            "--minify",
            fileURLToPath(new URL(entry, HERE)),
          ],
        ],
        cwd: fileURLToPath(ROOT),
      },
    ).output();
    const decoder = new TextDecoder();
    if (!success) {
      throw new InputError(
        `Cannot write the web page as deno bundle must succeed on ${entry}: ${
          decoder.decode(stderr).trim()
        }`,
      );
    }
    // a classic script, as file:// allows no other; it has no import.meta
    const code = decoder.decode(stdout)
      .replaceAll("import.meta.url", "location.href");
    return `(async () => {\n${code}\n})();\n`;
  } finally {
    await Deno.remove(map);
  }
}
