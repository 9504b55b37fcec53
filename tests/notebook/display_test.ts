import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import * as spa from "../../mod.ts";
import * as datasets from "@spa-seg/spa/datasets";
import * as evaluation from "@spa-seg/spa/evaluate";
import * as figures from "@spa-seg/spa/figures";
import {
  displayBundle,
  guardOutputs,
  inKernel,
} from "../../src/notebook/kernel.ts";
import { decodePNG } from "../helpers/pixels.ts";

const model = await spa.loadModel("tiny");
const { image, masks } = spa.phantom({ kind: "kidney", seed: 13 });
const session = await spa.Session.start(model, image, {
  points: [{ x: 60, y: 60 }],
});
const dataset = datasets.phantoms({ count: 3, kinds: ["nodule"] });
const results = await evaluation.evaluate(model, {
  name: "one",
  cases: dataset.cases.slice(0, 1),
}, { iterations: 2 });
const { proposal } = session;
const [candidate] = proposal.candidates;

/** Every kind of value, and how its text begins. */
const VALUES: [string, spa.Showable, RegExp][] = [
  ["a session", session, /^Session: 1 click, 0 choices\nProposal: rec/],
  ["a proposal", proposal, /^Proposal: recommendation of \d+ px, \d cand/],
  ["a candidate", candidate, /^Candidate: \d+ % of samples \(\d+\), \d+ px/],
  ["a model", model, /^Model "tiny": [\d.]+ M parameters, images of 128 px/],
  [
    "a dataset",
    dataset,
    /^Dataset "phantoms .*": 3 cases of 3 patients, 5 raters each$/,
  ],
  ["an evaluation", results, /^Evaluation: 5 targets of 1 case\niteration /],
];

/** What the kernel calls for a value. */
async function bundleOf(value: unknown): Promise<Record<string, string>> {
  // deno-lint-ignore no-explicit-any -- as the kernel does
  return await (value as any)[Symbol.for("Jupyter.display")]();
}

for (const [name, value, text] of VALUES) {
  Deno.test(`${name} shows itself as a picture, and as a few lines of text`, async () => {
    const shown = Deno.inspect(value);
    assert.match(shown, text);
    assert(shown.split("\n").length <= 8 && shown.length < 1000, shown);

    const bundle = await bundleOf(value);
    assert.equal(bundle["text/plain"], shown);
    assert.match(
      bundle["text/html"],
      /^<img src="data:image\/svg\+xml;base64,/,
    );
    const figure = spa.figureOf(value);
    const { width } = await decodePNG(
      Uint8Array.fromBase64(bundle["image/png"]),
    );
    assert.equal(width, figure.width);
    assert(bundle["image/png"].length < 400_000);
  });
}

Deno.test("a value that shows itself is otherwise as plain as before", () => {
  const keys = [
    "recommended",
    "candidates",
    "spread",
    "region",
    "notice",
    "predictions",
    "entropy",
  ];
  assert.deepEqual(Object.keys(proposal), keys);
  assert.deepEqual(Object.getPrototypeOf(proposal), Object.prototype);
  assert.deepEqual({ ...candidate }, candidate);
  assert.deepEqual(JSON.parse(JSON.stringify(results)), [...results]);
  assert(Array.isArray(results) && results.length === 5);
});

Deno.test("an evaluation without results shows its text alone", async () => {
  const none = await evaluation.evaluate(model, { name: "none", cases: [] });
  assert.deepEqual(await bundleOf(none), {
    "text/plain": "Evaluation: 0 targets of 0 cases",
  });
});

Deno.test("figureOf() takes an image, clicks and a reference for a proposal", async () => {
  const svg = await spa.figureOf(proposal, {
    truth: masks.strict,
    points: [{ x: 3, y: 3, label: 0 }],
    title: "Mine",
  }).toSVG();
  for (const text of ["reference", "click outside", "Mine"]) {
    assert(svg.includes(`>${text}<`), text);
  }
  const own = await spa.figureOf(session).toSVG();
  assert(own.includes(">click inside<") && own.includes(">Proposal 1<"));

  // a proposal that does not know its image
  const { image: _, ...predictions } = proposal.predictions;
  const bare = { ...proposal, predictions };
  const { at } = await decodePNG(await spa.figureOf(bare).toPNG({ scale: 1 }));
  assert.deepEqual(at(200, 135).slice(0, 3), [64, 64, 64]); // in the region
  const white = ndarray(new Float32Array(128 * 128).fill(1), [128, 128, 1]);
  const given = spa.figureOf(bare, { image: white });
  const shown = await decodePNG(await given.toPNG({ scale: 1 }));
  assert.deepEqual(shown.at(200, 135).slice(0, 3), [255, 255, 255]);
});

Deno.test("an image, a mask, a volume and a preference have figures of their own", async () => {
  const volume: spa.Volume = {
    values: ndarray(new Float32Array(5 * 6 * 8).fill(3), [5, 6, 8, 1]),
    spacing: [2.5, 1, 1],
    color: false,
    inverted: false,
    layout: { axes: [0, 1, 2], flips: [false, false, false] } as never,
  };
  const values: [spa.Showable, RegExp][] = [
    [image, /^Image of 128 x 128 pixels, gray: image with 0 clicks$/],
    [masks.strict, /image with the outline of the mask$/],
    [
      volume,
      /^Volume of 5 slices, 8 x 6 pixels each, 2\.5 x 1 x 1 mm: three planes/,
    ],
    [
      session.preference,
      /^Preference after 1 click and 0 choices: mixture of 16 Gaussians: 16 components, the largest is number/,
    ],
  ];
  for (const [value, alt] of values) {
    const figure = spa.figureOf(value);
    assert.match(figure.alt, alt);
    await figure.toPNG({ scale: 1 });
  }
  // inside a mask without its image it is lighter than outside
  const mask = ndarray(new Uint8Array(100 * 100), [100, 100]);
  for (let i = 0; i < 5000; i++) mask.data[i] = 1;
  const { at } = await decodePNG(await spa.figureOf(mask).toPNG({ scale: 1 }));
  assert(at(250, 100)[0] > at(250, 420)[0] + 80);
  const once = await spa.figureOf(session.preference).toSVG();
  assert(!once.includes(">before<") && once.includes(">component<"));
});

Deno.test("show() prints a value's lines outside a notebook", async () => {
  const printed: unknown[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => printed.push(...values);
  try {
    await spa.show(candidate);
    await spa.show(results.slice(0, 2)); // a list that nobody marked
    await spa.show(spa.figureOf(candidate));
  } finally {
    console.log = log;
  }
  assert.equal(printed[0], Deno.inspect(candidate));
  assert.match(`${printed[1]}`, /^Evaluation: 2 targets of 1 case\n/);
  assert.match(`${printed[2]}`, /^Figure 520 x \d+: Candidate: /);
});

Deno.test("datasetFigure() outlines every rater of evenly spread cases", async () => {
  const many = datasets.phantoms({ count: 30, kinds: ["nodule"] });
  const figure = figures.datasetFigure(many, { count: 4 });
  const svg = await figure.toSVG();
  for (const k of [0, 7, 15, 22]) {
    assert(svg.includes(`>${many.cases[k].id}</text>`), `${k}`);
  }
  assert.equal(svg.match(/<image /g)!.length, 4);
  assert.equal(svg.match(/<svg /g)!.length, 1 + 4);
  for (const rater of ["generous", "with part"]) {
    assert(svg.includes(`>rater ${rater}</text>`));
  }
  assert.match(figure.alt, /30 cases of 30 patients, 5 raters each; 4 of them/);
});

Deno.test("datasetFigure() shows a small object closer, a large one whole", async () => {
  const image = ndarray(new Float32Array(80 * 80), [80, 80, 1]);
  const square = (from: number, to: number) => {
    const mask = ndarray(new Uint8Array(80 * 80), [80, 80]);
    for (let y = from; y < to; y++) {
      for (let x = from; x < to; x++) mask.set(y, x, 1);
    }
    return mask;
  };
  const masks: Record<string, ReturnType<typeof square>> = {
    small: square(30, 50),
    large: square(10, 70),
    none: square(0, 0),
  };
  const svg = await figures.datasetFigure({
    name: "squares",
    cases: Object.entries(masks).map(([id, mask]) => ({
      ...{ id, patient: id, raters: ["1"] },
      readImage: () => Promise.resolve(image),
      readMask: () => Promise.resolve(mask),
    })),
  }).toSVG();
  const views = [...svg.matchAll(/viewBox="([^"]*)" overflow/g)];
  assert.deepEqual(views.map(([, view]) => view), [
    "23 23 34 34", // 1.7 times the object's side
    "0 0 80 80",
    "0 0 80 80",
  ]);
});

Deno.test("modelFigure() tells what the metadata say, without the recipes", async () => {
  const noted = new spa.Model(model.config, model.weights, {
    recipe: '{"steps":12000}',
    initial_recipe: '{"steps":400}',
    training_data: "crops and phantoms",
  });
  const svg = await figures.modelFigure(noted).toSVG();
  assert(
    svg.includes(">training data<") && svg.includes(">crops and phantoms<"),
  );
  assert(!svg.includes("recipe") && !svg.includes("steps"));
});

Deno.test("evaluationFigure() averages by iteration, in all and by rater", async () => {
  const result = (rater: string, ...values: number[]) => ({
    case: "a",
    patient: `${values}`, // one patient alone has no interval
    rater,
    iterations: values.map((dice) => ({
      dice,
      best: dice + 0.1,
      spread: 0,
      milliseconds: 1,
    })),
  });
  const list = [
    result("1", 0.5, 0.7),
    result("2", 0.7, 0.8),
    result("1", 0.6), // stopped early
  ];
  const close = (found: readonly number[], expected: number[]) => {
    assert.equal(found.length, expected.length);
    expected.forEach((value, i) => assert(Math.abs(found[i] - value) < 1e-9));
  };
  const [first, second] = figures.raterSeries(list);
  assert.equal(first.name, "rater 1");
  close(first.values, [0.55, 0.7]);
  close(second.values, [0.7, 0.8]);
  // deno-lint-ignore no-explicit-any -- plotly's JSON
  const bundle: any = await bundleOf(figures.evaluationFigure(list));
  const [band, ...data] = bundle["application/vnd.plotly.v1+json"].data;
  assert.equal(band.fill, "toself"); // the recommendation's interval
  assert.deepEqual(data.map((trace: { name: string }) => trace.name), [
    "recommendation",
    "best candidate",
    "rater 1",
    "rater 2",
    "95 % interval",
  ]);
  close(data[0].y, [0.6, 0.75]);
  close(data[1].y, [0.7, 0.85]);
  assert.throws(() => figures.evaluationFigure([]), {
    name: "RangeError",
    message: /there must be a result/,
  });
});

Deno.test("the numerics know nothing of notebooks", async () => {
  for (const room of ["engine", "model", "spa", "datasets", "checkpoints"]) {
    const folder = new URL(`../../src/${room}/`, import.meta.url);
    for await (const { name } of Deno.readDir(folder)) {
      const text = await Deno.readTextFile(new URL(name, folder));
      assert.doesNotMatch(text, /from "[^"]*notebook/, `${room}/${name}`);
    }
  }
});

Deno.test("outside a kernel nothing waits and nothing is replaced", async () => {
  const { log } = console;
  guardOutputs();
  assert.equal(inKernel(), false);
  assert.equal(console.log, log);
  await displayBundle({ "text/plain": "nowhere" });
});
