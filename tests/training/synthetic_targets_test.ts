import assert from "node:assert/strict";
import { createRandom } from "../../src/random.ts";
import {
  drawAnswers,
  segmentRegion,
} from "../../src/training/synthetic_targets.ts";

const side = 32;

/** Bright discs of several sizes on a dark ground, [side, side, 3]. */
const pixels = new Float32Array(side * side * 3);
for (const [x, y, radius] of [[7, 8, 5], [24, 9, 4], [9, 23, 4], [23, 23, 6]]) {
  for (let i = 0; i < side * side; i++) {
    const away = Math.hypot(i % side - x, Math.floor(i / side) - y);
    if (away <= radius) pixels.fill(0.5 + away / 20, 3 * i, 3 * i + 3);
  }
}

/** The places that answers are to, for some seeds. */
function seeds(taken?: Float32Array): number[] {
  return Array.from({ length: 30 }, (_, k) => {
    const random = createRandom(k);
    const region = segmentRegion(pixels, side, side, random);
    const answers = drawAnswers(region, random, taken);
    return answers ? [answers.seed] : [];
  }).flat();
}

Deno.test("synthetic answers are to places that raters have not taken", () => {
  const isLeft = (seed: number) => seed % side < side / 2;
  const left = Float32Array.from(
    { length: side * side },
    (_, i) => isLeft(i) ? 1 : 0,
  );
  const anywhere = seeds();
  assert.ok(anywhere.some(isLeft) && !anywhere.every(isLeft));
  const right = seeds(left);
  assert.ok(right.length > 5, `${right.length} places`);
  assert.ok(!right.some(isLeft));
  assert.deepEqual(seeds(left.map(() => 1)), []);
});
