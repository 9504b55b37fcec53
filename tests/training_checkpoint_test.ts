import assert from "node:assert/strict";
import { writeSafetensors } from "../src/checkpoints/safetensors.ts";
import {
  type HostState,
  readCheckpoint,
  writeCheckpoint,
} from "../src/training/checkpoint.ts";
import { normals } from "./_small_model.ts";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(folder, { recursive: true });
});

const vector = (seed: number) => ({ data: normals([7], seed), shape: [7] });
const state: HostState = {
  parameters: vector(1),
  firstMoment: vector(2),
  secondMoment: vector(3),
  average: vector(4),
};

Deno.test("a checkpoint comes back exactly, and nothing else is left behind", async () => {
  const path = `${folder}/new/run.checkpoint`;
  await writeCheckpoint(path, { step: 120, state }, "recipe");
  await writeCheckpoint(path, { step: 123, state }, "recipe");
  assert.deepEqual(await readCheckpoint(path, "recipe"), { step: 123, state });
  const names = [...Deno.readDirSync(`${folder}/new`)].map(({ name }) => name);
  assert.deepEqual(names, ["run.checkpoint"]);
});

Deno.test("no checkpoint is no error", async () => {
  assert.equal(await readCheckpoint(`${folder}/none`, "recipe"), undefined);
});

Deno.test("a checkpoint of another recipe is refused, with both", async () => {
  const path = `${folder}/other`;
  await writeCheckpoint(path, { step: 1, state }, "rate 1");
  await assert.rejects(
    () => readCheckpoint(path, "rate 2"),
    new RangeError(
      `Cannot resume from ${path} as its recipe must be this run's: current value is rate 1, this run's rate 2`,
    ),
  );
});

Deno.test("a truncated checkpoint is refused", async () => {
  const path = `${folder}/truncated`;
  await writeCheckpoint(path, { step: 1, state }, "recipe");
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(path, bytes.subarray(0, bytes.length - 3));
  await assert.rejects(
    () => readCheckpoint(path, "recipe"),
    /^RangeError: Cannot read safetensors as .* \(it is truncated\)/,
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
