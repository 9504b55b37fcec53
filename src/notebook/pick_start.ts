/** What a session starts with: a click or a box, in an image or a volume. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { digestNumber } from "../digest.ts";
import { imageFigure } from "../figures/image_figure.ts";
import { type Volume, volumeSlice } from "../formats/volume.ts";
import { createRandom, type Random } from "../random.ts";
import type { Point } from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import type { VolumeSessionOptions } from "../volumes/volume_actions.ts";
import { acquisitionAxis } from "../volumes/volume_identity.ts";
import { ask, type Asked, ownHost, type PickHost } from "./ask.ts";
import { type About, type AskOptions, choicesOf, entitled } from "./pick.ts";
import { pickPanel } from "./pick_panel.ts";
import { describePicked, type VolumeStep } from "./picked.ts";
import {
  type NamedMask,
  panelOfVolume,
  sliceImage,
  sliceViews,
} from "./slice_views.ts";

/** How {@linkcode pickStart} asks. */
export interface PickStartOptions extends AskOptions {
  /** The first line. Default: a request. */
  readonly title?: string;
  /** Answers where nobody else does; without it that is an error. */
  readonly auto?: (
    image: NdArray<Float32Array>,
    random: Random,
  ) => PickedStart | VolumeStep | Promise<PickedStart | VolumeStep>;
}

/** What a session starts with: a click inside the object, or a box around it. */
export type PickedStart =
  | { readonly points: readonly [Point]; readonly box?: undefined }
  | { readonly box: Box; readonly points?: undefined };

/**
 * Shows an image and waits for a click inside the object, or for a box that is
 * drawn around it: what a session starts with. It asks as `pick` does.
 *
 * @param image [H, W, 1 or 3], values 0..1.
 * @param options Who is asked.
 * @returns One positive click, or a box, in pixels of the image.
 * @throws As `pick`.
 *
 * @example From a click or a box to a session
 * ```ts ignore
 * const start = await pickStart(image);
 * using session = await Session.start(model, image, start);
 * ```
 */
export function pickStart(
  image: NdArray<Float32Array>,
  options?: PickStartOptions,
): Promise<PickedStart>;
/**
 * The same for a volume: its middle slice is shown first, and the arrow keys go to
 * the others.
 *
 * @param volume The volume.
 * @param options Who is asked, and how slices are cut and shown.
 * @returns The slice, with one positive click in it or a box, and the dimension that
 * it cuts: what `VolumeSession.start` takes.
 * @throws As `pick`.
 */
export function pickStart(
  volume: Volume,
  options?: PickVolumeStartOptions,
): Promise<PickedVolumeStart>;
export async function pickStart(
  shown: NdArray<Float32Array> | Volume,
  options: PickStartOptions | PickVolumeStartOptions = {},
): Promise<PickedStart | PickedVolumeStart> {
  if ("values" in shown) {
    const given = options as PickVolumeStartOptions;
    const { start } = await pickVolumeStartAt(ownHost(), shown, given);
    return start as PickedVolumeStart; // absence is not offered
  }
  const given = options as PickStartOptions;
  return (await pickStartAt(ownHost(), shown, given)).start as PickedStart;
}

/**
 * As {@linkcode pickStart}, with what surrounds it as an argument; says as well
 * who answered.
 */
export async function pickStartAt(
  host: PickHost,
  image: NdArray<Float32Array>,
  {
    title = "What is to be segmented?",
    about,
    auto,
    random,
    volume,
    others,
    offers = [],
    ...asked
  }:
    & PickStartOptions
    & StartAbout = {},
): Promise<{ readonly start: PickedStart | VolumeStep; readonly by: Asked }> {
  const slices = volume?.areas.length;
  const choices = choicesOf(image, 0, ["box", ...offers], { slices });
  const line = entitled(about, title);
  const { picked, by } = await ask({
    ...asked,
    title: line,
    choices,
    panel: () => pickPanel({ image, title: line, choices, volume, others }),
    views: volume && sliceViews(volume),
    still: (answer) => {
      if (!answer) return imageFigure({ image, title: line });
      if (answer === "nothing") {
        const title = entitled(about, "Nothing was picked");
        return imageFigure({ image, title });
      }
      const { picked } = answer;
      return imageFigure({
        image,
        points: picked.kind === "click" ? [picked.point] : [],
        box: picked.kind === "look" ? picked.region : undefined,
        title: entitled(about, describePicked(picked)),
      });
    },
    auto: auto && (async () => {
      const stream = random ??
        createRandom(0, digestNumber(line), ...image.shape);
      const given = await auto(image, stream);
      if ("kind" in given) return given;
      const { points, box } = given;
      if (box) return { kind: "look", region: box };
      const [{ x, y }] = points;
      return { kind: "click", point: { x, y, label: 1 } };
    }),
  }, host);
  if (picked.kind === "look") {
    const [height, width] = image.shape;
    const { left, top, right, bottom } = picked.region;
    const box = { // from pixel center to pixel center at the image's edge
      left: Math.max(left, 0),
      top: Math.max(top, 0),
      right: Math.min(right, width - 1),
      bottom: Math.min(bottom, height - 1),
    };
    return { start: { box }, by };
  }
  if (picked.kind === "click") return { start: { points: [picked.point] }, by };
  return { start: picked as VolumeStep, by }; // all else that is offered
}

/** How {@linkcode pickStart} asks for the start in a volume. */
export interface PickVolumeStartOptions
  extends
    AskOptions,
    Pick<VolumeSessionOptions, "slice" | "axis" | "window" | "channels"> {
  /** The first line. Default: a request. */
  readonly title?: string;
  /** Answers where nobody else does; without it that is an error. */
  readonly auto?: (
    volume: Volume,
    random: Random,
  ) => PickedVolumeStart | Promise<PickedVolumeStart>;
}

/** What a session with a volume starts with. */
export type PickedVolumeStart = PickedStart & {
  /** The slice that the click or the box is in. */
  readonly slice: number;
  /** The dimension that it cuts. */
  readonly axis: 0 | 1 | 2;
};

/** What else a program that asks for many starts says. */
type StartAbout = Pick<About, "about" | "volume" | "others" | "offers">;

/**
 * As {@linkcode pickStart} of a volume, with what surrounds it as an argument; says
 * as well who answered. "absent" where the object is in no slice, if that is offered.
 */
export async function pickVolumeStartAt(
  host: PickHost,
  volume: Volume,
  {
    slice,
    axis = acquisitionAxis(volume),
    window,
    channels,
    auto,
    title = "What is to be segmented?",
    about,
    offers = [],
    masks = [],
    ...options
  }: PickVolumeStartOptions & Pick<About, "about" | "offers"> & {
    readonly masks?: readonly NamedMask[];
  } = {},
): Promise<
  { readonly start: PickedVolumeStart | "absent"; readonly by: Asked }
> {
  const depth = volume.values.shape[axis];
  let at = slice ?? Math.floor(depth / 2);
  while (true) {
    const image = sliceImage(volume, { axis, slice: at, window, channels });
    const { start, by } = await pickStartAt(host, image, {
      ...options,
      title: `${title} Slice ${at} of ${depth}`,
      about,
      volume: panelOfVolume(volume, {
        axis,
        slice: at,
        window,
        channels,
        masks,
      }),
      others: masks.map((one) => ({
        ...one,
        mask: contiguous(volumeSlice(one.mask, { axis, slice: at })),
      })),
      offers: ["go", ...offers],
      auto: auto && (async (_, random) => {
        const { slice, ...start } = await auto(volume, random);
        at = slice;
        return start;
      }),
    });
    if (!("kind" in start)) return { start: { ...start, slice: at, axis }, by };
    if (start.kind !== "go") return { start: "absent", by };
    at = start.slice;
    if (start.point && start.point.label !== 0) {
      return { start: { points: [start.point], slice: at, axis }, by };
    }
  }
}
