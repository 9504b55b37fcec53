/** A process that annotates until it is killed. */
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { annotate } from "../../src/notebook/annotate.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "./small_model.ts";

await useEngine("auto", { threads: 1 });
const disc = { x: 12, y: 9, radius: 6 };
const images = Array.from({ length: 10_000 }, (_, i) => ({
  id: String(i),
  readImage: () => Promise.resolve(discImage(20, 28, disc)),
  readMask: () => Promise.resolve(discMask(20, 28, disc)),
}));
await annotate(
  new Model(smallConfig, noisyWeights(smallConfig)),
  images,
  {
    ...{ out: Deno.args[0], rater: "1", by: "auto", iterations: 2 },
    onImage: ({ id }) => console.log(id),
  },
);
