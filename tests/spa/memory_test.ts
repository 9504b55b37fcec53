import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { encode } from "../../src/spa/encode.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import {
  discImage,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";
import { align } from "../helpers/thousand_iterations.ts";

Deno.test("1,000 iterations in one process leave memory flat", async () => {
  // a process of its own: tests that run at the same time share this one's
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--v8-flags=--expose-gc",
      new URL("../helpers/thousand_iterations.ts", import.meta.url).href,
    ],
    cwd: new URL("../..", import.meta.url),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  const { name, measured }: {
    name: string;
    measured: { tensors: number; live: number; native: number }[];
  } = JSON.parse(text(stdout));
  console.log(`${name}, ${measured[0].tensors} tensors`);
  assert.equal(measured.length, 11);
  for (const { tensors } of measured) {
    assert.equal(tensors, measured[0].tensors);
  }
  // one [48, 16, 16] map lost per iteration would be 47 MB
  for (const kind of ["live", "native"] as const) {
    const megabytes = measured.map((values) => values[kind]);
    console.log(
      `${kind} MB every 100: ${
        megabytes.map((value) => value.toFixed(0)).join(" ")
      }`,
    );
    const grown = megabytes[10] - megabytes[0];
    assert.ok(grown < 30, `${kind}: ${grown} MB more in 1,000 iterations`);
  }
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

Deno.test("an embedding whose region was found gives back all it took", async () => {
  await useEngine("cpu");
  using model = new Model(smallConfig, noisyWeights(smallConfig));
  const image = discImage(40, 40, { x: 20, y: 18, radius: 6 });
  const points = [{ x: 20, y: 18 }];
  const use = async () => {
    using embedding = await encode(model, image, { points });
    await startPreference(model, embedding, { points });
  };
  await use(); // uploads the weights
  const tensors = tf.memory().numTensors;
  await use();
  assert.equal(tf.memory().numTensors, tensors);
});
