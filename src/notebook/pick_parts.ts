/** What picks of any kind are made of. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Proposal } from "../spa/cluster.ts";
import type { Choices } from "./picked.ts";

/** A title, of what it is first. */
export function entitled(about: string | undefined, title: string): string {
  return about === undefined ? title : `${about}: ${title}`;
}

/** The image that was given, else the proposal's own. */
export function imageOf(
  proposal: Proposal,
  given?: NdArray<Float32Array>,
): NdArray<Float32Array> {
  const image = given ?? proposal.predictions?.image;
  if (!image) {
    throw new TypeError(
      "Cannot pick as the image must be known by the proposal or given as `image`: " +
        `current value is ${given}`,
    );
  }
  checkSize("image", image, proposal);
  return image;
}

/** Refuses what is not of the proposal's size. */
export function checkSize(
  name: string,
  { shape }: NdArray,
  { recommended }: Proposal,
): void {
  const [height, width] = recommended.mask.shape;
  if (shape[0] === height && shape[1] === width) return;
  throw new RangeError(
    `Cannot pick as the ${name} must be of the proposal's size, ` +
      `[${height},${width}]: current value is [${shape.slice(0, 2)}]`,
  );
}

/** What can be picked of an image and so many candidates. */
export function choicesOf(
  { shape: [height, width] }: NdArray,
  candidates: number,
  offered: readonly ("accept" | "undo" | "none" | "outside")[],
): Choices {
  return { candidates, width, height, offered: new Set(offered) };
}
