/**
 * What the generator has computed of an image and its feedback, for the decoder,
 * which needs the same: of each embedding that of its last feedback, once.
 */

import type { DeviceTensor } from "../engine/tensors.ts";
import type { Feedback, FeedbackInputs } from "./feedback.ts";

/** What all samples share, in the engine: members of `SharedInputs`. */
export type SharedTensors = Readonly<
  Record<"image" | "base" | "positions" | "sparse" | "filled", DeviceTensor>
>;

/** An image's feedback, prepared for the decoder. */
export interface Prepared {
  /** The feedback as the network's inputs. */
  readonly inputs: FeedbackInputs;
  /** What all samples share. The one who takes it disposes it. */
  readonly shared: SharedTensors;
}

/** What it was prepared for: the feedback, and the weights in an engine. */
interface Origin {
  readonly feedback: Feedback;
  readonly weights: object;
}

const prepared = new WeakMap<object, Prepared & Origin>();
const closed = new WeakSet<object>();

/** Keeps what was prepared for an embedding, and discards what was kept before. */
export function keepPrepared(
  embedding: object,
  made: Prepared & Origin,
): void {
  discard(embedding);
  prepared.set(embedding, made);
  if (closed.has(embedding)) discard(embedding);
}

/** Takes what was prepared for an embedding, if it is of this feedback and engine. */
export function takePrepared(
  embedding: object,
  { feedback, weights }: Origin,
): Prepared | undefined {
  const found = prepared.get(embedding);
  if (found?.feedback !== feedback || found.weights !== weights) {
    return undefined;
  }
  prepared.delete(embedding);
  return found;
}

/** Disposes what is kept for an embedding, now and from now on. */
export function closePrepared(embedding: object): void {
  closed.add(embedding);
  discard(embedding);
}

function discard(embedding: object): void {
  const { shared } = prepared.get(embedding) ?? {};
  for (const tensor of Object.values(shared ?? {})) tensor.dispose();
  prepared.delete(embedding);
}
