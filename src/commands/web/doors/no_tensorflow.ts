/**
 * `src/engine/tensorflow.ts` in a browser, which has no such engine.
 *
 * @module
 */

/** Refuses. */
export function loadTensorFlow(): never {
  throw new Error('Cannot use the engine "tensorflow" as this is a browser');
}
