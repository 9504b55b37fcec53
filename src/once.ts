import { InputTypeError } from "./input_error.ts";

/**
 * A function that loads when it is first called, and gives the same to every
 * later call. A failure is not kept: the next call tries again.
 */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    });
}

/** Jobs of one owner that must not overlap, until the owner is disposed. */
export class OneAtATime {
  #busy = false;
  #disposed = false;

  /**
   * Does a job, if no other is under way.
   *
   * @param verb What it does, for the errors: "choose".
   * @throws {TypeError} When another job is under way, or after `end`.
   */
  async run<T>(verb: string, job: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new InputTypeError(
        `Cannot ${verb} as the step before must be done: current value is one under way; await it`,
      );
    }
    if (this.#disposed) {
      throw new InputTypeError(
        `Cannot ${verb} as the session must not be disposed: start another one, or replay what toJSON() gives`,
      );
    }
    this.#busy = true;
    try {
      return await job();
    } finally {
      this.#busy = false;
    }
  }

  /** No job may follow. */
  end(): void {
    this.#disposed = true;
  }
}
