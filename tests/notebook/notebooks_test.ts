/** The notebooks run in the real kernel, and what is saved in them is true. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  formatNotebook,
  hasKernel,
  joined,
  listNotebooks,
  NOTEBOOKS,
  type Output,
  runNotebook,
  slimmed,
} from "../helpers/kernel_helpers.ts";

const HAS_KERNEL = await hasKernel("the notebooks");
const NAMES = await listNotebooks();

/** Notebooks whose saved outputs show images that are not in the repository. */
const SHOWS_REAL = new Set(["04-your-data"]);
const HAS_REAL = await Deno.stat("../shared/data/usgra").then(
  () => true,
  () => false,
);
if (!HAS_REAL) {
  console.log(
    "skipped: ../shared/data is not there; 04-your-data in the kernel",
  );
}

/** A cell as it is saved. */
interface SavedCell {
  cell_type: "code" | "markdown";
  source: string | string[];
  metadata: object;
  outputs: Output[];
}

async function readNotebook(
  name: string,
): Promise<{ text: string; cells: SavedCell[]; code: SavedCell[] }> {
  const text = await Deno.readTextFile(`${NOTEBOOKS}/${name}.ipynb`);
  const { cells } = JSON.parse(text) as { cells: SavedCell[] };
  return { text, cells, code: cells.filter((c) => c.cell_type === "code") };
}

/** What an output is, without what differs from run to run. */
function kind({ output_type, name, data = {} }: Output): string {
  return [output_type, name ?? "", ...Object.keys(data).sort()].join(" ");
}

/** What an output prints, but for its numbers, which differ by machine and run. */
function words({ text = "" }: Output): string {
  return joined(text).replaceAll(/[-−]?\d[\d.]*(e[-+]?\d+)?/g, "#")
    .replaceAll(/\s+/g, " ");
}

Deno.test("words() keeps all but numbers and their padding", () => {
  assert.equal(
    words({ output_type: "stream", text: "N =  6: 50.1 %\nN = 12: -1e-3 %\n" }),
    "N = #: # % N = #: # % ",
  );
});

Deno.test("there are five notebooks", () => {
  assert.deepEqual(NAMES.map((name) => name.slice(0, 2)), [
    ..."01 02 03 04 05".split(" "),
  ]);
});

for (const name of NAMES) {
  Deno.test(`${name} is saved whole: small, formatted, with pictures, without errors or paths`, async () => {
    const { text, cells, code } = await readNotebook(name);
    assert(text.length < 1e6, `${text.length} bytes`);
    assert.equal(await formatNotebook(text), text, "not formatted");
    assert(cells.length > code.length, "no text between the cells");
    const outputs = code.flatMap((cell) => cell.outputs);
    assert(outputs.some(({ data }) => data?.["image/png"]), "no picture");
    const kinds = outputs.map(({ output_type }) => output_type);
    assert(!kinds.includes("error"));
    for (const { text = "", data = {} } of outputs) {
      const seen = joined(text) + joined(data["text/plain"] as string ?? "");
      assert.doesNotMatch(
        seen,
        /\/(?:home|root|tmp|Users|work)\/|127\.0\.0\.1/,
      );
    }
    for (const { metadata } of code) assert.deepEqual(metadata, {});
  });

  Deno.test(`${name} links to notebooks that are there`, async () => {
    const { text } = await readNotebook(name);
    for (const [, target] of text.matchAll(/\]\(([\w-]+)\.ipynb\)/g)) {
      assert(NAMES.includes(target), target);
    }
  });

  Deno.test(`the cells of ${name} pass the type check`, async () => {
    const { code } = await readNotebook(name);
    // one module: what a cell declares is known in those after it
    const source = code.map((cell) => joined(cell.source)).join("\n;\n");
    const path = `${NOTEBOOKS}/.check_${name}_${crypto.randomUUID()}.ts`;
    await Deno.writeTextFile(path, `${source}\nexport {};\n`);
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["check", path],
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        env: { NO_COLOR: "1" },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
    } finally {
      await Deno.remove(path);
    }
  });

  Deno.test({
    name:
      `${name} runs in the kernel and gives the kinds of output and the printed words that are saved`,
    ignore: !HAS_KERNEL || (SHOWS_REAL.has(name) && !HAS_REAL),
    fn: async () => {
      const { text, code } = await readNotebook(name);
      const start = performance.now();
      const ran = await runNotebook(JSON.parse(text), { timeout: 900 });
      const seconds = (performance.now() - start) / 1000;
      console.log(`${name} in ${seconds.toFixed(0)} s`);
      assert.equal(ran.length, code.length);
      ran.forEach(({ source, outputs }, i) => {
        const errors = outputs.flatMap(({ ename, evalue }) =>
          ename ? [`${ename}: ${evalue}`] : []
        );
        assert.deepEqual(errors, [], source);
        const kinds = outputs.map((output) => kind(slimmed(output)));
        const saved = code[i].outputs;
        assert.deepEqual(kinds, saved.map(kind), source);
        assert.deepEqual(outputs.map(words), saved.map(words), source);
      });
    },
  });
}
