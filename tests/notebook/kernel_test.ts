import assert from "node:assert/strict";
import {
  hasKernel,
  joined,
  printed,
  runCells,
} from "../helpers/kernel_helpers.ts";

const HAS_KERNEL = await hasKernel("the tests in the Jupyter kernel");

/** A test in the kernel, left out where there is none. */
function kernelTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !HAS_KERNEL });
}

const START = `
const model = await spa.loadModel("tiny");
const { image, masks } = spa.phantom({ kind: "kidney", seed: 13 });
const session = await spa.Session.start(model, image, { points: [{ x: 60, y: 60 }] });
session`;

kernelTest(
  "in a kernel every value shows itself, soon after the import",
  async () => {
    const values = {
      "session.proposal": /^Proposal: recommendation of \d+ px, 4 candidates/,
      "session.proposal.candidates[0]": /^Candidate: \d+ % of samples/,
      "model": /^Model "tiny": [\d.]+ M parameters/,
      "image": /^Image of 128 x 128 pixels, gray$/,
      "session.accept()": /^Mask of 128 x 128 pixels, \d+ inside$/,
      "session.preference":
        /^Preference after 1 click and 1 choice: mixture of 16 Gaussians$/,
      "data": /^Dataset "phantoms": 8 cases of 8 patients, 5 raters each$/,
      "results": /^Evaluation: 5 targets of 1 case\niteration +Dice/,
      "figures.mixtureFigure(before, session.preference.distribution, { proposal, chosen: 0 })":
        /^Figure 900 x \d+: The preference distribution: 16 components/,
      "figures.diceFigure({ series: figures.raterSeries(results) })":
        /^Figure 900 x/,
    };
    const cells = await runCells([
      `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";`,
      START,
      `const data = await datasets.openDataset("../data/phantoms");
const results = await evaluation.evaluate(model, { name: "one", cases: data.cases.slice(0, 1) }, { iterations: 2 });
const proposal = session.proposal, before = session.preference.distribution;
await session.choose(0);
console.log(session);`,
      ...Object.keys(values),
      `await spa.show(proposal, { truth: masks.generous });
await spa.show(model);
await spa.show(spa.figureOf(data));`,
    ]);
    const errors = cells.flatMap(({ outputs }) => outputs)
      .filter(({ output_type }) => output_type === "error");
    assert.deepEqual(errors, []);

    const [importing, first, logging, ...shown] = cells;
    console.log(
      `import ${importing.milliseconds.toFixed(0)} ms, first proposal ` +
        `${(importing.milliseconds + first.milliseconds).toFixed(0)} ms`,
    );
    assert.deepEqual(importing.outputs, []);
    assert.match(printed(logging), /^Session: 1 click, 1 choice\nProposal: /);
    assert.equal(printed(logging).trimEnd().split("\n").length, 6);

    const last = shown.pop()!;
    assert.deepEqual(
      last.outputs.map(({ output_type }) => output_type),
      ["display_data", "display_data", "display_data"],
    );
    [first, ...shown].forEach(({ source, outputs }, i) => {
      assert.equal(outputs.length, 1, source);
      const { output_type, data = {} } = outputs[0];
      assert.equal(output_type, "execute_result", source);
      const text = joined(data["text/plain"] as string);
      const pattern = i === 0
        ? /^Session: 1 click/
        : Object.values(values)[i - 1];
      assert.match(text, pattern);
      assert(text.length < 1000, source);
      assert.match(
        joined(data["text/html"] as string),
        /^<img src="data:image/,
      );
      const png = Uint8Array.fromBase64(joined(data["image/png"] as string));
      assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map(code));
    });
  },
);

kernelTest(
  "in a kernel progress updates one output in place, to its end",
  async () => {
    const cells = await runCells([
      `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";`,
      `const bar = new training.ProgressBar({ label: "Counting", total: 30, unit: "things" });
for (let i = 1; i <= 30; i++) {
  await new Promise((resolve) => setTimeout(resolve, 60));
  bar.update(i, { note: "loss " + (1 / i).toFixed(2) });
}
bar.finish();`,
      `const answer = await training.withProgress("Waiting", new Promise((resolve) => setTimeout(() => resolve(42), 1800)));
answer`,
      `const fast = new training.ProgressBar({ label: "Fast", total: 2 });
fast.update(1);
fast.finish();`,
    ]);
    const [, counting, waiting, fast] = cells;
    assert.equal(counting.outputs.length, 1);
    const { output_type, data = {} } = counting.outputs[0];
    assert.equal(output_type, "display_data");
    const text = joined(data["text/plain"] as string);
    assert.match(text, /^Counting: 30 of 30 things, .*\/s, \d s, loss 0.03$/);
    const html = joined(data["text/html"] as string);
    assert.match(html, /width:100.0%/);
    assert.match(html, /30 of 30 things/);

    assert.equal(waiting.outputs.length, 2); // the bar, and the answer
    assert.deepEqual(fast.outputs, []); // not worth a bar
  },
);

kernelTest(
  "what is shown without being awaited stands in its cell, in order",
  async () => {
    const cells = await runCells([
      `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";`,
      START,
      `spa.show(session);
spa.show(model);
spa.show(spa.figureOf(session.proposal.candidates[0]));`,
      `"next"`,
    ]);
    const errors = cells.flatMap(({ outputs }) => outputs)
      .filter(({ output_type }) => output_type === "error");
    assert.deepEqual(errors, []);
    const [, , showing, next] = cells;
    const texts = showing.outputs.filter(({ data }) => data?.["image/png"])
      .map(({ data }) => joined(data!["text/plain"] as string));
    const expected = [/^Session: /, /^Model /, /^Figure 520 x .*: Candidate/];
    assert.equal(texts.length, expected.length);
    texts.forEach((text, i) => assert.match(text, expected[i]));
    assert.equal(next.outputs.length, 1);
  },
);

kernelTest("a pick's still picture says what it shows", async () => {
  const [, , picking] = await runCells([
    `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";`,
    START,
    `await spa.pick(session.proposal, { by: "auto", auto: () => 1 });`,
  ]);
  const [still] = picking.outputs as readonly { metadata?: object }[];
  assert.deepEqual(Object.keys(still.metadata ?? {}), ["image/png"]);
  assert.match(
    JSON.stringify(still.metadata),
    /"alt":"Candidate 2 picked, by a rule: recommended segmentation and \d cand/,
  );
});

kernelTest("in a kernel train() and evaluate() fill one bar each", async () => {
  const [, training, evaluating] = await runCells([
    `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";
import { discs, recipe } from "../helpers/small_training.ts";
import { smallConfig } from "../helpers/small_model.ts";`,
    `const weights = await training.train(smallConfig, discs, { ...recipe, steps: 60 }, training.trainingProgress());`,
    `const model = await spa.loadModel("tiny");
const results = await evaluation.evaluate(model, datasets.phantoms({ count: 3, kinds: ["nodule"] }), evaluation.evaluationProgress());`,
  ]);
  const expected: [typeof training, RegExp][] = [
    [training, /^Training: 60 of 60 steps, .*, loss [\d.]+, Dice 0\.\d{3}$/],
    [evaluating, /^Evaluating: 15 of 15 targets, .*, Dice 0\.\d{3}$/],
  ];
  for (const [{ outputs, milliseconds }, pattern] of expected) {
    if (milliseconds < 1100) continue; // not worth a bar on a fast machine
    assert.equal(outputs.length, 1);
    assert.match(joined(outputs[0].data!["text/plain"] as string), pattern);
  }
});

kernelTest(
  "500 display cells lose no output and get none of another's",
  async () => {
    const sources = Array.from({ length: 500 }, (_, i) => {
      const mark = `<output ${i}>`;
      return [
        `console.log("${mark}")`,
        `"${mark}"`,
        `await Deno.jupyter.display({ "text/plain": "${mark}" + " ".repeat(${
          i * 200
        }) }, { raw: true })`,
        `figure("${mark}")`,
        `await spa.show(figure("${mark}")); console.log("${mark}"); "${mark}"`,
      ][i % 5];
    });
    const start = performance.now();
    const [, ...cells] = await runCells([
      `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";
const figure = (alt: string) => new spa.Figure({ width: 90, height: 60, alt,
  draw: () => '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"/>' });`,
      ...sources,
    ]);
    const wrong = cells.flatMap(({ outputs }, i) => {
      const marks = JSON.stringify(outputs).match(
        /<output \d+>|&lt;output \d+&gt;/g,
      );
      const own = new Set(marks?.map((mark) => mark.match(/\d+/)![0]));
      const whole = outputs.length === (i % 5 === 4 ? 3 : 1);
      return whole && own.size === 1 && own.has(String(i)) ? [] : [i];
    });
    const seconds = (performance.now() - start) / 1000;
    console.log(`500 cells in ${seconds.toFixed(0)} s`);
    assert.deepEqual(wrong, []);
  },
);

kernelTest(
  "a cell that prints a thousand lines prints them all, in order",
  async () => {
    const [, cell, next] = await runCells([
      `import * as spa from "../mod.ts"; import * as datasets from "@spa-seg/spa/datasets"; import * as evaluation from "@spa-seg/spa/evaluate"; import * as figures from "@spa-seg/spa/figures"; import * as training from "@spa-seg/spa/train";`,
      `for (let i = 0; i < 1000; i++) console.log("line", i);`,
      `"next"`,
    ]);
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
    assert.equal(printed(cell), lines.join(""));
    assert.equal(next.outputs.length, 1);
  },
);

function code(letter: string): number {
  return letter.charCodeAt(0);
}
