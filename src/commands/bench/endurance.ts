/** Child process of the benchmark: many iterations, and what they leave behind. */

import * as tf from "../../engine/tf.ts";
import { runCommand } from "../command_line.ts";
import { textTable } from "../../table.ts";
import { encodeAndWait, iterate, SESSION, start } from "./alignment.ts";
import { openSetting } from "./setting.ts";

/** Rows of the table. */
const PARTS = 10;

await runCommand(async () => {
  const { line, model, image } = await openSetting(Deno.args);
  const total = line.integer("iterations", 1000, { min: PARTS, max: 1e6 });
  const rows: number[][] = [];
  const begin = performance.now();
  for (let done = 0; done < total;) {
    using embedding = await encodeAndWait(model, image);
    let preference = await start(model, embedding);
    for (let i = 0; i < SESSION && done < total; i++) {
      ({ preference } = await iterate(model, embedding, preference, done));
      done++;
      if (done % Math.floor(total / PARTS) === 0) {
        rows.push([
          done,
          tf.memory().numTensors,
          Deno.memoryUsage().rss / 1e6,
          (performance.now() - begin) / 1000,
        ]);
      }
    }
  }
  console.log(textTable({
    columns: [
      { heading: "iterations" },
      { heading: "numTensors" },
      { heading: "resident MB", digits: 0 },
      { heading: "seconds", digits: 1 },
    ],
    rows,
  }));
});
