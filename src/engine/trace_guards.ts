/**
 * What a traced function must not do: read values, assign variables, draw
 * random numbers. Each call says its own name in the error.
 *
 * @module
 */
import * as tf from "./tf.ts";
import type { Tracing } from "./tracing.ts";

/** Reads of values; each may name itself in the error. */
const READS = [
  "array",
  "arraySync",
  "buffer",
  "bufferSync",
  "bytes",
  "bytesSync",
  "data",
  "dataSync",
  "print",
  "toString",
] as const;

/** Random ops draw on the host: their values would be frozen into the program. */
const RANDOM_OP = /^(rand|random.*|truncatedNormal|dropout|multinomial)$/;

/**
 * Makes assignments and Math.random throw, and reads say which they are.
 *
 * @returns Undoes it.
 */
export function forbid(tracing: Tracing): () => void {
  const tensor = tf.Tensor.prototype as unknown as Record<string, unknown>;
  const originals = READS.map((name) => [name, tensor[name]] as const);
  for (const [name, original] of originals) {
    tensor[name] = function (this: tf.Tensor, ...args: unknown[]) {
      const outer = reading;
      reading ??= name;
      try {
        return (original as typeof Function.prototype).apply(this, args);
      } finally {
        reading = outer;
      }
    };
  }
  const { assign } = tf.Variable.prototype;
  tf.Variable.prototype.assign = function () {
    tracing.refuse(
      `it assigns the variable "${this.name}"; return the new value instead`,
    );
  };
  const { random } = Math;
  Math.random = () => refuseRandom(tracing, randomOp() ?? "Math.random");
  return () => {
    for (const [name, original] of originals) tensor[name] = original;
    tf.Variable.prototype.assign = assign;
    Math.random = random;
  };
}

/** The read being executed, if any. */
let reading: string | undefined;

/** Refuses the read under way. */
export function refuseRead(tracing: Tracing): never {
  const op = reading ?? operations().at(-1) ?? "a read";
  tracing.refuse(
    `it asks for the values of a tensor (${op}), and there are none while ` +
      `tracing; decide outside of it, or use tf.where`,
  );
}

/** Refuses random numbers drawn by `op`. */
export function refuseRandom(tracing: Tracing, op: string): never {
  tracing.refuse(
    `it draws random numbers (${op}), which would be the same in every call; ` +
      `make them an input`,
  );
}

/** The random tfjs op being executed, if any. */
export function randomOp(): string | undefined {
  return operations().find((op) => RANDOM_OP.test(op));
}

/** Names of the tfjs ops being executed, outermost first. */
function operations(): string[] {
  const { scopeStack } = (tf.engine() as unknown as {
    state: { scopeStack: { name: string }[] };
  }).state;
  return scopeStack
    .filter(({ name }) => name?.endsWith("__op"))
    .map(({ name }) => name.slice(0, -"__op".length));
}
