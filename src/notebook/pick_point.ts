// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { digestNumber } from "../digest.ts";
import { createRandom, type Random } from "../random.ts";
import type { Point } from "../spa/feedback.ts";
import { ask, type Asked } from "./ask.ts";
import { imageFigure } from "../figures/image_figure.ts";
import type { About, AskOptions } from "./pick.ts";
import { ownHost, type PickHost } from "./pick_host.ts";
import { pickPanel } from "./pick_panel.ts";
import { choicesOf, entitled } from "./pick_parts.ts";
import { describePicked, type Picked } from "./picked.ts";

/** How {@linkcode pickPoint} asks. */
export interface PickPointOptions extends AskOptions {
  /** The first line, which defaults to a request. */
  readonly title?: string;
  /** Answers where nobody else does; without it that is an error. */
  readonly auto?: (
    image: NdArray<Float32Array>,
    random: Random,
  ) => Point | Promise<Point>;
}

/**
 * Shows an image and waits for a click inside the object: the first click of a
 * session. It asks as `pick` does.
 *
 * @param image [H, W, 1 or 3], values 0..1.
 * @param options Who is asked.
 * @returns A positive click, in pixels of the image.
 * @throws As `pick`.
 *
 * @example From a click to a session
 * ```ts ignore
 * const point = await pickPoint(image);
 * using session = await Session.start(model, image, { points: [point] });
 * ```
 */
export async function pickPoint(
  image: NdArray<Float32Array>,
  options: PickPointOptions = {},
): Promise<Point> {
  return (await pickPointAt(ownHost(), image, options)).point;
}

/**
 * As {@linkcode pickPoint}, with what surrounds it as an argument; says as well
 * who clicked.
 */
export async function pickPointAt(
  host: PickHost,
  image: NdArray<Float32Array>,
  { title = "What is to be segmented?", about, auto, random, ...asked }:
    & PickPointOptions
    & About = {},
): Promise<{ readonly point: Point; readonly by: Asked }> {
  const choices = choicesOf(image, 0, []);
  const line = entitled(about, title);
  const { picked, by } = await ask({
    ...asked,
    title: line,
    choices,
    panel: () => pickPanel({ image, title: line, choices }),
    still: (answer) => {
      if (!answer) return imageFigure({ image, title: line });
      if (answer === "nothing") {
        const title = entitled(about, "Nothing was picked");
        return imageFigure({ image, title });
      }
      const { picked } = answer;
      const points = picked.kind === "point" ? [picked] : [];
      const title = entitled(about, describePicked(picked));
      return imageFigure({ image, points, title });
    },
    auto: auto && (async () => {
      const stream = random ??
        createRandom(0, digestNumber(line), ...image.shape);
      const { x, y } = await auto(image, stream);
      return { kind: "point", x, y, label: 1 };
    }),
  }, host);
  const { x, y, label } = picked as Picked & { kind: "point" }; // all there is
  return { point: { x, y, label }, by };
}
