/** What a panel shows of a volume besides the open slice. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { extentOf } from "../arrays/extent.ts";
import { outline } from "../figures/outline.ts";
import { imageURI } from "../figures/raster.ts";
import { COLOR } from "../figures/svg.ts";
import {
  shownWindow,
  type Volume,
  volumeImage,
  volumeSlice,
} from "../formats/volume.ts";
import { digestVolume } from "../volumes/volume_identity.ts";
import type { VolumeSession } from "../volumes/volume_session.ts";
import type { SliceViews } from "./pick_server.ts";

/** An object whose outline is shown. */
export interface Outlined {
  /** [D, H, W]; anything but 0 is inside. */
  readonly mask: NdArray<Uint8Array>;
  /** As "#e69f00". */
  readonly color?: string;
}

/** An object that was done before. */
export type NamedMask = Required<Outlined> & { readonly name: string };

/** A volume in a panel: its slices, and what is known of each. */
export interface PanelVolume {
  /** What tells it from others: of the same one zoom and window stay. */
  readonly id: string;
  /** The volume. */
  readonly volume: Volume;
  /** Values shown black and white; by default the volume's own. */
  readonly window?: [low: number, high: number];
  /** Channels of a volume with several. */
  readonly channels?: number[];
  /** The dimension whose slices are aligned. */
  readonly axis: 0 | 1 | 2;
  /** The open slice. */
  readonly slice: number;
  /** Pixels of the object in every slice, in order. */
  readonly areas: readonly number[];
  /** Slices that the user aligned. */
  readonly aligned: readonly number[];
  /** Slices in which a look helps, the most helpful first, and why. */
  readonly looks: readonly {
    readonly slice: number;
    readonly doubts: readonly string[];
  }[];
  /** Slice, row and column at which the planes cut. */
  readonly at: [number, number, number];
  /** The object, and those that were done before; [D, H, W] each. */
  readonly masks: readonly Outlined[];
}

/** How a volume's slices are cut and shown. */
export interface SliceLook {
  readonly axis: 0 | 1 | 2;
  readonly slice: number;
  readonly window?: [low: number, high: number];
  readonly channels?: number[];
}

/** A slice as a panel shows it: [H, W, C], 0..1; of several channels the first. */
export function sliceImage(
  volume: Volume,
  { channels = volume.color ? undefined : [0], ...look }: SliceLook,
): NdArray<Float32Array> {
  return volumeImage(volume, { ...look, channels });
}

/** A volume in a panel before anything of the object is known. */
export function panelOfVolume(
  volume: Volume,
  { masks, ...look }: SliceLook & { readonly masks: readonly NamedMask[] },
): PanelVolume {
  const shape = volume.values.shape.slice(0, 3);
  const at = shape.map((side) => side >> 1) as [number, number, number];
  at[look.axis] = look.slice;
  return {
    ...{ id: digestVolume(volume), volume, ...look, at, masks },
    areas: new Array(shape[look.axis]).fill(0),
    aligned: [],
    looks: [],
  };
}

/** A session's volume in a panel; the planes cut at the middle of the object. */
export function panelOfSession(
  session: VolumeSession,
  others: readonly NamedMask[] = [],
): PanelVolume {
  const { volume, axis, slice, window, channels } = session;
  let mask: NdArray<Uint8Array> | undefined;
  const own = { // made when a slice is first looked at
    get mask() {
      return mask ??= session.mask;
    },
  };
  const look = { axis, slice, window, channels, masks: others };
  const before = panelOfVolume(volume, look);
  const { at } = before;
  const extent = extentOf(session.sliceMask(slice));
  const [down, across] = [0, 1, 2].filter((other) => other !== axis);
  if (extent) {
    const { x, y, width, height } = extent;
    const row = Math.floor(y + height / 2);
    at[across] = Math.floor(x + width / 2);
    at[down] = axis === 0 ? row : volume.values.shape[down] - 1 - row;
  }
  return {
    ...before,
    ...{ areas: session.areas, aligned: session.aligned },
    looks: session.suggestions.slice(0, MARKS),
    masks: [...others, own],
  };
}

/** Slices with a mark, at most: marks everywhere say nothing. */
const MARKS = 5;

/** Values between which a volume's slices are shown. */
export function windowShown(
  { volume, window, channels = [0] }: Pick<
    PanelVolume,
    "volume" | "window" | "channels"
  >,
): readonly [low: number, high: number] {
  return window ?? shownWindow(volume, channels[0]);
}

/** Draws slices of a volume, in any plane and window. */
export function sliceViews(
  { volume, channels, masks, window }: Pick<
    PanelVolume,
    "volume" | "channels" | "masks" | "window"
  >,
): SliceViews {
  const shape = volume.values.shape.slice(0, 3);
  return async (path) => {
    const asked =
      /^(view|over|image)\/([012])\/(\d{1,6})(?:\/(-?[\d.e+-]{1,24})\/(-?[\d.e+-]{1,24}))?$/
        .exec(path);
    if (!asked) return undefined;
    const [, kind, dimension, index, low, high] = asked;
    const axis = Number(dimension) as 0 | 1 | 2;
    const slice = Number(index);
    const values = [Number(low), Number(high)] as [number, number];
    if (slice >= shape[axis]) return undefined;
    if (low !== undefined && !values.every(Number.isFinite)) return undefined;
    const image = sliceImage(volume, {
      ...{ axis, slice, channels },
      window: low === undefined ? window : values,
    });
    const [height, width] = image.shape;
    // over the main picture a line is scaled with the image, elsewhere it is not
    const unit = kind === "over" ? Math.max(width / 440, height / 620) : 1;
    const lines = kind === "image" ? [] : masks.map(({ mask, color }) => {
      const path = outline(volumeSlice(mask, { axis, slice }));
      const line = (stroke: string, width: number) =>
        `<path d="${path}" fill="none" stroke="${stroke}" ` +
        `stroke-width="${(width * unit).toPrecision(3)}" ` +
        `stroke-linejoin="round"${
          unit === 1 ? ' vector-effect="non-scaling-stroke"' : ""
        }/>`;
      return path &&
        line(COLOR.casing, 3.4) + line(color ?? COLOR.recommended, 2);
    });
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">` +
      `<image width="${width}" height="${height}" preserveAspectRatio="none" ` +
      `href="${await imageURI(image)}"/>${lines.join("")}</svg>`;
  };
}
