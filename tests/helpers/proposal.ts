/** A proposal made by hand, of an image of 12 x 16 with a square object. */
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Candidate, Proposal } from "../../src/spa/cluster.ts";

const [HEIGHT, WIDTH] = [12, 16];

/** [12, 16, 1], gray. */
export const grayImage: NdArray<Float32Array> = ndarray(
  new Float32Array(HEIGHT * WIDTH).fill(0.4),
  [HEIGHT, WIDTH, 1],
);

function square(from: number, to: number): NdArray<Uint8Array> {
  const mask = ndarray(new Uint8Array(HEIGHT * WIDTH), [HEIGHT, WIDTH]);
  for (let y = from; y < to; y++) {
    for (let x = from; x < to; x++) mask.set(y, x, 1);
  }
  return mask;
}

const minus = (a: NdArray<Uint8Array>, b: NdArray<Uint8Array>) =>
  ndarray(a.data.map((v, i) => v & (1 - b.data[i])), [HEIGHT, WIDTH]);

/** A recommendation of 4 x 4 pixels and four candidates of other sizes. */
export function handProposal(): Proposal {
  const recommended = square(4, 8);
  const probability = ndarray(Float32Array.from(recommended.data), [
    HEIGHT,
    WIDTH,
  ]);
  const candidates = [[4, 9], [3, 8], [4, 7], [5, 8]].map(
    ([from, to]): Candidate => {
      const mask = square(from, to);
      return {
        probability,
        mask,
        share: 0.25,
        members: [],
        added: minus(mask, recommended),
        removed: minus(recommended, mask),
      };
    },
  );
  return {
    recommended: { probability, mask: recommended },
    candidates,
    entropy: probability,
    spread: 0.1,
    predictions: { latents: { seed: 0 } } as never, // nothing that is shown
  };
}
