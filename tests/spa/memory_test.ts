import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";
import { align } from "../helpers/thousand_iterations.ts";

Deno.test("1,000 iterations in one process leave memory flat", async () => {
  // a process of its own: tests that run at the same time share this one's
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL("../helpers/thousand_iterations.ts", import.meta.url).href,
    ],
    cwd: new URL("../..", import.meta.url),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  const { name, measured }: {
    name: string;
    measured: { tensors: number; megabytes: number }[];
  } = JSON.parse(text(stdout));
  const resident = measured.map(({ megabytes }) => megabytes);
  console.log(
    `${name}, ${measured[0].tensors} tensors, resident MB every 100: ${
      resident.map((value) => value.toFixed(0)).join(" ")
    }`,
  );
  assert.equal(measured.length, 11);
  for (const { tensors } of measured) {
    assert.equal(tensors, measured[0].tensors);
  }
  // one [48, 16, 16] map lost per iteration would be 47 MB; the heap itself
  // takes one step of about 25 MB after some 1,100 iterations, and no other
  const grown = resident[10] - resident[0];
  assert.ok(grown < 40, `grown by ${grown} MB in 1,000 iterations`);
});

Deno.test("an eager engine keeps no tensor of an iteration", async () => {
  await useEngine("cpu");
  const empty = tf.memory().numTensors;
  {
    using model = new Model(smallConfig, noisyWeights(smallConfig));
    await align(model, 1, 0);
    const tensors = tf.memory().numTensors;
    await align(model, 3, 0);
    assert.equal(tf.memory().numTensors, tensors);
  }
  await Promise.resolve(); // the weights are given back in a moment
  assert.equal(tf.memory().numTensors, empty);
});
