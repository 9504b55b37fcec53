import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Case, Dataset } from "../../src/datasets/dataset.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { evaluate, type TargetResult } from "../../src/evaluation/evaluate.ts";
import { Model } from "../../src/model/model.ts";
import { createRandom } from "../../src/random.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import type { Profile } from "../../src/spa/profile.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { clickInside } from "../../src/spa/simulated_user.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import {
  type UpdateOptions,
  updatePreference,
} from "../../src/spa/update_preference.ts";
import { discCase, noisyWeights, smallConfig } from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));

/** A case whose raters drew discs of other radii. */
function caseOf(id: string, radii: Record<string, number>): Case {
  return discCase(id, radii, { patient: `patient of ${id}` });
}

const dataset: Dataset = {
  name: "discs",
  cases: [
    caseOf("a", { strict: 4, generous: 8 }),
    caseOf("b", { only: 6 }),
  ],
};

/** Results without their times. */
const figures = (results: readonly TargetResult[]) =>
  results.map(({ iterations, looks, ...rest }) => ({
    ...rest,
    looks: looks?.count,
    iterations: iterations.map(({ dice, best, spread }) => [
      dice,
      best,
      spread,
    ]),
  }));

Deno.test("evaluate() takes every rater of every case as the user", async () => {
  const told: [number, number][] = [];
  const results = await evaluate(model, dataset, {
    iterations: 3,
    onTarget: (done, total, result) => {
      told.push([done, total]);
      assert.equal(result.iterations.length, 3);
    },
  });
  assert.deepEqual(
    results.map((result) => [result.case, result.patient, result.rater]),
    [
      ["a", "patient of a", "strict"],
      ["a", "patient of a", "generous"],
      ["b", "patient of b", "only"],
    ],
  );
  assert.deepEqual(told, [[1, 3], [2, 3], [3, 3]]);
  for (const { iterations } of results) {
    assert.equal(iterations.length, 3);
    for (const { dice, best, spread, milliseconds } of iterations) {
      assert.ok(dice >= 0 && dice <= 1 && best >= 0 && best <= 1);
      assert.ok(spread > 0 && spread < 0.5);
      assert.ok(milliseconds > 0);
    }
  }
});

Deno.test("evaluate() gives the same figures for the same seed", async () => {
  const options = { iterations: 2, samples: 16, seed: 4 };
  const one = figures(await evaluate(model, dataset, options));
  assert.deepEqual(figures(await evaluate(model, dataset, options)), one);
  const other = await evaluate(model, dataset, { ...options, seed: 5 });
  assert.notDeepEqual(figures(other), one);
});

Deno.test("evaluate() gives a case the same figures whatever stands beside it", async () => {
  const options = { iterations: 2, samples: 16 };
  const [first] = figures(
    await evaluate(model, { ...dataset, cases: [dataset.cases[0]] }, options),
  );
  assert.deepEqual(
    figures(await evaluate(model, dataset, options))[0],
    first,
  );
});

Deno.test("evaluate() leaves raters with empty masks out", async () => {
  const results = await evaluate(model, {
    name: "discs",
    cases: [caseOf("a", { nothing: -1, generous: 8 })],
  }, { iterations: 1, samples: 8 });
  assert.deepEqual(results.map(({ rater }) => rater), ["generous"]);
});

Deno.test("evaluate() asks the user it is given, and updates as it is told", async () => {
  let asked = 0;
  const options = { iterations: 3, samples: 16 };
  const results = await evaluate(model, dataset, {
    ...options,
    user: (target) => {
      assert.deepEqual(target.shape, [20, 24]);
      return ({ candidates }) => {
        asked++;
        return candidates.length - 1;
      };
    },
    update: { moments: false, weights: false },
  });
  assert.equal(asked, 9);
  assert.notDeepEqual(
    figures(results),
    figures(await evaluate(model, dataset, options)),
  );
});

Deno.test("evaluate() forgets choices where the mixture alone carries them and does not move", async () => {
  const align = async (choice: number, update: UpdateOptions) =>
    figures(
      await evaluate(model, dataset, {
        iterations: 3,
        samples: 16,
        mixtureOnly: true,
        user: () => () => choice,
        update,
      }),
    );
  const still = { moments: false, weights: false };
  assert.deepEqual(await align(0, still), await align(1, still));
  const rule = "m-step";
  for (const part of [{ weights: false }, { moments: false }]) {
    assert.notDeepEqual(
      await align(0, { rule, ...part }),
      await align(1, { rule, ...part }),
    );
  }
});

Deno.test("evaluate() refuses masks of another size than the image", async () => {
  const item = caseOf("a", { strict: 4 });
  const mask = ndarray(new Uint8Array(100).fill(1), [10, 10]);
  await assert.rejects(
    () =>
      evaluate(model, {
        name: "discs",
        cases: [{ ...item, readMask: () => Promise.resolve(mask) }],
      }),
    /^RangeError: Cannot compute Dice as both arrays must have the same shape: current value is \[20,24\] and \[10,10\]$/,
  );
});

Deno.test("evaluate() is the method's five functions in a row, Dice by hand", async () => {
  const diceOf = (a: NdArray<Uint8Array>, b: NdArray<Uint8Array>) => {
    let [both, sum] = [0, 0];
    a.data.forEach((value, i) => {
      both += value * b.data[i];
      sum += value + b.data[i];
    });
    return 2 * both / sum;
  };
  const item = dataset.cases[1];
  const target = await item.readMask("only");
  const random = createRandom(9, 1, 0); // seed, case, rater
  const points = [clickInside(target, random)];
  using embedding = await encode(model, await item.readImage(), { points });
  let preference = await startPreference(model, embedding, { points });
  const expected: number[][] = [];
  for (let i = 0; i < 3; i++) {
    const latents = sampleGMM(preference.distribution, {
      samples: 20,
      seed: random.integer(2 ** 31),
    });
    const predictions = await decode(model, embedding, preference, { latents });
    const proposal = cluster(predictions, {
      candidates: 3,
      seed: random.integer(2 ** 31),
    });
    const dices = proposal.candidates.map(({ mask }) => diceOf(mask, target));
    const best = Math.max(...dices);
    expected.push([
      diceOf(proposal.recommended.mask, target),
      best,
      proposal.spread,
    ]);
    preference = await updatePreference(model, embedding, preference, {
      proposal,
      choice: dices.indexOf(best),
    });
  }
  const results = await evaluate(model, dataset, {
    iterations: 3,
    samples: 20,
    candidates: 3,
    seed: 9,
  });
  assert.deepEqual(figures(results)[2].iterations, expected);
  assert.deepEqual(results[2].region, embedding.region);
  assert.equal(results[2].looks?.count, embedding.looks.count);
});

Deno.test("evaluate() takes a majority of raters as the one target of a case", async () => {
  const results = await evaluate(model, {
    name: "discs",
    cases: [
      caseOf("a", { strict: 4, middle: 6, generous: 8 }),
      caseOf("b", { middle: 6 }),
      caseOf("c", { strict: -1, generous: 8 }), // strict found nothing
    ],
  }, { iterations: 1, samples: 8, include: ["strict", "middle"] });
  assert.deepEqual(results.map((result) => [result.case, result.rater]), [
    ["a", "majority of strict, middle"], // at least half: the larger disc
    ["b", "majority of strict, middle"],
  ]);
  for (const { iterations: [{ dice, raters }] } of results) {
    assert.equal(raters?.middle, dice);
  }
  assert.deepEqual(Object.keys(results[0].iterations[0].raters!), [
    "strict",
    "middle",
    "generous",
  ]);
});

Deno.test("evaluate() of some cases gives what it gives of them among all", async () => {
  const options = { iterations: 2, samples: 16 };
  const all = figures(await evaluate(model, dataset, options));
  const done: [string, number][] = [];
  const some = await evaluate(model, dataset, {
    ...options,
    only: (id, index) => id === "b" && index === 1,
    onCase: (id, results) => {
      done.push([id, results.length]);
    },
    onTarget: (count, total) => assert.deepEqual([count, total], [1, 1]),
  });
  assert.deepEqual(figures(some), all.slice(2));
  assert.deepEqual(done, [["b", 1]]);
});

Deno.test("evaluate() starts a user's next image with the profile of the last", async () => {
  const raters = { strict: 4, generous: 8 };
  const data = {
    name: "discs",
    cases: [caseOf("a", raters), caseOf("b", raters)],
  };
  const options = { iterations: 2, samples: 16 };
  const profiles = new Map<string, Profile>();
  const carried = await evaluate(model, data, { ...options, profiles });
  assert.deepEqual(carried.map((result) => result.carried), [
    undefined,
    undefined,
    true,
    true,
  ]);
  assert.deepEqual([...profiles.keys()], ["strict", "generous"]);
  const fresh = figures(await evaluate(model, data, options));
  assert.deepEqual(figures(carried).slice(0, 2), fresh.slice(0, 2));
  const leaning = await evaluate(model, data, {
    ...options,
    profiles: new Map([["strict", {
      evidence: Float64Array.of(0, -50, -50, -50, -50),
    }]]),
    only: (id) => id === "b",
  });
  assert.notDeepEqual(figures(leaning)[0].iterations, fresh[2].iterations);
  assert.deepEqual(figures(leaning)[1].iterations, fresh[3].iterations);
  // the profiles are those of the second image: a third goes on with them
  const before = profiles.get("strict");
  const next = await evaluate(model, data, {
    ...options,
    profiles,
    only: (id) => id === "b",
  });
  assert.deepEqual(next.map((result) => result.carried), [true, true]);
  assert.notDeepEqual(profiles.get("strict"), before);
});

Deno.test("evaluate() measures the first proposal's samples when asked", async () => {
  const options = { iterations: 2, samples: 8 };
  const [plain] = await evaluate(model, dataset, options);
  assert.equal(plain.sampleSet, undefined);
  const [{ sampleSet, iterations }] = await evaluate(model, dataset, {
    ...options,
    sampleSet: true,
  });
  assert.equal(sampleSet?.spread, iterations[0].spread);
  assert.ok(sampleSet.energyDistance > 0 && sampleSet.energyDistance < 2);
});
