// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { InputError } from "../input_error.ts";

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
    throw new InputError(
      `Cannot draw image as its shape must be [H, W, 1] or [H, W, 3]: current value is [${image.shape}]`,
    );
  }
  const values = contiguous(image).data;
  const bytes = new Uint8ClampedArray(values.length); // clips and rounds
  for (let i = 0; i < values.length; i++) bytes[i] = 255 * values[i];
  return encode(bytes, width, height, channels);
}

/**
 * A map of numbers in false colors, as a data URI with a PNG file in it.
 *
 * @param map [H, W].
 * @param max The value that takes the lightest color; 0 takes the darkest.
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
export const MAX_SIDE = 1024;
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

/**
 * Magma, from dark (0) to light (1): perceptually uniform, and readable with
 * any color vision and in gray. By Nathaniel Smith and Stéfan van der Walt,
 * matplotlib, CC0; every eighth of its 256 colors.
 */
const MAGMA =
  ("000004 030312 0a0822 130d34 1d1147 29115a 36106b 440f76 51127c 5d177f 6a1c81 " +
    "762181 832681 902a81 9c2e7f aa337d b73779 c43c75 d0416f dc4869 e75263 ef5d5e " +
    "f56b5c f9795d fc8961 fd9869 fea772 feb67c fec488 fed395 fde2a3 fcf0b2 fcfdbf")
    .split(" ").map((hex) => [...Uint8Array.fromHex(hex)]);

/**
 * The color of a value on the perceptually uniform scale.
 *
 * @param value 0..1; clipped, NaN counts as 0.
 * @returns Red, green and blue, whole numbers 0..255.
 */
export function colormap(value: number): [number, number, number] {
  const at = (value > 0 ? Math.min(value, 1) : 0) * (MAGMA.length - 1);
  const below = MAGMA[Math.floor(at)];
  const above = MAGMA[Math.ceil(at)];
  const part = at - Math.floor(at);
  return [0, 1, 2].map((c) =>
    Math.round(below[c] + part * (above[c] - below[c]))
  ) as [number, number, number];
}
