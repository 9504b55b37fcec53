/** What of a volume decides how it is aligned, and what tells it from others. */

import { contiguous } from "../arrays/contiguous.ts";
import { digest } from "../digest.ts";
import type { Volume } from "../formats/volume.ts";

/**
 * The dimension of a volume whose slices were acquired: along which they lie
 * farthest apart, where that tells (by a fifth); else the one that the file
 * stores slowest.
 */
export function acquisitionAxis(
  { spacing, layout, values }: Volume,
): 0 | 1 | 2 {
  const sides = values.shape.slice(0, 3);
  const single = sides.indexOf(1);
  if (single >= 0) return single as 0 | 1 | 2;
  if (spacing) {
    const largest = spacing.indexOf(Math.max(...spacing));
    const others = spacing.filter((_, i) => i !== largest);
    if (spacing[largest] > 1.2 * Math.max(...others)) {
      return largest as 0 | 1 | 2;
    }
  }
  return layout.axes.indexOf(2) as 0 | 1 | 2;
}

/** About this many values tell volumes apart. */
const DIGESTED = 2 ** 16;

/** Tells volumes apart: a digest of the shape and of evenly spread voxels. */
export function digestVolume({ values }: Volume): string {
  const dense = contiguous(values);
  const stride = Math.ceil(dense.data.length / DIGESTED);
  const some = new Float32Array(Math.ceil(dense.data.length / stride));
  for (let i = 0; i < some.length; i++) some[i] = dense.data[i * stride];
  return digest([`${values.shape}`, some]);
}
