import assert from "node:assert/strict";
import type { Case, Dataset } from "../../src/datasets/dataset.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { runEvaluation } from "../../src/commands/evaluate/run.ts";
import {
  mergeEvaluations,
  type SavedEvaluation,
  type Settings,
} from "../../src/evaluation/saved_evaluation.ts";
import { Model } from "../../src/model/model.ts";
import { withoutTimes } from "../helpers/evaluation_results.ts";
import { discCase, noisyWeights, smallConfig } from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));

function caseOf(id: string, radius: number): Case {
  return discCase(id, { strict: radius, wide: radius + 3 }, { radius });
}

const dataset: Dataset = {
  name: "discs",
  cases: [caseOf("a", 4), caseOf("b", 6), caseOf("c", 3)],
};

function asked(settings: Partial<Settings>): SavedEvaluation {
  const variants = settings.variants ?? ["both"];
  return {
    format: "spa-evaluation",
    version: 1,
    dataset: dataset.name,
    cases: dataset.cases.map(({ id }) => id),
    settings: {
      iterations: 2,
      samples: 8,
      variations: 8,
      candidates: 3,
      seed: 2,
      user: "noisy",
      beginning: "click",
      region: "auto",
      rule: "generator",
      sampleSet: false,
      model: "",
      ...settings,
      variants,
    },
    tables: { targets: [] },
    engine: "",
    done: Object.fromEntries(variants.map((name) => [name, []])),
  };
}

for (
  const [what, settings] of Object.entries<Partial<Settings>>({
    "two variants": { variants: ["none", "both"] },
    "carried profiles": { variants: ["both", "carried"] },
  })
) {
  Deno.test(`an evaluation of ${what} that is cut after any case goes on to the same end`, async () => {
    const files: string[] = [];
    const whole = await runEvaluation(model, dataset, asked(settings), {
      save: (saved) => {
        files.push(JSON.stringify(saved));
        return Promise.resolve();
      },
    });
    assert.equal(files.length, 6); // two variants of three cases
    assert.deepEqual(JSON.parse(files[5]), JSON.parse(JSON.stringify(whole)));
    for (const file of files) {
      const begun: SavedEvaluation = JSON.parse(file);
      const ended = await runEvaluation(model, dataset, begun);
      assert.deepEqual(withoutTimes(ended), withoutTimes(whole));
    }
  });
}

Deno.test("the shards of an evaluation merge into the whole", async () => {
  const settings = { variants: ["moments", "weights"] } as const;
  const whole = await runEvaluation(model, dataset, asked(settings));
  const shards: SavedEvaluation[] = [];
  for (const part of [1, 2]) {
    const shard = { part, parts: 2 };
    shards.push(
      await runEvaluation(model, dataset, asked(settings), { shard }),
    );
  }
  assert.deepEqual(shards.map(({ done }) => done.weights.length), [2, 1]);
  assert.deepEqual(
    withoutTimes(mergeEvaluations(shards.reverse())),
    withoutTimes(whole),
  );
});
