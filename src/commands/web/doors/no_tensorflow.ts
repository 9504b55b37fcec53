/**
 * `src/engine/tensorflow.ts` in a browser, which has no such engine.
 *
 * @module
 */

import { EnvironmentError } from "../../../input_error.ts";

/** Refuses. */
export function loadTensorFlow(): never {
  throw new EnvironmentError(
    'Cannot use the engine "tensorflow" as this is a browser',
  );
}
