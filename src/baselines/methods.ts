/** The baselines by name. */

import { adapter } from "./adapter.ts";
import { box } from "./box.ts";
import { click } from "./click.ts";
import { ensemble } from "./ensemble.ts";
import { labelSampling } from "./label_sampling.ts";
import type { BaselineConfig, Method } from "./method.ts";
import { mrnet } from "./mrnet.ts";
import { multiHead } from "./multi_head.ts";
import { probabilisticUNet } from "./probabilistic_unet.ts";
import { samU } from "./sam_u.ts";
import { unet } from "./unet.ts";

/** All of them, as `--method` of the commands calls them. */
export const METHODS: Readonly<Record<string, Method>> = {
  click,
  box,
  "sam-u": samU,
  unet,
  ensemble,
  "label-sampling": labelSampling,
  "multi-head": multiHead,
  "probabilistic-unet": probabilisticUNet,
  adapter,
  mrnet,
};

/**
 * The method of a config.
 *
 * @throws {RangeError} When there is no such method.
 */
export function methodOf({ method }: Pick<BaselineConfig, "method">): Method {
  if (Object.hasOwn(METHODS, method)) return METHODS[method];
  throw new RangeError(
    `Cannot use the method as it must be one of ${
      Object.keys(METHODS).join(", ")
    }: current value is ${method}`,
  );
}
