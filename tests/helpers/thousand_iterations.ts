/** Run by memory_test.ts, in a process of its own, with `--expose-gc`. */
import * as tf from "../../src/engine/tf.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { startPreference } from "../../src/spa/start_preference.ts";
import { updatePreference } from "../../src/spa/update_preference.ts";
import { discImage, noisyWeights, smallConfig } from "./small_model.ts";

const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });

/** Aligns again and again, six iterations to an image. */
export async function align(model: Model, iterations: number, seed: number) {
  for (let done = 0; done < iterations;) {
    using embedding = await encode(model, image);
    let preference = await startPreference(model, embedding, {
      points: [{ x: 12, y: 9 }],
    });
    for (let i = 0; i < 6 && done < iterations; i++, done++) {
      const latents = sampleGMM(preference.distribution, {
        samples: 48,
        seed: seed + done,
      });
      const predictions = await decode(model, embedding, preference, {
        latents,
      });
      const proposal = cluster(predictions);
      const choice = done % proposal.candidates.length;
      preference = await updatePreference(model, embedding, preference, {
        proposal,
        choice,
      });
    }
  }
}

if (import.meta.main) {
  const { name } = await useEngine("auto", { threads: 1 });
  using model = new Model(smallConfig, noisyWeights(smallConfig));
  await align(model, 300, 0); // compiles, and lets the heap find its size
  const { gc } = globalThis as unknown as { gc(): void };
  const measure = () => {
    gc();
    const { rss, heapTotal, heapUsed, external } = Deno.memoryUsage();
    return {
      tensors: tf.memory().numTensors,
      live: (heapUsed + external) / 2 ** 20,
      // the heap's own size goes in steps that V8 chooses
      native: (rss - heapTotal) / 2 ** 20,
    };
  };
  const measured = [measure()];
  for (let part = 1; part <= 10; part++) {
    await align(model, 100, 1000 * part);
    measured.push(measure());
  }
  console.log(JSON.stringify({ name, measured }));
}
