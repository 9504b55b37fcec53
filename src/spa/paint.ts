// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { displayable } from "../displayable.ts";
import {
  type Candidate,
  difference,
  lazily,
  type Proposal,
} from "./cluster.ts";
import type { Stroke } from "./feedback.ts";
import { InputError } from "../input_error.ts";

/** The most places of a stroke. A longer one must be several strokes. */
const LONGEST = 10_000;

/**
 * Refuses a value that is no stroke on an image.
 *
 * @param stroke The stroke.
 * @param height Rows of the image.
 * @param width Columns of the image.
 * @throws {RangeError} When the label or the radius is not valid, or a place lies
 * beside the image.
 */
export function checkStroke(
  { label, radius, path }: Stroke,
  height: number,
  width: number,
): void {
  const refuse = (rule: string, found: unknown) => {
    throw new InputError(`Cannot paint as ${rule}: current value is ${found}`);
  };
  if (label !== 0 && label !== 1) {
    refuse("the label must be 1, inside, or 0, outside", label);
  }
  const most = Math.max(height, width);
  if (!(radius > 0 && radius <= most)) {
    refuse(`the radius must be a number of pixels, > 0 and <= ${most}`, radius);
  }
  if (!(path?.length > 0 && path.length <= LONGEST)) {
    refuse(
      `the path must have 1 to ${LONGEST} places`,
      `${path?.length} places`,
    );
  }
  for (const { x, y } of path) {
    const within = x >= -0.5 && y >= -0.5 && x <= width - 0.5 &&
      y <= height - 0.5;
    if (!within) {
      refuse(
        `the path must lie in the image, x in 0..${width - 1} and y in 0..${
          height - 1
        }`,
        `(${x}, ${y})`,
      );
    }
  }
}

/**
 * Paints strokes on a mask, the last one on top.
 *
 * @param mask [H, W], 0 or 1.
 * @param strokes Oldest first.
 * @returns A new mask, [H, W], 0 or 1.
 * @throws {RangeError} When a stroke is not valid, or lies beside the mask.
 *
 * @example A dot of one pixel
 * ```ts
 * import ndarray from "ndarray";
 * import { paintMask } from "./paint.ts";
 *
 * const mask = ndarray(new Uint8Array(9), [3, 3]);
 * const dot = { label: 1, radius: 0.5, path: [{ x: 1, y: 2 }] } as const;
 * paintMask(mask, [dot]).get(2, 1); // 1
 * ```
 */
export function paintMask(
  mask: NdArray<Uint8Array>,
  strokes: readonly Stroke[],
): NdArray<Uint8Array> {
  const [height, width] = mask.shape;
  const data = contiguous(mask).data.slice();
  for (const stroke of strokes) {
    checkStroke(stroke, height, width);
    const { label, radius, path } = stroke;
    for (let i = 0; i < path.length; i++) {
      const from = path[Math.max(i - 1, 0)], to = path[i];
      const first = Math.max(0, Math.ceil(Math.min(from.y, to.y) - radius));
      const last = Math.min(
        height - 1,
        Math.floor(Math.max(from.y, to.y) + radius),
      );
      const left = Math.max(0, Math.ceil(Math.min(from.x, to.x) - radius));
      const right = Math.min(
        width - 1,
        Math.floor(Math.max(from.x, to.x) + radius),
      );
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const length = dx * dx + dy * dy;
      for (let y = first; y <= last; y++) {
        for (let x = left; x <= right; x++) {
          const along = length === 0
            ? 0
            : ((x - from.x) * dx + (y - from.y) * dy) / length;
          const t = Math.min(Math.max(along, 0), 1);
          const u = x - from.x - t * dx, v = y - from.y - t * dy;
          if (u * u + v * v <= radius * radius) data[y * width + x] = label;
        }
      }
    }
  }
  return ndarray(data, [height, width]);
}

/**
 * A proposal as it is shown where the user has painted: the strokes are on every
 * mask. Probabilities and samples are the network's, as before.
 *
 * @param proposal What the network proposes.
 * @param strokes Oldest first; without any it is the proposal itself.
 */
export function paintProposal(
  proposal: Proposal,
  strokes: readonly Stroke[],
): Proposal {
  if (strokes.length === 0) return proposal;
  const painted = (shown: { readonly mask: NdArray<Uint8Array> }) => () =>
    paintMask(shown.mask, strokes);
  const { spread, region, predictions } = proposal;
  const { probability } = proposal.recommended;
  const recommended = lazily({ probability }, {
    mask: painted(proposal.recommended),
  });
  const candidates = proposal.candidates.map((shown): Candidate => {
    const { probability, share, members, image } = shown;
    const candidate = lazily({ probability, share, members, image }, {
      mask: painted(shown),
      added: (): NdArray<Uint8Array> =>
        difference(candidate.mask, recommended.mask),
      removed: (): NdArray<Uint8Array> =>
        difference(recommended.mask, candidate.mask),
    });
    return displayable("candidate", candidate);
  });
  return displayable(
    "proposal",
    lazily({ recommended, candidates, spread, region, predictions }, {
      entropy: () => proposal.entropy,
    }),
  );
}
