/** A volume in three planes, and a session with it: outlines, area per slice. */

// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { type Volume, volumeImage, volumeSlice } from "../formats/volume.ts";
import { InputError } from "../input_error.ts";
import type { VolumeSession } from "../volumes/volume_session.ts";
import { counted, describeVolume } from "./describe.ts";
import { Figure } from "./figure.ts";
import { type Fonts, loadFonts } from "./fonts.ts";
import { outline } from "./outline.ts";
import { imageURI } from "./raster.ts";
import {
  drawLegend,
  legendHeight,
  type LegendItem,
  lineItem,
  type Rect,
} from "./panel.ts";
import {
  COLOR,
  drawTitle,
  MARGIN,
  num,
  rect,
  SIZE,
  svgDocument,
  text,
  WIDTH,
} from "./svg.ts";

/** An object of a volume, to be outlined. */
export interface VolumeMask {
  /** [D, H, W]; anything but 0 is inside. */
  readonly mask: NdArray<Uint8Array>;
  /** Its name in the legend. Default: "segmentation". */
  readonly name?: string;
  /** Its color, as "#f0e442". */
  readonly color?: string;
}

/** What {@linkcode volumeFigure} shows. */
export interface VolumeFigureOptions {
  /** The volume. */
  volume: Volume;
  /** The objects in it. Default: none. */
  masks?: readonly VolumeMask[];
  /**
   * Slice, row and column at which the planes cut. Default: the middle
   * of the first mask, else of the volume.
   */
  at?: readonly [number, number, number];
  /** Values shown black and white. Default: the volume's own. */
  window?: [low: number, high: number];
  /** Channels of a volume with several. Default: the first one. */
  channels?: number[];
  /** Area per slice, where it is known. */
  areas?: AreaStrip;
  /** One line above. Default: a description of the volume. */
  title?: string;
}

/** Pixels of an object, slice by slice. */
export interface AreaStrip {
  /** In order. */
  readonly areas: readonly number[];
  /** Slices that the user aligned. */
  readonly aligned: readonly number[];
  /** Slices in which a look helps. */
  readonly looks: readonly number[];
  /** The open slice. */
  readonly slice: number;
}

const PLANES = ["slice", "row", "column"] as const;
/** Room for a plane: a taller one becomes narrower. */
const TALLEST = 340, GAP = 14, STRIP = 84;

/**
 * A volume in three planes, in its proportions in millimeters, with outlines of
 * objects and, for a session, the area per slice.
 *
 * @throws {RangeError} When a mask is of another size than the volume, or a plane
 * lies beside it.
 *
 * @example
 * ```ts
 * import { phantomVolume } from "@spa-seg/spa";
 * import { volumeFigure } from "@spa-seg/spa/figures";
 *
 * const { volume, masks } = phantomVolume({ kind: "kidney", seed: 3 });
 * const figure = volumeFigure({ volume, masks: [{ mask: masks.strict }] });
 * ```
 */
export function volumeFigure(
  {
    volume,
    masks = [],
    window,
    channels = volume.color ? undefined : [0],
    areas,
    title = describeVolume(volume),
    at = middleOf(volume, masks),
  }: VolumeFigureOptions,
): Figure {
  const shape = volume.values.shape.slice(0, 3);
  check(shape, masks, at);
  const { spacing = [1, 1, 1] } = volume;
  const sizes = ([0, 1, 2] as const).map((axis) => {
    const [down, across] = [0, 1, 2].filter((i) => i !== axis);
    return {
      axis,
      width: shape[across] * spacing[across],
      height: shape[down] * spacing[down],
    };
  });
  const room = (WIDTH - 2 * MARGIN - 2 * GAP) / 3;
  const scale = Math.min(
    ...sizes.map(({ width, height }) =>
      Math.min(room / width, TALLEST / height)
    ),
  );
  let left = MARGIN;
  const planes = sizes.map(({ axis, width, height }) => {
    const place = {
      ...{ x: left, y: 54 },
      ...{ width: scale * width, height: scale * height },
    };
    left += room + GAP;
    return { axis, place };
  });
  const tallest = Math.max(...planes.map(({ place }) => place.height));
  const captions = 54 + tallest + 18;
  const strip = captions + 16;
  const items: LegendItem[] = [
    ...masks.map(({ name = "segmentation", color = COLOR.recommended }) =>
      lineItem(name, color)
    ),
    ...(areas ? stripItems(areas) : []),
  ];
  const legend = strip + (areas ? STRIP + 30 : 0);
  const inner = WIDTH - 2 * MARGIN;
  const height = Math.round(
    legend + (items.length > 0 ? legendHeight(items, inner) + 6 : 0),
  );
  const draw = async () => {
    const fonts = await loadFonts();
    const drawn = await Promise.all(planes.map(async ({ axis, place }) => {
      const where = { axis, slice: at[axis] };
      const image = volumeImage(volume, { ...where, window, channels });
      const paths = masks.map(({ mask, color = COLOR.recommended }) =>
        drawEdge(outline(volumeSlice(mask, where)), color)
      );
      const [rows, columns] = image.shape;
      const lines = [0, 1, 2].filter((other) => other !== axis)
        .map((other, i) =>
          drawCut(at[other] + 0.5, i === 0, rows, columns, axis !== 0)
        );
      const caption = `${PLANES[axis]} ${at[axis]} of ${shape[axis]}`;
      return drawPlane(
        place,
        [rows, columns],
        await imageURI(image),
        [...lines, ...paths],
      ) + text(place.x, captions, caption, {
        size: SIZE.small,
        fill: COLOR.muted,
      });
    }));
    return svgDocument(
      WIDTH,
      height,
      title,
      [
        drawTitle(title, WIDTH, fonts),
        ...drawn,
        areas ? drawStrip(areas, fonts, strip, inner) : "",
        drawLegend(items, fonts, { x: MARGIN, y: legend, width: inner }),
      ].join(""),
    );
  };
  const alt = `${title}: three planes through ${at.join(", ")}` +
    (masks.length > 0 ? `, with ${counted(masks.length, "outline")}` : "");
  return new Figure({ width: WIDTH, height, alt, draw });
}

/** A session with a volume: planes through the open slice, area per slice. */
export function volumeSessionFigure(
  session: VolumeSession,
  { title = titleOf(session) }: { title?: string } = {},
): Figure {
  const { volume, axis, slice, mask, areas, aligned, suggestions } = session;
  const at: [number, number, number] = middleOf(volume, [{ mask }]);
  at[axis] = slice;
  return volumeFigure({
    ...{ volume, at, title, window: session.window },
    ...(session.channels && { channels: session.channels }),
    masks: [{ mask, name: "mask" }],
    areas: {
      ...{ areas, aligned, slice },
      looks: suggestions.map(({ slice }) => slice),
    },
  });
}

function titleOf({ slice, depth, areas, aligned }: VolumeSession): string {
  const found = areas.filter((area) => area > 0).length;
  return `Slice ${slice} of ${depth}: object in ${counted(found, "slice")}, ` +
    `${aligned.length} aligned`;
}

/** A session with a volume, in one or a few lines. */
export function describeVolumeSession(session: VolumeSession): string {
  const { slice, depth, areas, aligned, suggestions, slicesLeft } = session;
  const found = areas.filter((area) => area > 0).length;
  const voxels = areas.reduce((sum, area) => sum + area, 0);
  const next = slicesLeft > 0
    ? "; propagate() walks through the others"
    : suggestions.length > 0
    ? `; a look helps most in slice ${suggestions[0].slice}`
    : "";
  return `Volume session in slice ${slice} of ${depth}: ` +
    `${counted(voxels, "voxel")} in ${counted(found, "slice")}, ` +
    `${aligned.length} aligned${next}`;
}

function check(
  shape: readonly number[],
  masks: readonly VolumeMask[],
  at: readonly number[],
) {
  const other = masks.find(({ mask }) => `${mask.shape}` !== `${shape}`);
  if (other) {
    throw new InputError(
      `Cannot draw the volume as masks must be of its size, [${shape}]: current value is [${other.mask.shape}]`,
    );
  }
  if (
    at.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis])
  ) return;
  throw new InputError(
    `Cannot draw the volume as the planes must lie in it, [${shape}]: current value is [${at}]`,
  );
}

/** The middle of the first mask's extent, else of the volume. */
function middleOf(
  { values }: Volume,
  masks: readonly VolumeMask[],
): [number, number, number] {
  const [D, H, W] = values.shape;
  const middle: [number, number, number] = [D >> 1, H >> 1, W >> 1];
  if (masks.length === 0) return middle;
  const { data } = contiguous(masks[0].mask);
  const low = [D, H, W], high = [-1, -1, -1];
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    const place = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
    place.forEach((at, axis) => {
      low[axis] = Math.min(low[axis], at);
      high[axis] = Math.max(high[axis], at);
    });
  }
  if (high[0] < 0) return middle;
  return low.map((start, axis) => (start + high[axis]) >> 1) as typeof middle;
}

function drawPlane(
  { x, y, width, height }: Rect,
  [rows, columns]: readonly number[],
  uri: string,
  marks: readonly string[],
): string {
  return `<svg x="${num(x)}" y="${num(y)}" width="${num(width)}" ` +
    `height="${num(height)}" viewBox="0 0 ${columns} ${rows}" ` +
    `preserveAspectRatio="none" overflow="hidden">` +
    `<image width="${columns}" height="${rows}" preserveAspectRatio="none" ` +
    `href="${uri}"/>${marks.join("")}</svg>`;
}

/** An outline whose width is in pixels of the figure, however it is stretched. */
function drawEdge(path: string, color: string): string {
  const line = (stroke: string, width: number) =>
    `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="${width}" ` +
    `stroke-linejoin="round" vector-effect="non-scaling-stroke"/>`;
  return path === "" ? "" : line(COLOR.casing, 3) + line(color, 1.8);
}

/** Where another plane cuts this one. */
function drawCut(
  at: number,
  down: boolean,
  rows: number,
  columns: number,
  flip: boolean,
): string {
  const row = flip ? rows - at : at;
  const path = down ? `M0 ${num(row)}H${columns}` : `M${num(at)} 0V${rows}`;
  return `<path d="${path}" stroke="#fff" stroke-opacity="0.35" ` +
    `stroke-width="1" vector-effect="non-scaling-stroke"/>`;
}

const FILL = { aligned: "#0072B2", walked: "#9CC7E2" };

function stripItems({ looks }: AreaStrip): LegendItem[] {
  const swatch = (fill: string) => rect(4, 1, 18, 14, `rx="2" fill="${fill}"`);
  return [
    { label: "area of an aligned slice", mark: swatch(FILL.aligned) },
    { label: "of another slice", mark: swatch(FILL.walked) },
    ...(looks.length > 0
      ? [{
        label: "a look helps, the most at the largest",
        mark: dot(13, 8, 5),
      }]
      : []),
  ];
}

function dot(x: number, y: number, radius: number): string {
  return `<circle cx="${num(x)}" cy="${num(y)}" r="${num(radius)}" ` +
    `fill="${COLOR.removed}"/>`;
}

/** Bars of area, marks where a look helps, a frame about the open slice. */
function drawStrip(
  { areas, aligned, looks, slice }: AreaStrip,
  fonts: Fonts,
  top: number,
  width: number,
): string {
  const most = Math.max(1, ...areas);
  const step = width / areas.length;
  const base = top + STRIP;
  const bars = areas.map((area, i) => {
    const height = (STRIP - 16) * area / most;
    const fill = aligned.includes(i) ? FILL.aligned : FILL.walked;
    return rect(
      MARGIN + i * step + 0.08 * step,
      base - height,
      0.84 * step,
      height,
      `fill="${fill}"`,
    );
  });
  const marks = looks.map((i, rank) =>
    dot(MARGIN + (i + 0.5) * step, base + 6, Math.max(1.5, 4.5 - 0.8 * rank))
  );
  const open = rect(
    MARGIN + slice * step,
    top + 8,
    step,
    STRIP - 8,
    `fill="none" stroke="${COLOR.ink}" stroke-width="1"`,
  );
  const caption = (x: number, line: string, anchor: "start" | "end") =>
    text(x, base + 22, fonts.fit(line, width / 2, SIZE.small), {
      ...{ size: SIZE.small, fill: COLOR.muted, anchor },
    });
  return [
    ...bars,
    `<path d="M${MARGIN} ${num(base)}h${num(width)}" stroke="${COLOR.rule}"/>`,
    open,
    ...marks,
    caption(MARGIN, `slice 0, up to ${counted(most, "pixel")}`, "start"),
    caption(MARGIN + width, `slice ${areas.length - 1}`, "end"),
  ].join("");
}
