/**
 * Errors that are no bugs: their message says all. A wrong option, file or
 * argument causes them, or an engine or a server that is not there. Commands
 * print one line for them, and a stack for every other error.
 *
 * @module
 */

const INPUT = Symbol.for("spa.inputError");

/**
 * A value that cannot be used: of the wrong range, size or form. Callers catch
 * it as a RangeError.
 */
export class InputError extends RangeError {
  /** Tells it from the RangeErrors that bugs throw, across copies of the module. */
  get [INPUT](): true {
    return true;
  }
}

/** A value of the wrong type or kind. Callers catch it as a TypeError. */
export class InputTypeError extends TypeError {
  /** Tells it from the TypeErrors that bugs throw, across copies of the module. */
  get [INPUT](): true {
    return true;
  }
}

/** The machine, the network or the other side lacks what is needed. */
export class EnvironmentError extends Error {
  /** Tells it from the errors that bugs throw, across copies of the module. */
  get [INPUT](): true {
    return true;
  }
}

/**
 * Whether an error is one of these or of the file system, and no bug.
 *
 * @param error Anything that was thrown.
 */
export function isInputError(error: unknown): boolean {
  return error instanceof Error &&
    (INPUT in error ||
      Object.values(Deno.errors).some((kind) => error instanceof kind));
}
