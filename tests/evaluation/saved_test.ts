import assert from "node:assert/strict";
import {
  checkSame,
  mergeEvaluations,
  readEvaluation,
  resumeEvaluation,
  runsOf,
  type SavedEvaluation,
  saveEvaluation,
} from "../../src/evaluation/saved_evaluation.ts";
import { sectionsOf } from "../../src/commands/evaluate/sections.ts";
import { withFigures } from "../../src/commands/evaluate/publish.ts";
import { Model } from "../../src/model/model.ts";
import {
  evaluation,
  targetOf,
  targetOfOverlap,
} from "../helpers/evaluation_results.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test("mergeEvaluations() puts the cases into the dataset's order", () => {
  const merged = mergeEvaluations([
    evaluation("c"),
    evaluation(), // a shard without cases
    { ...evaluation("b", "a"), engine: "wasm, 1 threads" },
  ]);
  assert.deepEqual(runsOf(merged), runsOf(evaluation("a", "b", "c")));
  assert.equal(merged.engine, "onnx, 1 threads; wasm, 1 threads");
});

Deno.test("resumeEvaluation() keeps the engine that computed what is done", () => {
  const engineOf = (before: SavedEvaluation) =>
    resumeEvaluation("a.json", before, {
      ...evaluation(),
      engine: "wasm, 1 threads",
    }).engine;
  const both = "onnx, 1 threads; wasm, 1 threads";
  assert.equal(engineOf(evaluation("a", "b")), both);
  assert.equal(engineOf({ ...evaluation("a"), engine: both }), both);
  assert.equal(engineOf(evaluation("a", "b", "c")), "onnx, 1 threads"); // tables alone
});

Deno.test("an evaluation goes on with more variants, and keeps those that are done", () => {
  const before = evaluation("a", "b", "c");
  const asked = evaluation();
  const more = resumeEvaluation("a.json", before, {
    ...asked,
    settings: { ...asked.settings, variants: ["none", "both"] },
    done: { none: [], both: [] },
  });
  assert.deepEqual(more.settings.variants, ["none", "both"]);
  assert.deepEqual(more.done, { none: [], both: before.done.both });
});

Deno.test("mergeEvaluations() joins variants of the same targets", () => {
  const both = evaluation("a", "b", "c");
  const none: SavedEvaluation = {
    ...both,
    settings: { ...both.settings, variants: ["none"] },
    done: {
      none: both.cases.map((id) => ({
        case: id,
        results: [targetOf(id, [0.25])],
      })),
    },
  };
  const merged = mergeEvaluations([both, none]);
  assert.deepEqual(
    Object.entries(runsOf(merged)).map(([name, results]) => [
      name,
      results.map(({ iterations: [{ dice }] }) => dice),
    ]),
    [["none", [0.25, 0.25, 0.25]], ["both", [0.5, 0.5, 0.5]]],
  );
});

Deno.test("an evaluation saved before there were regions was of whole images", async () => {
  const path = `${await temporaryFolder()}/old.json`;
  const { region: _, beginning: __, ...settings } = evaluation().settings;
  await Deno.writeTextFile(
    path,
    JSON.stringify({ ...evaluation("a"), settings }),
  );
  const back = await readEvaluation(path);
  assert.equal(back.settings.region, "whole");
  checkSame("go on", back, evaluation());
});

Deno.test("mergeEvaluations() refuses missing and repeated cases", () => {
  assert.throws(
    () => mergeEvaluations([evaluation("a"), evaluation("c")]),
    /^RangeError: Cannot merge as every case must be in one file: current value is 1 missing \(b\) and 0 repeated of "both"$/,
  );
  assert.throws(
    () => mergeEvaluations([evaluation("a", "b"), evaluation("b", "c")]),
    /current value is 0 missing and 1 repeated of "both"$/,
  );
  assert.throws(() => mergeEvaluations([]), /must be a file: current value/);
});

Deno.test("mergeEvaluations() refuses shards that were asked differently", () => {
  const other = evaluation("b", "c");
  assert.throws(
    () =>
      mergeEvaluations([
        evaluation("a"),
        { ...other, settings: { ...other.settings, seed: 1 } },
      ]),
    /^RangeError: Cannot merge as its "seed" must be 0: current value is 1$/,
  );
  assert.throws(
    () => mergeEvaluations([evaluation("a"), { ...other, cases: ["b", "c"] }]),
    /its "cases" must be \["a","b","c"\]: current value is \["b","c"\]$/,
  );
});

Deno.test("mergeEvaluations() joins one rater's evaluations to all raters'", () => {
  const of = (rater: string, dice: number): SavedEvaluation => {
    const { settings, ...rest } = evaluation();
    return {
      ...rest,
      settings: { ...settings, include: [rater], model: `without ${rater}` },
      done: {
        both: rest.cases.map((id) => ({
          case: id,
          results: [targetOf(id, [dice], { rater })],
        })),
      },
    };
  };
  const one = of("1", 0.6), two = of("2", 0.7);
  const merged = mergeEvaluations([one, two]);
  assert.equal(merged.settings.include, undefined);
  assert.equal(merged.settings.model, "without 1, without 2");
  assert.deepEqual(
    runsOf(merged).both.map((r) => [r.case, r.rater, r.iterations[0].dice]),
    ["a", "b", "c"].flatMap((id) => [[id, "1", 0.6], [id, "2", 0.7]]),
  );
  assert.throws(
    () => mergeEvaluations([one, { ...two, done: { both: [] } }]),
    /current value is 3 missing \(a\) and 0 repeated of "both"$/,
  );
  assert.throws(
    () =>
      mergeEvaluations([one, {
        ...two,
        settings: { ...two.settings, seed: 1 },
      }]),
    /^RangeError: Cannot merge as its "seed" must be 0: current value is 1$/,
  );
  assert.throws( // a rater twice: as shards they are not asked alike
    () => mergeEvaluations([one, one, two]),
    /^RangeError: Cannot merge as its "include" must be \["1"\]: current value is \["2"\]$/,
  );
});

Deno.test("a saved evaluation comes back, and passes for the one it was", async () => {
  const path = `${await temporaryFolder()}/saved.json`;
  const saved = evaluation("a", "c");
  await saveEvaluation(path, saved);
  const back = await readEvaluation(path);
  assert.deepEqual(runsOf(back), runsOf(saved));
  checkSame("go on", back, saved); // "include" is not in the file
  const include = ["1"];
  assert.throws(
    () =>
      checkSame("go on", back, {
        ...saved,
        settings: { ...saved.settings, include },
      }),
    /^RangeError: Cannot go on as its "include" must be not given: current value is \["1"\]$/,
  );
});

Deno.test("an evaluation saved before IoU and HD95 were measured goes on, and has no table of them", async () => {
  const path = `${await temporaryFolder()}/before.json`;
  const headings = (saved: SavedEvaluation) =>
    sectionsOf({ ...saved, tables: { targets: [] } })
      .map(({ heading }) => heading);
  await saveEvaluation(path, evaluation("a"));
  const old = await readEvaluation(path);
  assert.deepEqual(headings(old), ["Dice by iteration"]);
  const now = resumeEvaluation(path, old, evaluation());
  const results = [targetOfOverlap("b", [[0.5, 2]], [0.5, 2])];
  const more = { both: [...now.done.both, { case: "b", results }] };
  await saveEvaluation(path, { ...now, done: more });
  const back = await readEvaluation(path);
  assert.deepEqual(runsOf(back).both[1], results[0]);
  assert.deepEqual(headings(back), [
    "Dice by iteration",
    "IoU and HD95 by iteration",
  ]);
});

Deno.test("readEvaluation() refuses other files", async () => {
  const path = `${await temporaryFolder()}/other.json`;
  const { done: _, ...rest } = evaluation();
  for (const text of ["", "{", "null", "[]", "{}", JSON.stringify(rest)]) {
    await Deno.writeTextFile(path, text);
    await assert.rejects(
      () => readEvaluation(path),
      /^RangeError: Cannot read an evaluation as the file must be one that/,
    );
  }
});

Deno.test("withFigures() puts the means by iteration into a model's metadata", () => {
  const model = new Model(smallConfig, noisyWeights(smallConfig), {
    seed: "7",
  });
  const { metadata, weights } = withFigures(model, evaluation("a", "b", "c"));
  assert.equal(weights, model.weights);
  assert.equal(metadata.seed, "7");
  assert.deepEqual(JSON.parse(metadata.validation), {
    dataset: "discs",
    targets: 3,
    samples: 8,
    variations: 8,
    candidates: 4,
    seed: 0,
    dice: [0.5],
    best: [0.6],
  });
});
