import type { GaussianMixture } from "../spa/mixture.ts";
import { MARKS, weightsOf } from "./mixture_plane.ts";
import type { Box } from "./panel.ts";
import { rect, text } from "./svg.ts";
import { COLOR, SIZE } from "./theme.ts";

/** The weights before and after as pairs of bars, a pair per component. */
export function drawWeights(
  { x, y, width, height }: Box,
  before: GaussianMixture,
  after: GaussianMixture,
): string {
  const pairs = [weightsOf(before), weightsOf(after)];
  const count = pairs[0].length;
  const { top, step } = scaleFor(Math.max(...pairs.flat()));
  const heading = text(x - 46, y - 18, "Weights of the components", {
    size: SIZE.heading,
    bold: true,
  });
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => {
    const at = y + height * (1 - i * step / top);
    return rect(x, at, width, 1, `fill="${COLOR.rule}"`) +
      text(x - 8, at + 4, `${Math.round(100 * i * step)} %`, {
        size: SIZE.small,
        fill: COLOR.muted,
        anchor: "end",
      });
  });
  const slot = width / count;
  const every = Math.ceil(20 / slot); // labels do not touch
  const bars = pairs[0].map((_, m) => {
    const left = x + m * slot + 0.12 * slot;
    const pair = pairs.map((weights, k) => {
      const tall = height * weights[m] / top;
      const bar = 0.38 * slot;
      const style = k === 0 ? MARKS.before : MARKS.after;
      return rect(left + k * bar, y + height - tall, bar, tall, style);
    });
    const label = m % every === 0
      ? text(left + 0.38 * slot, y + height + 18, String(m + 1), {
        size: SIZE.small,
        fill: COLOR.muted,
        anchor: "middle",
      })
      : "";
    return pair.join("") + label;
  });
  const caption = text(x + width / 2, y + height + 40, "component", {
    size: SIZE.label,
    fill: COLOR.muted,
    anchor: "middle",
  });
  return heading + ticks.join("") + bars.join("") + caption;
}

/** The end of an axis from 0 that holds a value, and its ticks. */
function scaleFor(largest: number): { top: number; step: number } {
  const step =
    [0.02, 0.05, 0.1, 0.2, 0.25].find((step) => largest <= 5 * step) ??
      0.25;
  return { step, top: step * Math.max(1, Math.ceil(largest / step - 1e-9)) };
}
