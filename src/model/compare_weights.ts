import { sizeOf } from "../engine/tensors.ts";
import type { HostWeights, WeightDeclarations } from "./weights.ts";
import { InputTypeError } from "../input_error.ts";

/** The result of comparing weights with those that a network needs. */
export interface WeightReport {
  /** Names that the network needs, found with the right shape. */
  readonly loaded: readonly string[];
  /** Names that the network needs and that were not found. */
  readonly missing: readonly string[];
  /** Names that were found and that the network does not know. */
  readonly unexpected: readonly string[];
  /** Names found with another shape than the network needs. */
  readonly misshapen: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly expected: readonly number[];
  }[];
}

/**
 * Compares weights with what a network needs, name by name.
 *
 * @param declared What the network needs.
 * @param shapes The weights' shapes by segment-anything's names.
 */
export function compareWeights(
  declared: WeightDeclarations,
  shapes: ReadonlyMap<string, readonly number[]>,
): WeightReport {
  const loaded: string[] = [];
  const missing: string[] = [];
  const misshapen: WeightReport["misshapen"][number][] = [];
  for (const [name, { shape: expected }] of declared) {
    const shape = shapes.get(name);
    if (!shape) missing.push(name);
    else if (`${shape}` === `${expected}`) loaded.push(name);
    else misshapen.push({ name, shape, expected });
  }
  const unexpected = [...shapes.keys()].filter((name) => !declared.has(name));
  return { loaded, missing, unexpected, misshapen };
}

/**
 * The differences in one line: "1 missing (fusion.layers.0.bias)". Empty when
 * there are none.
 */
export function describeReport(
  { missing, unexpected, misshapen }: WeightReport,
): string {
  const lists = {
    missing,
    unexpected,
    misshapen: misshapen.map(({ name, shape, expected }) =>
      `${name}: [${shape}] instead of [${expected}]`
    ),
  };
  return Object.entries(lists)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) =>
      `${names.length} ${kind} (${names.slice(0, 3).join(", ")}${
        names.length > 3 ? ", ..." : ""
      })`
    ).join("; ");
}

/**
 * Refuses weights that are not those of a network.
 *
 * @param action What needs them: "build the model".
 * @param config The network's name, for the error.
 * @throws {TypeError} When a weight is missing, unexpected or misshapen, or has
 * more or fewer values than its shape.
 */
export function checkWeights(
  action: string,
  config: string,
  declared: WeightDeclarations,
  weights: HostWeights,
) {
  const shapes = new Map(
    [...weights].map(([name, { shape }]) => [name, shape]),
  );
  const problems = describeReport(compareWeights(declared, shapes));
  if (problems !== "") {
    throw new InputTypeError(
      `Cannot ${action} as its weights must be those of config "${config}": ${problems}`,
    );
  }
  for (const [name, { data, shape }] of weights) {
    if (data.length === sizeOf(shape)) continue;
    throw new InputTypeError(
      `Cannot ${action} as weight "${name}" must have the ${
        sizeOf(shape)
      } values of its shape [${shape}]: current value is ${data.length}`,
    );
  }
}
