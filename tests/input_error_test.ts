import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeError } from "../src/commands/command_line.ts";
import {
  EnvironmentError,
  InputError,
  InputTypeError,
  isInputError,
} from "../src/input_error.ts";

Deno.test("what was given, or the machine, explains an error: one line, whatever its words", () => {
  const kinds = [InputError, InputTypeError, EnvironmentError];
  for (const Kind of kinds) {
    const error = new Kind("no such\n  rater: nobody");
    assert.equal(isInputError(error), true);
    assert.equal(describeError(error), "no such rater: nobody");
  }
  assert.equal(
    describeError(new Deno.errors.NotFound("no file a.png")),
    "no file a.png",
  );
});

Deno.test("input errors are the RangeErrors and TypeErrors that callers catch", () => {
  assert.ok(new InputError("a") instanceof RangeError);
  assert.ok(new InputTypeError("a") instanceof TypeError);
  assert.equal(`${new InputError("a")}`, "RangeError: a");
  assert.equal(`${new InputTypeError("a")}`, "TypeError: a");
  assert.equal(`${new EnvironmentError("a")}`, "Error: a");
});

Deno.test("a bug keeps its stack", () => {
  const bugs = [
    new RangeError("Invalid array length"),
    new TypeError("undefined is not a function"),
    new Error("a bug"),
  ];
  for (const error of bugs) {
    assert.equal(isInputError(error), false);
    assert.equal(describeError(error), error.stack);
    assert.match(describeError(error), /\n +at /);
  }
});

Deno.test("an input error of another copy of the module is one as well", async () => {
  const path = new URL("../src/input_error.ts", import.meta.url);
  const copy = await import(`${path}?copy`);
  assert.notEqual(copy.InputError, InputError);
  assert.equal(isInputError(new copy.InputError("a")), true);
});

/** Rooms that throw plain ones still, and the page, which runs in a browser. */
const PLAIN = ["formats", "notebook", "spa", "volumes", "commands/web"];

Deno.test("the other rooms throw input errors, no plain RangeErrors and TypeErrors", async () => {
  const src = fileURLToPath(new URL("../src/", import.meta.url));
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(src, folder))) {
      const path = join(folder, name);
      if (isDirectory && !PLAIN.includes(path)) await walk(path);
      if (!name.endsWith(".ts")) continue;
      const code = await Deno.readTextFile(join(src, path));
      if (/new (Range|Type)Error\(/.test(code)) found.push(path);
    }
  };
  await walk("");
  assert.deepEqual(found, []);
});
