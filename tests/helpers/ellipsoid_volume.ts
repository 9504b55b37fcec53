/** A bright ellipsoid in a volume, and its mask. */
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import type { Volume } from "../../src/formats/volume.ts";
import { createRandom } from "../../src/random.ts";

/** [12, 56, 56], 3 x 1 x 1 mm; the ellipsoid is in slices 3 to 9 and moves to the right. */
export function ellipsoidVolume() {
  const [D, H, W] = [12, 56, 56];
  const random = createRandom(3);
  const values = new Float32Array(D * H * W);
  const inside = new Uint8Array(D * H * W);
  for (let z = 0, i = 0; z < D; z++) {
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++, i++) {
        const squared = ((x - 27 - 0.7 * (z - 6)) / 11) ** 2 +
          ((y - 28) / 8) ** 2 + ((z - 6) / 3.9) ** 2;
        inside[i] = squared < 1 ? 1 : 0;
        values[i] = 250 + 30 * random.normal() +
          450 / (1 + Math.exp(8 * (Math.sqrt(squared) - 1)));
      }
    }
  }
  const volume: Volume = {
    values: ndarray(values, [D, H, W, 1]),
    spacing: [3, 1, 1],
    color: false,
    inverted: false,
    layout: { axes: [2, 1, 0], flipped: [false, false, false] },
  };
  return { volume, mask: ndarray(inside, [D, H, W]) };
}
