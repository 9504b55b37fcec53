/** The house: which room may import from which, no circles, no name twice. */

import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));

/** The rooms that each room may import from, the upper floors first. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  exports: [ // the package's sub-paths; only deno.json names them
    ...["notebook", "figures", "baselines", "training", "evaluation"],
    ...["volumes", "spa", "checkpoints", "model", "engine", "datasets"],
    ...["formats", "phantoms", "metrics", "arrays"],
  ],
  commands: [
    ...["notebook", "figures", "baselines", "training", "evaluation"],
    ...["volumes", "spa", "checkpoints", "model", "engine", "datasets"],
    ...["formats", "phantoms", "metrics", "arrays"],
  ],
  notebook: [
    ...["figures", "training", "evaluation", "volumes", "spa", "checkpoints"],
    ...["model", "engine", "datasets", "formats", "phantoms", "metrics"],
    "arrays",
  ],
  figures: [
    ...["training", "evaluation", "volumes", "spa", "checkpoints", "model"],
    ...["engine", "datasets", "formats", "phantoms", "metrics", "arrays"],
  ],
  baselines: [
    ...["training", "evaluation", "spa", "checkpoints", "model", "engine"],
    ...["datasets", "metrics", "arrays"],
  ],
  training: [
    ...["spa", "checkpoints", "model", "engine", "datasets", "phantoms"],
    ...["metrics", "arrays"],
  ],
  evaluation: ["spa", "model", "engine", "datasets", "metrics", "arrays"],
  volumes: [
    ...["spa", "model", "engine", "datasets", "formats", "metrics", "arrays"],
  ],
  spa: ["checkpoints", "model", "engine", "metrics", "arrays"],
  checkpoints: ["model", "engine", "phantoms"], // features are measured on them
  model: ["engine", "arrays"],
  engine: [],
  phantoms: ["datasets", "formats"], // phantoms are a data set, or volumes
  datasets: ["formats", "arrays"],
  formats: ["arrays"],
  metrics: ["arrays"],
  arrays: [],
};

/** The same basename in several rooms, where it is the same kind of thing. */
const SAME_NAME = new Set<string>([
  "evaluate.ts", // of a baseline, of the method
  "train.ts",
  "load_model.ts", // from a file; the same with a bar
  "sample_set.ts", // the metrics; all of them of one proposal
  "options.ts", // of a command; of a call
  "session.ts", // ONNX Runtime's; the user's
]);

/** Every source file with the files that it imports, types included. */
function importsOf(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = join(folder, name);
      if (isDirectory) walk(path);
      else if (name.endsWith(".ts")) found.set(relative(SRC, path), read(path));
    }
  };
  const read = (path: string) => {
    const code = Deno.readTextFileSync(path)
      .replaceAll(/^\s*(\*|\/\*|\/\/).*$/gm, ""); // examples are no imports
    const specifiers = code.matchAll(
      /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g,
    );
    const files = [...specifiers].map(([, specifier]) =>
      relative(SRC, join(dirname(path), specifier))
    );
    return [...new Set(files)].filter((file) => !file.startsWith(".."));
  };
  walk(SRC);
  return found;
}

/** A file's room; the files beside the rooms are in "". */
function roomOf(file: string): string {
  return file.includes("/") ? file.split("/")[0] : "";
}

/** Groups of files that import one another in circles (Tarjan, 1972). */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>) {
  const order = new Map<string, number>(), low = new Map<string, number>();
  const open: string[] = [], circles: string[][] = [];
  const visit = (file: string) => {
    order.set(file, order.size);
    low.set(file, order.get(file)!);
    open.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (open.includes(next)) {
        low.set(file, Math.min(low.get(file)!, low.get(next)!));
      }
    }
    if (low.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1 || imports.get(file)?.includes(file)) {
      circles.push(circle.sort());
    }
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return circles;
}

const imports = importsOf();

Deno.test("every room stands in the table of allowed arrows", () => {
  const rooms = new Set([...imports.keys()].map(roomOf));
  const unknown = [...rooms].filter((room) => room !== "" && !ALLOWED[room]);
  assert.deepEqual(unknown, []);
});

Deno.test("a room imports only from the rooms that its row allows", () => {
  const refused = [...imports].flatMap(([file, others]) =>
    others.flatMap((other) => {
      const [from, to] = [roomOf(file), roomOf(other)];
      if (from === to || to === "" || ALLOWED[from]?.includes(to)) return [];
      return [`${file} imports ${other}`];
    })
  );
  assert.deepEqual(refused, []);
});

Deno.test("the table of allowed arrows has no circle itself", () => {
  const rows = new Map(Object.entries(ALLOWED));
  assert.deepEqual(circlesOf(rows), []);
});

Deno.test("no files import one another in a circle, types included", () => {
  assert.deepEqual(circlesOf(imports), []);
});

Deno.test("a circle is found, whatever its length", () => {
  const circles = circlesOf(
    new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", ["a"]], ["d", []]]),
  );
  assert.deepEqual(circles, [["a", "b", "c"]]);
});

Deno.test("no two rooms have a file of the same name, unless it is the same kind of thing", () => {
  const places = new Map<string, string[]>();
  for (const file of imports.keys()) {
    if (roomOf(file) === "exports") continue; // named as who imports them wants
    const name = file.split("/").at(-1)!;
    places.set(name, [...places.get(name) ?? [], file]);
  }
  const twice = [...places].filter(([name, files]) =>
    new Set(files.map(roomOf)).size > 1 && !SAME_NAME.has(name)
  );
  assert.deepEqual(twice.map(([, files]) => files.sort()), []);
});

Deno.test("a command starts at the end of its file, when all that it needs is there", () => {
  const commands = [...importsOf().keys()].filter((file) =>
    roomOf(file) === "commands"
  );
  let starts = 0;
  for (const path of commands) {
    const text = Deno.readTextFileSync(join(SRC, path));
    const start = text.search(
      /^(?:if \(import\.meta\.main\) )?await runCommand/m,
    );
    if (start < 0) continue;
    starts++;
    assert.doesNotMatch(text.slice(start), /^(?:const|let|class) /m, path);
  }
  assert.ok(starts >= 5);
});
