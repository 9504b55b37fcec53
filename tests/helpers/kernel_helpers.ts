/** Runs cells in the real Jupyter kernel, `deno jupyter`, without a browser. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The Python that has nbclient; SPA_PYTHON names another. */
export const PYTHON = Deno.env.get("SPA_PYTHON") ?? "python3";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The folder of the notebooks that belong to the module. */
export const NOTEBOOKS = join(ROOT, "notebooks");

/** Their names, without ".ipynb", in order. */
export async function listNotebooks(): Promise<string[]> {
  const names = await Array.fromAsync(
    Deno.readDir(NOTEBOOKS),
    (entry) => entry.name,
  );
  return names.filter((name) => name.endsWith(".ipynb")).sort()
    .map((name) => name.slice(0, -".ipynb".length));
}

/** One output of a cell, as the notebook format has it. */
export interface Output {
  readonly output_type: "stream" | "execute_result" | "display_data" | "error";
  /** Of a stream: "stdout" or "stderr". */
  readonly name?: string;
  /** Of a stream. */
  readonly text?: string | string[];
  /** Of a result or a display: its forms by mime type. */
  readonly data?: Record<string, string | string[] | object>;
  /** Of a result or a display: what is said of its forms, by mime type. */
  readonly metadata?: Record<string, unknown>;
  /** Of an error. */
  readonly ename?: string;
  readonly evalue?: string;
}

/** A cell that ran. */
export interface RunCell {
  readonly source: string;
  readonly outputs: readonly Output[];
  /** Milliseconds from the start to the kernel's reply. */
  readonly milliseconds: number;
}

/**
 * Whether cells can be run here; says so in one line where they cannot.
 *
 * @param what The test that is skipped.
 */
export async function hasKernel(what: string): Promise<boolean> {
  const has = await canImport("nbclient, nbformat");
  if (!has) console.log(`skipped: ${what}, as ${PYTHON} has no nbclient`);
  return has;
}

/** Whether there is a Python, and it has these modules. */
export async function canImport(modules: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(PYTHON, {
      args: ["-c", `import ${modules}`],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch { // no such program
    return false;
  }
}

/**
 * Runs code cells one after the other in a fresh kernel. A cell that throws has
 * an output of type "error", and the next one runs.
 *
 * @param cells Their code; the module is "../mod.ts" for them.
 * @param options.timeout Seconds that a cell may take, which defaults to 120.
 */
export async function runCells(
  cells: readonly string[],
  options: { timeout?: number } = {},
): Promise<RunCell[]> {
  return await runNotebook({
    cells: cells.map((source, i) => ({
      cell_type: "code",
      id: `cell-${i}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    })),
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  }, options);
}

/**
 * Runs a whole notebook in a fresh kernel.
 *
 * @param notebook The parsed .ipynb.
 * @returns Its code cells.
 */
export async function runNotebook(
  notebook: object,
  { timeout = 120 }: { timeout?: number } = {},
): Promise<RunCell[]> {
  const folder = await Deno.makeTempDir({ prefix: "spa_kernel_" });
  try {
    await writeKernelSpec(folder);
    const [source, target] = ["in.ipynb", "out.ipynb"].map((name) =>
      join(folder, name)
    );
    await Deno.writeTextFile(source, JSON.stringify(notebook));
    const script = fileURLToPath(new URL("./kernel_run.py", import.meta.url));
    const where = join(ROOT, "tests"); // where "../mod.ts" is the module
    const { success, stderr } = await new Deno.Command(PYTHON, {
      args: [script, source, target, where, String(timeout)],
      env: { JUPYTER_PATH: folder, NO_COLOR: "1" },
      stdout: "null",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const { cells } = JSON.parse(await Deno.readTextFile(target));
    return cells.filter(isCode).map(readCell);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * An output as it is saved: a picture in one form, the one that all show. What
 * it shows in words, which its HTML alone has, goes where nbconvert's templates
 * "classic" and "basic" find it; "lab" has no words of a picture.
 */
export function slimmed(output: Output): Output {
  if (!output.data?.["image/png"]) return output;
  const { "text/html": html, ...data } = output.data;
  const [, alt] = / alt="([^"]*)"/.exec(joined(html as string ?? "")) ?? [];
  if (alt === undefined) return { ...output, data };
  const metadata = { ...output.metadata, "image/png": { alt: unescaped(alt) } };
  return { ...output, data, metadata };
}

/** The text of an HTML attribute that `escapeXML()` wrote. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/** Everything a cell printed to one stream. */
export function printed(cell: RunCell, name = "stdout"): string {
  return cell.outputs.filter((output) => output.name === name)
    .map(({ text = "" }) => joined(text)).join("");
}

/** The text of an output's form, which may be saved as a list of lines. */
export function joined(text: string | string[]): string {
  return typeof text === "string" ? text : text.join("");
}

async function writeKernelSpec(folder: string): Promise<void> {
  const kernel = join(folder, "kernels", "deno");
  await Deno.mkdir(kernel, { recursive: true });
  const spec = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn"],
    display_name: "Deno",
    language: "typescript",
  };
  spec.argv.push("{connection_file}");
  await Deno.writeTextFile(join(kernel, "kernel.json"), JSON.stringify(spec));
}

interface Cell {
  cell_type: string;
  source: string | string[];
  outputs: Output[];
  metadata: { execution?: Record<string, string> };
}

function isCode({ cell_type }: Cell): boolean {
  return cell_type === "code";
}

function readCell({ source, outputs, metadata }: Cell): RunCell {
  const { execution = {} } = metadata;
  const start = Date.parse(execution["iopub.execute_input"] ?? "");
  const end = Date.parse(execution["shell.execute_reply"] ?? "");
  return { source: joined(source), outputs, milliseconds: end - start };
}

/**
 * A notebook's text, formatted. By way of the standard input, as
 * `deno fmt --check` calls even a formatted notebook unformatted.
 */
export async function formatNotebook(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "ipynb", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await output;
  if (!success) throw new Error("Cannot format a notebook");
  return new TextDecoder().decode(stdout);
}
