import assert from "node:assert/strict";
import {
  readSafetensors,
  writeSafetensors,
} from "../../src/checkpoints/safetensors.ts";
import {
  type HostState,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/training/resume.ts";
import { createRandom } from "../../src/random.ts";
import { drawGroup } from "../../src/training/groups.ts";
import { advanceTrainee } from "../../src/training/simulation.ts";
import { maskSide } from "../../src/model/config.ts";
import { normals, smallConfig } from "../helpers/small_model.ts";
import { discs, recipe } from "../helpers/small_training.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const folder = await temporaryFolder();

const vector = (seed: number) => ({ data: normals([7], seed), shape: [7] });
const state: HostState = {
  parameters: vector(1),
  firstMoment: vector(2),
  secondMoment: vector(3),
  average: vector(4),
};

/** Users of whom the first has chosen twice and the second once. */
const groups = await Promise.all([0, 1].map(async (g) => {
  const random = createRandom(5, g);
  const group = drawGroup(discs, smallConfig, recipe, random, 3 - g);
  const M = smallConfig.components;
  const size = maskSide(smallConfig) ** 2;
  for (const [u, choices] of [2, 1].entries()) {
    for (let i = 0; i < choices; i++) {
      await advanceTrainee(
        group.users[u],
        Float32Array.from({ length: M * size }, () => random.uniform()),
        new Float64Array(M).fill(1 / M),
        smallConfig,
        random,
      );
    }
  }
  return group;
}));

Deno.test("a checkpoint comes back exactly, and nothing else is left behind", async () => {
  const path = `${folder}/new/run.checkpoint`;
  await writeCheckpoint(path, { step: 120, state, examples: groups }, "recipe");
  await writeCheckpoint(path, { step: 123, state, examples: groups }, "recipe");
  assert.deepEqual(await readCheckpoint(path, "recipe"), {
    step: 123,
    state,
    examples: groups,
  });
  const names = [...Deno.readDirSync(`${folder}/new`)].map(({ name }) => name);
  assert.deepEqual(names, ["run.checkpoint"]);
});

Deno.test("no checkpoint is no error", async () => {
  assert.equal(await readCheckpoint(`${folder}/none`, "recipe"), undefined);
});

Deno.test("a checkpoint of another recipe is refused, with both", async () => {
  const path = `${folder}/other`;
  await writeCheckpoint(path, { step: 1, state, examples: groups }, "rate 1");
  await assert.rejects(
    () => readCheckpoint(path, "rate 2"),
    new RangeError(
      `Cannot resume from ${path} as its recipe must be this run's: current value is rate 1, this run's rate 2`,
    ),
  );
});

Deno.test("a checkpoint of a version with fewer options goes on where the new ones have their defaults", async () => {
  const path = `${folder}/older`;
  const older = { recipe: { rate: 1, loss: { dice: 1 } }, cases: "abc" };
  const defaults = {
    recipe: { rate: 3, share: 0.5, loss: { dice: 2, mean: 0 } },
  };
  const checkpoint = { step: 4, state, examples: groups };
  await writeCheckpoint(path, checkpoint, JSON.stringify(older));
  const read = (now: object) =>
    readCheckpoint(path, JSON.stringify(now), defaults);
  const newer = (share: number, mean: number) => ({
    cases: "abc",
    recipe: { loss: { mean, dice: 1 }, share, rate: 1 },
  });
  assert.equal((await read(newer(0.5, 0)))?.step, 4);
  await assert.rejects(read(newer(0.6, 0)), /its recipe must be this run's/);
  await assert.rejects(read(newer(0.5, 1)), /its recipe must be this run's/);
  await assert.rejects(read({ ...older, seed: 1 }), /must be this run's/);
});

Deno.test("a truncated checkpoint is refused", async () => {
  const path = `${folder}/truncated`;
  await writeCheckpoint(path, { step: 1, state, examples: groups }, "recipe");
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(path, bytes.subarray(0, bytes.length - 3));
  await assert.rejects(
    () => readCheckpoint(path, "recipe"),
    /^RangeError: Cannot read safetensors as .* \(it is truncated\)/,
  );
});

Deno.test("a checkpoint without a user's map is refused", async () => {
  const path = `${folder}/without`;
  await writeCheckpoint(path, { step: 1, state, examples: groups }, "recipe");
  const { tensors, metadata } = readSafetensors(await Deno.readFile(path));
  tensors.delete("values.7");
  await Deno.writeFile(path, writeSafetensors(tensors, metadata));
  await assert.rejects(
    () => readCheckpoint(path, "recipe"),
    /^RangeError: Cannot restore the users of a checkpoint as it must have the tensor "values\.7": current names are /,
  );
});

Deno.test("a checkpoint without one of its vectors, or without a step, is refused", async () => {
  const path = `${folder}/partial`;
  const { average: _, ...rest } = state;
  await Deno.writeFile(
    path,
    writeSafetensors(Object.entries(rest), { step: "1", recipe: "recipe" }),
  );
  await assert.rejects(
    () => readCheckpoint(path, "recipe"),
    /^RangeError: Cannot resume from .* as it must have the vector "average": current names are /,
  );
  for (const step of ["", "many", "-1", "1.5"]) {
    await Deno.writeFile(
      path,
      writeSafetensors(Object.entries(state), { step, recipe: "recipe" }),
    );
    await assert.rejects(
      () => readCheckpoint(path, "recipe"),
      new RangeError(
        `Cannot resume from ${path} as its step must be a whole number: current value is ${step}`,
      ),
    );
  }
});
