/**
 * Executes notebooks in the real kernel and saves them with their outputs:
 *
 *     deno run -A tests/save_notebooks.ts [01-quickstart ...]
 */

import {
  formatNotebook,
  listNotebooks,
  NOTEBOOKS,
  runNotebook,
  slimmed,
} from "./helpers/kernel_helpers.ts";

const names = Deno.args.length > 0 ? Deno.args : await listNotebooks();
for (const name of names) {
  const path = `${NOTEBOOKS}/${name}.ipynb`;
  const notebook = JSON.parse(await Deno.readTextFile(path));
  const start = performance.now();
  const ran = await runNotebook(notebook, { timeout: 900 });
  const seconds = (performance.now() - start) / 1000;
  const code = notebook.cells.filter((cell: { cell_type: string }) =>
    cell.cell_type === "code"
  );
  for (const [i, cell] of code.entries()) {
    cell.metadata = {}; // without the times, which differ from run to run
    cell.execution_count = i + 1;
    cell.outputs = ran[i].outputs.map(slimmed);
  }
  const text = JSON.stringify(notebook, undefined, 1) + "\n";
  await Deno.writeTextFile(path, await formatNotebook(text));
  const errors = ran.flatMap(({ outputs }) => outputs)
    .filter(({ output_type }) => output_type === "error");
  for (const { ename, evalue } of errors) console.error(name, ename, evalue);
  console.log(`${name}: ${seconds.toFixed(0)} s`);
  if (errors.length > 0) Deno.exitCode = 1;
}
