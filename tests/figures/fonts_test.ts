import assert from "node:assert/strict";
import { join } from "node:path";
import { keepFonts } from "../../src/figures/fonts.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** The shipped fonts as a server sends them, and what it was asked for. */
function serveFonts(status = 200) {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const name = new URL(request.url).pathname.split("/").at(-1)!;
      asked.push(name);
      const bytes = await Deno.readFile(`data/fonts/${name}`);
      return new Response(bytes, { status });
    },
  );
  const source = new URL(`http://127.0.0.1:${server.addr.port}/data/fonts/`);
  return { asked, source, stop: () => server.shutdown() };
}

const NAMES = [
  "DejaVuSans-Bold-Subset.ttf",
  "DejaVuSans-Subset.ttf",
  "fonts.conf",
];

Deno.test("fonts of the web are fetched once and then found without a network", async () => {
  const cache = await temporaryFolder();
  const { asked, source, stop } = serveFonts();
  const folder = await keepFonts(source, cache);
  assert.deepEqual(asked.sort(), NAMES);
  const found = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(found.sort(), NAMES); // nothing half-written beside them
  for (const name of NAMES) {
    const [copy, own] = await Promise.all(
      [join(folder, name), `data/fonts/${name}`].map((p) => Deno.readFile(p)),
    );
    assert.deepEqual(copy, own);
  }
  await stop();
  assert.equal(await keepFonts(source, cache), folder);
  assert.equal(asked.length, 3);
});

Deno.test("a font that was lost is fetched again, alone", async () => {
  const cache = await temporaryFolder();
  const { asked, source, stop } = serveFonts();
  const folder = await keepFonts(source, cache);
  await Deno.writeFile(join(folder, NAMES[0]), new Uint8Array());
  await keepFonts(source, cache);
  assert.deepEqual(asked.slice(3), [NAMES[0]]);
  await stop();
});

Deno.test("a font that the server does not send is an error with its address", async () => {
  const cache = await temporaryFolder();
  const { source, stop } = serveFonts(500);
  await assert.rejects(
    keepFonts(source, cache),
    /Cannot load font http.*: status 500/,
  );
  assert.deepEqual([...Deno.readDirSync(cache)], []);
  await stop();
});

Deno.test("where the cache cannot be written the fonts' temporary folder goes with the process", async () => {
  const cache = await temporaryFolder();
  const { source, stop } = serveFonts();
  const closed = join(cache, "file");
  await Deno.writeTextFile(closed, "no folder");
  const code = `import { keepFonts } from "./src/figures/fonts.ts";
    console.log(await keepFonts(new URL("${source}"), "${closed}"));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stderr: "inherit",
  }).output();
  const folder = new TextDecoder().decode(stdout).trim();
  assert.match(folder, /spa_fonts_/);
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
  await stop();
});
