import assert from "node:assert/strict";
import { join } from "node:path";
import { readEvaluation } from "../../src/evaluation/saved_evaluation.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** Runs `deno task train` or `deno task evaluate`. */
async function command(program: "train" | "evaluate", ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `src/commands/${program}/main.ts`, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const folder = await temporaryFolder();
const box = join(folder, "box.safetensors");
const trained = await command(
  "train",
  ...["--method", "box", "--init", "data/models/tiny.safetensors"],
  ...["--steps", "2", "--batch", "2", "--phantoms", "1", "--threads", "1"],
  ...["--note", "phantoms of a test", "--out", box],
);
const quick = ["--data", "data/phantoms", "--every", "8", "--threads", "1"];

Deno.test("train --method and evaluate --model work on a baseline, compare on its results", async () => {
  assert.equal(trained.code, 0, trained.stderr);
  const results = ["box", "sam-u"].map((name) => join(folder, `${name}.json`));
  for (const [i, method] of ["box", "sam-u"].entries()) {
    const { code, stdout, stderr } = await command(
      "evaluate",
      ...[...quick, "--model", box, "--method", method, "--samples", "6"],
      ...["--iterations", "2", "--targets", "0.5", "--out", results[i]],
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      new RegExp(
        `^phantoms: 1 cases, 5 targets; each rater in turn, ${method}; `,
      ),
    );
    assert.match(stdout, /\| 0.5 \| .* \| 5 \| 2 \|/);
    const { settings, done } = await readEvaluation(results[i]);
    assert.equal(settings.method, method);
    const spreads = done.both[0].results.map(({ iterations: [first] }) =>
      first.spread > 0
    );
    assert.deepEqual(spreads, new Array(5).fill(method === "sam-u"));
  }
  const { code, stdout, stderr } = await command(
    "evaluate",
    ...["compare", ...results],
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\| box \| sam-u \|/);
});

for (
  const [program, args, message] of [
    [
      "train",
      ["--method", "scribble"],
      /^Cannot train as --method must be one of spa, click, box, .*: current value is scribble$/,
    ],
    [
      "evaluate",
      ["--model", box, "--ablation"],
      /^Cannot evaluate as --ablation must come with a model of spa: current value is box$/,
    ],
    [
      "evaluate",
      ["--method", "click"],
      /^Cannot evaluate as --method must fit the model's, spa: current value is click$/,
    ],
    [
      "evaluate",
      ["--model", box, "--method", "spa"],
      /^Cannot evaluate as --method must fit the model's, box: current value is spa$/,
    ],
  ] as const
) {
  Deno.test(`the ${program} command refuses ${args.filter((arg) => arg !== box).join(" ")}`, async () => {
    const more = program === "evaluate" ? quick : [];
    const { code, stderr } = await command(program, ...more, ...args);
    assert.equal(code, 1);
    assert.match(stderr.split("\n").at(-1)!, message); // after a line on splits
  });
}
