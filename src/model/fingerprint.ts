import { digest } from "../digest.ts";
import type { HostWeights } from "./weights.ts";

/** Tells models apart: the beginning of a digest of all weights. */
export function fingerprint(
  { weights }: { readonly weights: HostWeights },
): string {
  return digest(
    [...weights].flatMap(([name, { data, shape }]) => [
      `${name} ${shape}`,
      data,
    ]),
  );
}
