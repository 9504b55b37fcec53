/**
 * A process that annotates three images by a rule, is interrupted at its fifth
 * pick, and says how that ended; its argument is the folder.
 */
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
const images = ["a", "b", "c"].map((id) => ({
  id,
  readImage: () => Promise.resolve(discImage(20, 28, disc)),
  readMask: () => Promise.resolve(discMask(20, 28, disc)),
}));
const model = new Model(smallConfig, noisyWeights(smallConfig));
let asked = 0;
const annotating = annotate(model, images, {
  ...{ out: Deno.args[0], rater: "1", by: "auto", iterations: 4 },
  async auto() {
    if (++asked === 5) {
      Deno.kill(Deno.pid, "SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 1000)); // signals take time
    }
    return 0;
  },
});
const { name, message } = await annotating.catch((error) => error);
const { length } = [...Deno.readDirSync(`${Deno.args[0]}/records`)];
console.log(JSON.stringify({ name, message, asked, finished: length }));
