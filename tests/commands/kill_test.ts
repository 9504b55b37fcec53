/** Commands that are killed, ten times each at random moments. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { saveModel } from "../../src/checkpoints/save_model.ts";
import { readEvaluation } from "../../src/evaluation/saved_evaluation.ts";
import { Model } from "../../src/model/model.ts";
import { createRandom } from "../../src/random.ts";
import { withoutTimes } from "../helpers/evaluation_results.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const KILLS = 10;
const folder = await temporaryFolder();
const file = (name: string) => join(folder, name);
const small = file("small.safetensors");
const half = `.${crypto.randomUUID()}.tmp`; // as of one killed while it wrote
for (const name of ["killed.json", "killed.safetensors", "other.json"]) {
  await Deno.writeTextFile(file(`${name}${half}`), "{");
}
await saveModel(new Model(smallConfig, noisyWeights(smallConfig)), small);
const shared = ["--data", "data/phantoms", "--threads", "1"];

const wait = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

function spawn(script: string, args: readonly string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...shared, ...args],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function finish(script: string, args: readonly string[]) {
  const { code, stderr } = await spawn(script, args).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

/**
 * Starts a command again and again and kills it, each time after a random part
 * of its work and a random while, and lets it end at last.
 *
 * @param done How much is done, as the file on disk says; 0 without one.
 * @param most So much is done when it is killed, at the most, but for the while.
 */
async function killTenTimes(
  script: string,
  args: readonly string[],
  done: () => Promise<number>,
  most: number,
) {
  const random = createRandom(42, most);
  const parts = Array.from({ length: KILLS }, () => random.integer(most + 1));
  const kept: number[] = [];
  for (const part of parts.sort((a, b) => a - b)) {
    const before = await done();
    const child = spawn(script, args);
    let ended = false;
    const status = child.status.then((status) => (ended = true, status));
    while (!ended && await done() < part) await wait(5); // readable all the while
    await wait(150 * random.uniform()); // far from the end of its work
    child.kill("SIGKILL");
    await child.stderr.cancel();
    assert.equal((await status).signal, "SIGKILL", "it ended before");
    kept.push(await done());
    assert.ok(kept.at(-1)! >= Math.max(before, part), "work was lost");
  }
  console.log(`killed with ${kept.join(", ")} done`);
  await finish(script, args);
}

/** 0 where there is no file yet. */
const orNone = (error: unknown) => {
  if (error instanceof Deno.errors.NotFound) return 0;
  throw error;
};

Deno.test("a training killed ten times gives the weights of one that was not, to the bit", async () => {
  const script = "src/commands/train/main.ts";
  const args = [
    ...["--init", small, "--phantoms", "0", "--batch", "2", "--steps", "80"],
    ...["--checkpoint-seconds", "0"],
  ];
  const out = file("killed.safetensors");
  await killTenTimes(
    script,
    [...args, "--out", out],
    () =>
      Deno.readFile(`${out}.checkpoint`).then(
        (bytes) => Number(readSafetensors(bytes).metadata.step),
        orNone,
      ),
    45,
  );
  const whole = file("whole.safetensors");
  await finish(script, [...args, "--out", whole]);
  assert.deepEqual(await Deno.readFile(out), await Deno.readFile(whole));
});

Deno.test("an evaluation killed ten times gives the results of one that was not", async () => {
  const script = "src/commands/evaluate/main.ts";
  const args = [
    ...["--model", small, "--iterations", "2", "--samples", "8"],
    "--ablation",
  ];
  const out = file("killed.json");
  await killTenTimes(
    script,
    [...args, "--out", out],
    () =>
      readEvaluation(out).then(
        ({ done }) => Object.values(done).flat().length,
        orNone,
      ),
    18,
  );
  const whole = file("whole.json");
  await finish(script, [...args, "--out", whole]);
  const [one, other] = await Promise.all([out, whole].map(readEvaluation));
  assert.ok(other.done.both.length === 8);
  assert.deepEqual(withoutTimes(one), withoutTimes(other));
});

Deno.test("what was killed and went on leaves no half-written file behind", () => {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assert.deepEqual(names, [
    ...["killed.json", "killed.safetensors", "killed.safetensors.checkpoint"],
    ...[`other.json${half}`, "small.safetensors", "whole.json"],
    "whole.safetensors",
    "whole.safetensors.checkpoint",
  ]);
});
