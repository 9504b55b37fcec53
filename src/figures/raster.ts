// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { colormap } from "./colormap.ts";

/**
 * An image as a data URI with a picture file in it.
 *
 * @param image [H, W, 1 or 3] or [H, W], values 0..1, clipped.
 */
export function imageURI(image: NdArray<Float32Array>): Promise<string> {
  const [height, width, channels = 1] = image.shape;
  if (
    image.shape.length < 2 || image.shape.length > 3 ||
    (channels !== 1 && channels !== 3)
  ) {
    throw new RangeError(
      `Cannot draw image as its shape must be [H, W, 1] or [H, W, 3]: current value is [${image.shape}]`,
    );
  }
  const values = contiguous(image).data;
  const bytes = new Uint8ClampedArray(values.length); // clips and rounds
  for (let i = 0; i < values.length; i++) bytes[i] = 255 * values[i];
  return encode(bytes, width, height, channels);
}

/**
 * A map of numbers in false colours, as a data URI with a PNG file in it.
 *
 * @param map [H, W].
 * @param max The value that takes the lightest colour; 0 takes the darkest.
 */
export function mapURI(
  map: NdArray<Float32Array>,
  max: number,
): Promise<string> {
  const [height, width] = map.shape;
  const { data } = contiguous(map);
  const bytes = new Uint8ClampedArray(3 * data.length);
  data.forEach((value, i) => bytes.set(colormap(value / max), 3 * i));
  return encode(bytes, width, height, 3);
}

/** Longest side of an embedded image, in pixels: enough for any panel at 2x. */
const MAX_SIDE = 1024;
/** Small images are enlarged smoothly to about this, as viewers' ways differ. */
const MIN_SIDE = 280;
/** Larger images are shown at less than their size: as JPEG, a tenth as large. */
const LOSSLESS_SIDE = 512;

async function encode(
  bytes: Uint8ClampedArray,
  width: number,
  height: number,
  channels: 1 | 3,
): Promise<string> {
  const { default: sharp } = await import("sharp");
  const side = Math.max(width, height);
  const factor = side > MAX_SIDE ? MAX_SIDE / side : Math.ceil(MIN_SIDE / side);
  const picture = sharp(bytes, { raw: { width, height, channels } })
    .resize(
      Math.max(Math.round(width * factor), 1),
      Math.max(Math.round(height * factor), 1),
      { fit: "fill", kernel: "cubic" },
    )
    .toColourspace(channels === 1 ? "b-w" : "srgb");
  const photograph = side > LOSSLESS_SIDE;
  const file =
    await (photograph
      ? picture.jpeg({ quality: 90, chromaSubsampling: "4:4:4" })
      : picture.png({ compressionLevel: 6 })).toBuffer();
  const mime = photograph ? "image/jpeg" : "image/png";
  return `data:${mime};base64,${new Uint8Array(file).toBase64()}`;
}
