/**
 * Images, masks and clicks on canvases, and the way back from a canvas to a
 * pixel of the image.
 *
 * @module
 */
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { outline } from "../../../figures/outline.ts";
import { COLOR } from "../../../figures/svg.ts";
import type { Point } from "../../../spa/feedback.ts";
import type { Box } from "../../../spa/frame.ts";

/** Images are not opened larger than this; they are resized. */
export const MAX_SIDE = 2048;

/** An image of a file that the browser reads, [H, W, 1 or 3], 0..1. */
export async function openImage(file: Blob): Promise<NdArray<Float32Array>> {
  const bitmap = await createImageBitmap(file, {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const { width, height } = bitmap;
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(scale * width)),
    Math.max(1, Math.round(scale * height)),
  );
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = data.length / 4;
  const isGray = data.every((value, i) =>
    i % 4 === 3 || value === data[i - i % 4]
  );
  const channels = isGray ? 1 : 3;
  const values = new Float32Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < channels; c++) {
      values[i * channels + c] = data[4 * i + c] / 255;
    }
  }
  return ndarray(values, [canvas.height, canvas.width, channels]);
}

/** An image as a canvas of its own size. */
export function rasterOf(image: NdArray<Float32Array>): OffscreenCanvas {
  const [height, width, channels] = image.shape;
  const raster = new OffscreenCanvas(width, height);
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      const value = image.data[i * channels + Math.min(c, channels - 1)];
      pixels.data[4 * i + c] = Math.round(255 * value);
    }
    pixels.data[4 * i + 3] = 255;
  }
  raster.getContext("2d")!.putImageData(pixels, 0, 0);
  return raster;
}

/** A mask as a PNG file, 0 outside and 255 inside. */
export async function maskFile(mask: NdArray<Uint8Array>): Promise<Blob> {
  const [height, width] = mask.shape;
  const values = Float32Array.from(mask.data, (value) => value ? 1 : 0);
  const canvas = rasterOf(ndarray(values, [height, width, 1]));
  return await canvas.convertToBlob({ type: "image/png" });
}

/** How a mask is drawn. */
export interface Layer {
  readonly mask: NdArray<Uint8Array>;
  /** Color of its pixels. */
  readonly fill?: string;
  /** Whether its pixels are hatched. */
  readonly hatched?: boolean;
  /** Color of its outline. */
  readonly line?: string;
  /** Whether the outline is dashed. */
  readonly dashed?: boolean;
}

/** What a canvas shows. */
export interface Picture {
  readonly raster: OffscreenCanvas;
  /** The part of the image, in its pixels. */
  readonly view: Box;
  readonly layers: readonly Layer[];
  readonly points?: readonly Point[];
  /** A frame to draw. */
  readonly region?: Box;
  /** Where the keyboard's cross stands. */
  readonly cross?: Point;
}

/** The outlines are drawn many times. */
const outlines = new WeakMap<NdArray<Uint8Array>, Path2D>();

function outlineOf(mask: NdArray<Uint8Array>): Path2D {
  const known = outlines.get(mask);
  if (known) return known;
  const path = new Path2D(outline(mask));
  outlines.set(mask, path);
  return path;
}

/** Stripes of a color, at the canvas's own pixels. */
function hatch(context: CanvasRenderingContext2D, color: string, unit: number) {
  const side = Math.round(6 * unit);
  const tile = new OffscreenCanvas(side, side);
  const drawn = tile.getContext("2d")!;
  drawn.strokeStyle = color;
  drawn.lineWidth = 2 * unit;
  for (const shift of [-side, 0, side]) {
    drawn.moveTo(shift, side);
    drawn.lineTo(shift + side, 0);
  }
  drawn.stroke();
  const pattern = context.createPattern(tile, "repeat")!;
  pattern.setTransform(context.getTransform().inverse());
  return pattern;
}

/** Draws a picture, as sharp as the screen. */
export function drawPicture(canvas: HTMLCanvasElement, picture: Picture): void {
  const { raster, view, layers, points = [], region, cross } = picture;
  const unit = devicePixelRatio;
  const aspect = (view.right - view.left) / (view.bottom - view.top);
  canvas.style.aspectRatio = `${aspect}`;
  const width = Math.max(1, Math.round(canvas.clientWidth * unit));
  const shown = Math.min(width, canvas.clientHeight * unit * aspect);
  canvas.width = Math.max(1, Math.round(shown));
  canvas.height = Math.max(1, Math.round(shown / aspect));
  const scale = canvas.width / (view.right - view.left);
  const context = canvas.getContext("2d")!;
  // a pixel's center is a whole number, here its corner is
  const [left, top] = [view.left + 0.5, view.top + 0.5];
  context.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
  context.imageSmoothingEnabled = scale < 3;
  context.imageSmoothingQuality = "high";
  context.drawImage(raster, 0, 0);
  context.lineJoin = "round";
  const px = unit / scale; // a pixel of the page

  for (const { mask, fill, hatched, line, dashed } of layers) {
    const path = outlineOf(mask);
    if (fill) {
      context.fillStyle = hatched ? hatch(context, fill, unit) : fill;
      context.fill(path);
    }
    if (!line) continue;
    context.setLineDash([]);
    context.strokeStyle = "#000a";
    context.lineWidth = 4 * px;
    context.stroke(path);
    if (dashed) context.setLineDash([6 * px, 4 * px]);
    context.strokeStyle = line;
    context.lineWidth = 2 * px;
    context.stroke(path);
  }
  context.setLineDash([]);
  if (region) {
    const box = [
      region.left + 0.5,
      region.top + 0.5,
      region.right - region.left,
      region.bottom - region.top,
    ] as const;
    context.lineWidth = px;
    context.strokeStyle = "#000";
    context.strokeRect(...box);
    context.setLineDash([5 * px, 5 * px]);
    context.strokeStyle = "#fff";
    context.strokeRect(...box);
    context.setLineDash([]);
  }
  for (const { x, y, label = 1 } of points) {
    const [u, v] = [x + 0.5, y + 0.5];
    context.beginPath();
    context.arc(u, v, 6 * px, 0, 2 * Math.PI);
    context.fillStyle = label ? COLOR.positive : COLOR.negative;
    context.fill();
    context.strokeStyle = "#fff";
    context.lineWidth = 1.5 * px;
    context.stroke();
    context.beginPath();
    context.moveTo(u - 3 * px, v);
    context.lineTo(u + 3 * px, v);
    if (label) {
      context.moveTo(u, v - 3 * px);
      context.lineTo(u, v + 3 * px);
    }
    context.stroke();
  }
  if (cross) {
    const [u, v] = [cross.x + 0.5, cross.y + 0.5];
    for (const [color, thick] of [["#000", 3], ["#fff", 1]] as const) {
      context.beginPath();
      context.moveTo(u - 12 * px, v);
      context.lineTo(u + 12 * px, v);
      context.moveTo(u, v - 12 * px);
      context.lineTo(u, v + 12 * px);
      context.strokeStyle = color;
      context.lineWidth = thick * px;
      context.stroke();
    }
  }
}

/**
 * The pixel of the image under a place of the page, which may lie outside the
 * image.
 */
export function pixelAt(
  canvas: HTMLCanvasElement,
  view: Box,
  clientX: number,
  clientY: number,
): Point {
  const box = canvas.getBoundingClientRect();
  // as object-fit: contain lays the canvas's pixels out
  const fit = Math.min(box.width / canvas.width, box.height / canvas.height);
  const [width, height] = [canvas.width * fit, canvas.height * fit];
  const across = (clientX - box.left - (box.width - width) / 2) / width;
  const down = (clientY - box.top - (box.height - height) / 2) / height;
  return {
    x: Math.round(view.left + across * (view.right - view.left)),
    y: Math.round(view.top + down * (view.bottom - view.top)),
  };
}
