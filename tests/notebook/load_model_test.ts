import assert from "node:assert/strict";
import { hasKernel, joined, runCells } from "../helpers/kernel_helpers.ts";
import { firstThat } from "../helpers/python.ts";

const shipped = await Deno.readFile(
  new URL("../../data/models/tiny.safetensors", import.meta.url),
);

/** Serves the shipped weights in two seconds; of /broken, not all of them. */
function serveSlowly() {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => {
      const parts = 10;
      const size = Math.ceil(shipped.length / parts);
      const broken = url.endsWith("/broken");
      const sent = broken ? parts - 1 : parts;
      let part = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (part === sent) return controller.close();
          await new Promise((resolve) => setTimeout(resolve, 200));
          controller.enqueue(shipped.subarray(part * size, ++part * size));
        },
      });
      return new Response(body, {
        headers: broken ? {} : { "content-length": `${shipped.length}` },
      });
    },
  );
  return {
    base: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const program = `
  import * as spa from "${import.meta.resolve("../../mod.ts")}";
  const [source, cacheFolder, onProgress] = JSON.parse(Deno.args[0]);
  try {
    const options = { cacheFolder, ...(onProgress ? { onProgress() {} } : {}) };
    const { config } = await spa.loadModel(source ?? undefined, options);
    console.log("loaded", config.name);
  } catch (error) {
    console.log(error.message);
  }`;
const folder = await Deno.makeTempDir();
const file = `${folder}/program.ts`;
await Deno.writeTextFile(file, program);
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

/** Everything a program shows that loads `source`, on a terminal or in a pipe. */
async function load(
  where: "terminal" | "pipe",
  source?: string,
  onProgress = false,
): Promise<string> {
  const cache = await Deno.makeTempDir({ dir: folder });
  const given = JSON.stringify([source ?? null, cache, onProgress]);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const command = `'${Deno.execPath()}' run -A --quiet --config '${config}' ` +
    `'${file}' '${given}' 2>&1`;
  const [name, ...args] = where === "terminal"
    ? ["script", "--quiet", "--return", "--command", command, "/dev/null"]
    : ["sh", "-c", command];
  const { stdout } = await new Deno.Command(name, {
    args,
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
}

const terminal = await firstThat(
  ["script"],
  (name) => [name, "--quiet", "--return", "--command", "true", "/dev/null"],
);
if (!terminal) {
  console.log("skipped: no script of util-linux; no bar on a terminal");
}

Deno.test({
  name: "loadModel() shows a bar on a terminal where loading takes its time",
  ignore: !terminal,
  fn: async () => {
    await using server = serveSlowly();
    const shown = await load("terminal", `${server.base}/tiny.safetensors`);
    assert.match(shown, /\rDownloading \[#+\.+\]: \d of 4 MB, /);
    assert.match(
      shown,
      /\rDownloading \[#{20}\]: 4 of 4 MB, [^\r]*\nloaded tiny\n$/,
    );
    const own = await load("terminal", `${server.base}/tiny`, true);
    assert.equal(own, "loaded tiny\n", "an onProgress of one's own");
    assert.equal(await load("terminal"), "loaded small\n", "the shipped model");
  },
});

Deno.test({
  name: "loadModel() ends the bar's line where loading fails",
  ignore: !terminal,
  fn: async () => {
    await using server = serveSlowly();
    const shown = await load("terminal", `${server.base}/broken`);
    const [bar, error] = shown.split("\n");
    assert.match(bar, /\rDownloading: \d MB, [^\r]*$/);
    assert.match(error, /^Cannot read safetensors as /);
  },
});

Deno.test("loadModel() writes nothing into a pipe", async () => {
  await using server = serveSlowly();
  const shown = await load("pipe", `${server.base}/tiny.safetensors`);
  assert.equal(shown, "loaded tiny\n");
});

const kernel = await hasKernel("the bar of loadModel() in a notebook");
Deno.test({
  name: "loadModel() shows a bar in a notebook",
  ignore: !kernel,
  fn: async () => {
    await using server = serveSlowly();
    const cacheFolder = await Deno.makeTempDir({ dir: folder });
    const [, cell] = await runCells([
      `import * as spa from "../mod.ts";`,
      `const model = await spa.loadModel("${server.base}/tiny.safetensors", {
        cacheFolder: "${cacheFolder}",
      });`,
    ]);
    const [output] = cell.outputs;
    assert.equal(cell.outputs.length, 1, JSON.stringify(cell.outputs));
    const text = output.data!["text/plain"] as string | string[];
    assert.match(joined(text), /^Downloading: \d of 4 MB, /);
  },
});
